"""One run of the world against a broker and a product that are fakes: every reading is sent until it has its PUBACK."""

import asyncio
import json

import httpx
import pytest

from devices_sim.api_client import Api
from devices_sim.errors import BadState, Unavailable
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


def test_readings_outlive_connections_and_silence(run, product, new_broker, tmp_path):
    """The broker cuts everybody three times and swallows acknowledgements for a while: nothing is missing."""
    broker = new_broker()

    async def trouble(made):
        await asyncio.sleep(0.3)
        broker.silent = True
        await asyncio.sleep(0.2)
        broker.cut()
        await asyncio.sleep(0.1)
        broker.silent = False
        for _ in range(2):
            await asyncio.sleep(0.3)
            broker.cut()

    report = run(lived(tmp_path, broker, product, scenario(duration="20h"), trouble))
    assert report.published == report.acked
    assert broker.count > report.acked  # some were sent again
    assert sum(broker.connects.values()) >= 20
    seen = {(t, m["boot"], m["seq"]) for t, p in broker.received for m in [json.loads(p)]}
    assert len(seen) == report.acked


def test_a_killed_world_goes_on_with_fresh_seq(run, product, new_broker, tmp_path):
    """The first life ends in the middle, without a goodbye; boot and seq are never used for another content."""
    broker = new_broker()
    what = scenario(duration="20h")

    async def work():
        await broker.start()
        first = runner(tmp_path, broker, product, what)
        task = asyncio.create_task(first.run())
        await asyncio.sleep(1.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        second = runner(tmp_path, broker, product, what)
        report = await second.run()
        await broker.stop()
        return report

    report = run(work())
    contents = {}
    for topic, payload in broker.received:
        body = json.loads(payload)
        assert contents.setdefault((topic, body["boot"], body["seq"]), payload) == payload
    assert len(contents) == report.published == report.acked
    assert len(product.fleets) == 1


def test_a_refusing_mqtt_5_broker_is_noted_and_not_asked_again(run, product, new_broker, tmp_path):
    broker = new_broker()
    broker.reason = 0x97
    report = run(lived(tmp_path, broker, product, scenario(duration="6h")))
    assert report.refused > 0
    assert report.refused + report.acked == report.published
    assert report.pending == 0


def test_a_full_round_of_demand_and_supply(run, product, new_broker, tmp_path):
    """Users tell about swaps by slot id; the status file says how it stands, at the end with the report."""
    broker = new_broker()
    size = FleetSize(devices=10, accounts=1, sites=1, kinds={"copier": 1}, initial=(0.01, 0.03), spares=0.0)
    product.collections["/v1/slots"] = [
        {
            "id": 100 * device + n,
            "device_id": device,
            "device": "d",
            "account": "acme",
            "name": name,
            "last_heard_at": 0,
        }
        for device in range(1, 11)
        for n, name in enumerate(("black", "cyan", "magenta", "yellow", "drum", "waste"))
    ]

    async def supply(made):
        await asyncio.sleep(0.5)
        for sku in ("TN-K", "TN-C", "TN-M", "TN-Y", "WB-1"):
            made.world.deliver("acme/berlin", sku, 30, made.clock.now())

    report = run(lived(tmp_path, broker, product, scenario(fleet=size, duration="30h"), supply))
    assert report.swaps > 0
    told = [path for path, _ in product.calls]
    assert told
    assert all(path.startswith("/v1/slots/") and path.endswith("/swapped") for path in told)
    assert len(set(product.keys)) == len(product.keys)
    status = json.loads((tmp_path / "status.json").read_text())
    assert status["state"] == "ended"
    assert status["acked"] == status["report"]["acked"] == report.acked
    assert status["empties_missed"] == report.empties_missed


def test_a_stop_ends_it_soon_with_a_report(run, product, new_broker, tmp_path):
    broker = new_broker()

    async def stop(made):
        await asyncio.sleep(0.5)
        made.stop.set()
        began = asyncio.get_running_loop().time()
        while not (tmp_path / "status.json").exists() or "ended" not in (tmp_path / "status.json").read_text():
            await asyncio.sleep(0.02)
        made.took = asyncio.get_running_loop().time() - began
        assert made.took < 3

    report = run(lived(tmp_path, broker, product, scenario(duration=None), stop))
    assert report.acked > 0


def test_the_wrong_state_or_an_unreachable_product_is_explained(run, product, new_broker, tmp_path):
    broker = new_broker()
    run(lived(tmp_path, broker, product, scenario(duration="1h")))
    with pytest.raises(BadState, match=r"holds the world 'test seed 1 devices 10', this is 'test seed 2"):
        run(lived(tmp_path, new_broker(), product, scenario(duration="1h", seed=2)))
    with pytest.raises(BadState, match="gave no token for 10 devices"):
        run(lived(tmp_path / "other", new_broker(), product, scenario(duration="1h")))
    product.down = True
    with pytest.raises(Unavailable, match="is the API at http://api up"):
        run(lived(tmp_path / "third", new_broker(), product, scenario(duration="1h"), patience_s=0.3))
