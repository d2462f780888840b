"""One run of the world against a broker and a product that are fakes: every reading is sent until it has its PUBACK."""

import asyncio
import json

import httpx
import pytest

from devices_sim.api_client import Api
from devices_sim.mqtt_client import Broker
from devices_sim.runner import Options, Runner
from devices_sim.scenario import FleetSize, Rates, Scenario
from devices_sim.truth import acked

QUIET = Rates(**dict.fromkeys(Rates.__struct_fields__, 0.0))


def scenario(**kw):
    kw = {"duration": "12h", "trouble": QUIET, "fleet": FleetSize(devices=10, accounts=2, sites=3)} | kw
    return Scenario(name="test", **kw)


def runner(folder, broker, product, what, **kw):
    said = []
    options = Options(
        Broker("127.0.0.1", broker.port), "http://api", "t", what, folder, folder / "status.json", say=said.append, **kw
    )
    made = Runner(options, Api("http://api", "t", transport=httpx.MockTransport(product)))
    made.said = said
    return made


@pytest.fixture
def product(product):
    """Twelve hours take a second."""
    product.speed = 36_000.0
    return product


async def lived(folder, broker, product, what, meanwhile=None, **kw):
    await broker.start()
    made = runner(folder, broker, product, what, **kw)
    other = asyncio.create_task(meanwhile(made)) if meanwhile else None
    try:
        return await made.run()
    finally:
        if other:
            await other
        await broker.stop()


def test_every_reading_is_acknowledged_and_on_record(run, product, new_broker, tmp_path):
    broker = new_broker()
    report = run(lived(tmp_path, broker, product, scenario()))

    assert report.published == report.acked == broker.count
    assert report.published > 80
    assert report.pending == 0
    assert set(broker.versions.values()) == {4, 5}
    sent = {
        (t.split("/")[2], t.split("/")[3], m["boot"], m["seq"]) for t, p in broker.received for m in [json.loads(p)]
    }
    assert len(sent) == report.acked
    recorded = {
        (account, device, boot, seq)
        for (account, device, boot), spans in acked(tmp_path).items()
        for first, last in spans
        for seq in range(first, last + 1)
    }
    assert recorded == sent
