import hashlib
import hmac
import json
import time
from pathlib import Path

import httpx
import jsonschema
import pytest

from devices_sim import fleet
from devices_sim.api_client import Api
from devices_sim.errors import Unavailable
from devices_sim.scenario import Event, FleetSize, Rates, Scenario
from devices_sim.scenario import Suppliers as Habits
from devices_sim.supplier import BadRequest, Suppliers, verify
from devices_sim.truth import Truth
from devices_sim.world.world import World

HOUR, DAY = 3_600_000, 86_400_000
START = 1_795_392_000_000  # Mon 2026-11-23
SITE = "acme/berlin"
SCHEMAS = Path(__file__).parents[3] / "docs/schemas"
NOW_S = 1_800_000_000
ORDER = {
    "purchase_order": 7,
    "order": 3,
    "account": "acme",
    "site": {"name": "berlin", "address": "x"},
    "lines": [{"line": 1, "sku": "TN-K", "supplier_sku": "PA-TN-K", "quantity": 4, "unit_price": "54.90"}],
    "version": 1,
}


def signed(body, at=NOW_S, key="po-7"):
    mac = hmac.new(b"s", str(at).encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Idempotency-Key": key, "Ullage-Timestamp": str(at), "Ullage-Signature": f"v1={mac}"}


@pytest.fixture
def new_shop(tmp_path):
    opened = []

    def make(habits=None, events=(), folder="state"):
        quiet = Rates(**dict.fromkeys(Rates.__struct_fields__, 0.0))
        size = FleetSize(devices=2, accounts=1, sites=1, spares=0.0)
        what = Scenario(
            name="x", fleet=size, suppliers=habits or Habits(late=0.0, part=0.0), events=events, trouble=quiet
        )
        truth = Truth(tmp_path / folder)
        opened.append(truth)
        plan = fleet.make_plan(what)
        world = World(plan, truth, START)
        return Suppliers(plan, truth, dict.fromkeys(fleet.SUPPLIERS, "s"), lambda: START), world

    yield make
    for truth in opened:
        truth.close()


def take(shop, order=ORDER, key="po-7"):
    body = json.dumps(order).encode()
    return shop.take("papierwerk", signed(body, key=key), body, NOW_S)


def jobs(shop, until=START + 60 * DAY):
    return [(what, json.loads(lines)) for _, _, what, lines, *_ in shop.truth.due_jobs(until)]


def test_a_purchase_order_is_acknowledged_shipped_and_delivered(new_shop, product, run):
    shop, world = new_shop()
    assert take(shop)["taken"] is True
    assert [what for what, _ in jobs(shop)] == ["acknowledge", "ship", "deliver"]

    async def work():
        api = Api("http://api", "t", transport=httpx.MockTransport(product))
        for day in range(30):
            await shop.work(world, api, START + day * DAY)
        await api.close()

    run(work())
    assert [path for path, _ in product.calls] == [
        f"/v1/purchase-orders/7/{what}" for what in ("acknowledge", "ship", "deliver")
    ]
    for (_, body), name in zip(product.calls, ("acknowledgement", "shipment", "delivery"), strict=True):
        jsonschema.validate(body, json.loads((SCHEMAS / f"{name}.json").read_text()))  # what is published
    assert product.calls[0][1] == {"lines": [{"line": 1, "accepted": True, "reason": None}]}
    assert product.calls[2][1] == {"lines": [{"line": 1, "quantity": 4}]}
    assert len(set(product.keys)) == 3
    assert world.truth.sum("delivered") == 4
    assert shop.truth.open_jobs() == 0


def test_a_sample_is_answered_and_not_taken(new_shop):
    shop, _ = new_shop()
    assert take(shop, ORDER | {"test": True})["taken"] is False
    assert jobs(shop) == []


def test_the_same_order_twice_is_taken_once(new_shop):
    shop, _ = new_shop()
    first, second = take(shop), take(shop)
    assert (first["taken"], second["taken"]) == (True, False)
    assert first["reference"] == second["reference"]
    assert len(jobs(shop)) == 3
    assert shop.again == 1
    with pytest.raises(BadRequest, match="another Idempotency-Key"):
        take(shop, key="other")


def test_goods_arrive_once_although_the_api_fails(new_shop, product, run):
    shop, world = new_shop(Habits(late=0.0, part=0.0, acknowledge=False, ship=False))
    take(shop)

    async def work():
        api = Api("http://api", "t", transport=httpx.MockTransport(product))
        product.fail = 503
        for _ in range(3):
            with pytest.raises(Unavailable, match="503"):
                await shop.work(world, api, START + 30 * DAY)
        product.fail = 0
        await shop.work(world, api, START + 30 * DAY)
        await api.close()

    run(work())
    assert world.truth.sum("delivered") == 4
    assert [path for path, _ in product.calls] == ["/v1/purchase-orders/7/deliver"]


def test_goods_come_on_time_although_nobody_answers(new_shop, product, run):
    """The supplier's acknowledgement hangs: its goods do not wait for it."""
    shop, world = new_shop()
    take(shop)

    async def work():
        api = Api("http://api", "t", transport=httpx.MockTransport(product))
        product.down = True
        with pytest.raises(Unavailable):
            await shop.work(world, api, START + 30 * DAY)
        assert world.truth.sum("delivered") == 4
        product.down = False
        for _ in range(3):
            await shop.work(world, api, START + 30 * DAY)
        await api.close()

    run(work())
    assert world.truth.sum("delivered") == 4
    assert [path.rsplit("/", 1)[1] for path, _ in product.calls] == ["acknowledge", "ship", "deliver"]


def test_a_call_that_is_refused_is_counted_and_not_repeated(new_shop, product, run):
    shop, world = new_shop(Habits(late=0.0, part=0.0, ship=False))
    take(shop)
    product.fail = 409

    async def work():
        api = Api("http://api", "t", transport=httpx.MockTransport(product))
        for _ in range(3):
            await shop.work(world, api, START + 30 * DAY)
        await api.close()

    run(work())
    world.save()
    assert (world.happened["acknowledge_refused"], world.happened["deliver_refused"]) == (1, 1)


def test_parts_add_up_to_what_was_ordered(new_shop):
    shop, _ = new_shop(Habits(late=0.0, part=1.0))
    take(shop, ORDER | {"lines": [ORDER["lines"][0] | {"quantity": 5}, {"line": 2, "sku": "DR-1", "quantity": 1}]})
    delivered = [lines for what, lines in jobs(shop) if what == "deliver"]
    assert len(delivered) == 2
    totals = {}
    for line in (line for part in delivered for line in part):
        totals[line["line"]] = totals.get(line["line"], 0) + line["quantity"]
    assert totals == {1: 5, 2: 1}


def test_a_rejecting_supplier_ships_nothing(new_shop):
    shop, _ = new_shop(Habits(reject=1.0))
    take(shop)
    [(what, lines)] = jobs(shop)
    assert what == "acknowledge"
    assert lines[0]["accepted"] is False


def test_late_suppliers_and_events_delay(new_shop):
    arrivals = {}
    late = Event(at="0h", kind="supplier_late", supplier="papierwerk", by="20d", lasts="1d")
    for name, habits, events in (
        ("prompt", Habits(late=0.0, part=0.0), ()),
        ("late", Habits(late=1.0, part=0.0), ()),
        ("event", Habits(late=0.0, part=0.0), (late,)),
    ):
        shop, _ = new_shop(habits, events, name)
        take(shop)
        rows = shop.truth._db.execute("select due from job where what = 'deliver'").fetchall()
        arrivals[name] = (rows[0][0] - START) / DAY
    assert arrivals["late"] >= arrivals["prompt"] + 5
    assert arrivals["event"] >= arrivals["prompt"] + 18


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"Ullage-Signature": "v1=00"}, "does not fit"),
        ({"Ullage-Timestamp": str(NOW_S - 3_600)}, "not within"),
        ({"Ullage-Timestamp": "yesterday"}, "not within"),
        ({"Idempotency-Key": ""}, "missing"),
    ],
)
def test_who_is_not_the_product_is_turned_away(new_shop, headers, says):
    shop, _ = new_shop()
    body = json.dumps(ORDER).encode()
    with pytest.raises(BadRequest, match=says):
        shop.take("papierwerk", signed(body) | headers, body, NOW_S)
    assert shop.truth.purchase_orders() == 0


