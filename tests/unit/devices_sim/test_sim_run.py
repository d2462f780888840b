"""One run of the world against a broker and a product that are fakes: every reading is sent until it has its PUBACK."""

import asyncio
import itertools
import json

import httpx
import pytest

from devices_sim.api_client import Api
from devices_sim.errors import BadState, Unavailable
from devices_sim.mqtt_client import Broker
from devices_sim.runner import Options, Runner
from devices_sim.scenario import Event, FleetSize, Rates, Scenario, Users
from devices_sim.truth import acked

HOUR = 3_600_000
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
    """Users tell about swaps by slot id and count spares by site id; the status file says how it stands, at the end
    with the report."""
    broker = new_broker()
    size = FleetSize(devices=10, accounts=1, sites=1, kinds={"copier": 1}, initial=(0.01, 0.03), spares=0.0)
    users = Users(tell=1.0, count=1.0, miscount=0.0, part_used=0.0)  # a part-used supply leaves the shelf as it is
    product.collections["/v1/sites"] = [{"id": 77, "account": "acme", "name": "berlin"}]
    product.collections["/v1/slots"] = [
        {
            "id": 100 * device + n,
            "device": f"copier-{device:04d}",
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

    report = run(lived(tmp_path, broker, product, scenario(fleet=size, duration="30h", users=users), supply))
    swapped = [path for path, _ in product.calls if path.startswith("/v1/slots/") and path.endswith("/swapped")]
    counted = [body for path, body in product.calls if path == "/v1/sites/77/spares"]
    assert len(swapped) == len(counted) == report.swaps == report.counted > 0
    assert {body["sku"] for body in counted} <= {"TN-K", "TN-C", "TN-M", "TN-Y", "WB-1", "DR-1"}
    assert all(0 <= body["units"] < 30 for body in counted)
    assert len(set(product.keys)) == len(product.keys) == len(product.calls)
    assert report.calls_refused == 0
    status = json.loads((tmp_path / "status.json").read_text())
    assert status["state"] == "ended"
    assert status["acked"] == status["report"]["acked"] == report.acked
    assert status["empties_missed"] == report.empties_missed


def test_what_users_did_last_is_told_before_the_end(run, product, new_broker, tmp_path, monkeypatch):
    """They tell but once while the scenario runs, before anything happened: the rest is told when it is over."""
    monkeypatch.setattr("devices_sim.runner.TELL_S", 3_600.0)
    broker = new_broker()
    size = FleetSize(devices=10, accounts=1, sites=1, kinds={"copier": 1}, initial=(0.0, 0.0005), spares=0.0)
    users = Users(tell=0.0, count=1.0, miscount=0.0)
    product.collections["/v1/sites"] = [{"id": 77, "account": "acme", "name": "berlin"}]

    async def supply(made):
        while not made.synced.is_set() or not hasattr(made, "world"):
            await asyncio.sleep(0.01)
        made.world.deliver("acme/berlin", "TN-K", 30, made.clock.now())

    report = run(lived(tmp_path, broker, product, scenario(fleet=size, duration="30h", users=users), supply))
    assert len([path for path, _ in product.calls if path == "/v1/sites/77/spares"]) == report.counted > 0


def test_what_users_tell_waits_while_the_product_is_down_and_goes_on_record_when_refused(
    run, product, new_broker, tmp_path
):
    broker = new_broker()
    size = FleetSize(devices=10, accounts=1, sites=1, kinds={"copier": 1}, initial=(0.0, 0.0005), spares=0.0)
    users = Users(tell=0.0, count=1.0, miscount=0.0)
    product.collections["/v1/sites"] = [{"id": 77, "account": "acme", "name": "berlin"}]

    async def trouble(made):
        product.fail = 503
        await asyncio.sleep(1.5)
        made.world.deliver("acme/berlin", "TN-K", 30, made.clock.now())
        while not made.truth.untold_counts():
            await asyncio.sleep(0.01)
        product.fail = 422

    report = run(lived(tmp_path, broker, product, scenario(fleet=size, duration="30h", users=users), trouble))
    assert 0 < report.calls_refused <= report.counted


def test_a_reboot_ends_the_connection_without_a_word_and_leaves_a_will(run, product, new_broker, tmp_path):
    broker = new_broker()
    events = (
        Event(at="3h", kind="reboot", device="copier-0001"),
        Event(at="3h", kind="network_loss", device="copier-0002", lasts="2h"),
    )
    report = run(lived(tmp_path, broker, product, scenario(events=events)))
    assert sorted(broker.died) == ["copier-0001", "copier-0002"]
    assert report.deaths == 2
    assert len(broker.wills) == 10
    assert {topic.rsplit("/", 1)[1] for topic, _ in broker.wills.values()} == {"status"}
    assert broker.wills["copier-0001"][0].endswith("/copier-0001/status")
    assert broker.connects["copier-0001"] == broker.connects["copier-0002"] == 2
    assert report.published == report.acked


def test_some_devices_send_what_they_stored_newest_first(run, product, new_broker, tmp_path):
    """A burst after a day without a network; the window is what a device has in flight."""
    broker = new_broker()
    lost = tuple(
        Event(at="1h", kind="network_loss", site=site, lasts="40h") for site in ("berlin", "hamburg", "vienna")
    )
    report = run(lived(tmp_path, broker, product, scenario(events=lost, duration="48h")))
    assert report.published == report.acked
    orders = {}
    for topic, payload in broker.received:
        orders.setdefault(topic.split("/")[3], []).append(json.loads(payload)["seq"])
    turned = {name for name, seqs in orders.items() if sum(b < a for a, b in itertools.pairwise(seqs)) > 8}
    straight = {name for name, seqs in orders.items() if seqs == sorted(seqs)}
    assert turned
    assert straight
    assert turned | straight == orders.keys()


def test_a_product_that_is_behind_is_asked_again(run, product, new_broker, tmp_path):
    """The order that the scenario expects comes a moment after its end."""
    broker = new_broker()

    async def later(made):
        while not getattr(made, "world", None) or made.world.time < made.world.start + 2 * HOUR:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        product.collections["/v1/orders"] = [{"id": 1, "state": "placed"}]

    what = scenario(duration="2h", expect={"orders": 1})
    report = run(lived(tmp_path, broker, product, what, later))
    assert report.orders == 1
    assert report.failed == []


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


def test_goods_arrive_while_the_suppliers_still_wait_for_an_answer(run, product, new_broker, tmp_path):
    """An API that takes its time holds up what it is told, not what is true."""
    broker = new_broker()
    answered = asyncio.Event()

    async def slow(_world, _api, _now):
        await answered.wait()

    async def order(made):
        while not hasattr(made, "suppliers"):
            await asyncio.sleep(0.01)
        made.suppliers.work = slow
        row = ("7", "papierwerk", "po-7", "", made.world.time, "acme/berlin", "{}")
        made.truth.take(
            row, [("7", "deliver", made.world.time + HOUR, json.dumps([{"line": 1, "sku": "TN-K", "quantity": 3}]))]
        )
        while not made.world.happened["delivered"]:
            await asyncio.sleep(0.01)
        made.stop.set()

    report = run(lived(tmp_path, broker, product, scenario(duration=None), order))
    assert report.units_delivered == 3