def test_what_is_no_purchase_order_is_a_bad_request(new_shop):
    shop, _ = new_shop()
    for body in (b"{}", b"[]", b"no json"):
        with pytest.raises(BadRequest, match="not a purchase order"):
            shop.take("papierwerk", signed(body), body, NOW_S)
    with pytest.raises(BadRequest, match="no supplier nobody"):
        shop.take("nobody", signed(b"{}"), b"{}", NOW_S)


def test_the_signature_covers_time_stamp_and_body():
    good = signed(b"body")
    verify("s", good["Ullage-Timestamp"], good["Ullage-Signature"], b"body", NOW_S + 10)
    with pytest.raises(BadRequest):
        verify("s", str(NOW_S + 1), good["Ullage-Signature"], b"body", NOW_S)


def test_the_webhook_listens_and_keeps_its_port(new_shop, run):
    shop, _ = new_shop()

    async def work():
        port = await shop.listen("127.0.0.1", 0)
        body = json.dumps(ORDER).encode()

        headers = signed(body, at=int(time.time()))
        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{port}/papierwerk/purchase-orders"
            good = await client.post(url, content=body, headers=headers)
            bad = await client.post(url, content=b"{}", headers=headers)
        await shop.close()
        return good, bad

    good, bad = run(work())
    assert (good.status_code, good.json()["taken"]) == (200, True)
    assert bad.status_code == 401
    assert shop.rejected == 1
