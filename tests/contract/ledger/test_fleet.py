"""The fleet document: strict, whole or not at all, and the same twice."""

import hashlib
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from ledger import outbox
from ledger.engine import Ledger
from ledger.fleet import BadFleet, apply_fleet, parse_fleet
from ledger.tables import account, device, offer, slot, stock
from ledger.tables import outbox as outbox_table
from models.facts import AnyFact, ClassFact, DeviceFact, LaneFact, Meter, Mode, Refill, SlotFact, StockFact
from models.outbox import ALL
from models.units import DAY, HOUR

from .world import NOW, fleet_content


def facts(ledger: Ledger, after: int = 0) -> list[tuple[int, Any]]:
    with ledger.read() as tx:
        query = select(outbox_table).where(outbox_table.c.kind == "fact", outbox_table.c.id > after)
        rows = tx.execute(query.order_by(outbox_table.c.id)).all()
    return [(row.partition, msgspec.msgpack.decode(row.payload, type=AnyFact)) for row in rows]


def apply(ledger: Ledger, change: Callable[[dict[str, Any]], Any] = lambda _: None) -> Any:
    content = fleet_content()
    change(content)
    return apply_fleet(ledger, parse_fleet(content), NOW)


def last(ledger: Ledger) -> int:
    with ledger.read() as tx:
        return outbox.last_id(tx)


def test_a_fleet_is_registered(ledger: Ledger) -> None:
    result = apply(ledger)
    assert result.summary["devices"] == result.summary["new_devices"] == 3
    assert [(one.account, one.device) for one in result.credentials] == [
        ("acme", "copier-01"),
        ("acme", "coffee-01"),
        ("umbra", "copier-01"),
    ]
    with ledger.read() as tx:
        rows = {row.id: row for row in tx.execute(select(device))}
        for issued in result.credentials:
            assert len(issued.token) == 43
            assert rows[issued.device_id].credential == hashlib.sha256(issued.token.encode()).digest()
            assert not rows[issued.device_id].ready
        modes = dict(tx.execute(select(account.c.name, account.c.mode)).all())
        assert modes == {"acme": Mode.AUTO, "umbra": Mode.OBSERVE}


def test_its_facts_are_what_step_needs(ledger: Ledger) -> None:
    apply(ledger)
    found = facts(ledger)
    by_type: dict[type, list[Any]] = {}
    for partition, fact in found:
        by_type.setdefault(type(fact), []).append(fact)
        assert (partition == ALL) == (type(fact).__name__ in {"AccountFact", "CalendarFact", "ClassFact"})
        assert fact.incarnation == 1
    assert {kind.__name__: len(facts) for kind, facts in by_type.items()} == {
        "AccountFact": 2,
        "CalendarFact": 2,
        "ClassFact": 3,
        "SiteFact": 2,
        "DeviceFact": 3,
        "SlotFact": 5,
        "LaneFact": 3,  # toner to each site, beans to one
        "StockFact": 6,  # five shelves, one of them counted in a second snapshot
    }
    copier = by_type[DeviceFact][0]
    assert (copier.counters, copier.counter_wraps, copier.counter_limits) == (1, (0,), (20000.0,))
    slots = {(fact.device, fact.name): fact for fact in by_type[SlotFact]}
    black, drum, beans = slots[1, "black"], slots[1, "drum"], slots[2, "beans"]
    assert (black.meter, black.capacity, black.registered) == (Meter.LEVEL, 12000, NOW)
    assert black.lane
    assert black.product
    assert (drum.meter, drum.counter, drum.lane) == (Meter.COUNTER, 0, 0)  # nobody offers it
    assert (beans.refill, beans.pack_units) == (Refill.TOPUP, 1000)
    classes = {fact.slot_class: fact for fact in by_type[ClassFact]}
    assert classes[black.slot_class].rate == 2.0
    lane = next(fact for fact in by_type[LaneFact] if fact.lane == black.lane)
    assert len(lane.grid_ms) == 16
    assert (lane.grid_ms[0], lane.grid_ms[-1], lane.cutoff_ms) == (1 * DAY, 8 * DAY, 15 * HOUR)
    assert list(lane.grid_ms) == sorted(lane.grid_ms)
    toner = [fact for fact in by_type[StockFact] if fact.product == black.product and fact.site == 1]
    assert toner[-1].on_hand == 2
    assert toner[-1].version > toner[0].version


def test_twice_changes_nothing(ledger: Ledger) -> None:
    apply(ledger)
    before = last(ledger)
    again = apply(ledger)
    assert again.credentials == []
    assert again.summary["new_devices"] == 0
    assert last(ledger) == before


def test_a_later_count_is_not_undone(ledger: Ledger) -> None:
    apply(ledger)
    with ledger.write() as tx:
        tx.execute(stock.update().values(on_hand=7))
    apply(ledger, lambda content: content["accounts"][0]["sites"][0]["spares"].update({"TN-K": 3}))
    with ledger.read() as tx:
        assert set(tx.scalars(select(stock.c.on_hand))) == {7}


def test_what_is_left_out_keeps_its_value(ledger: Ledger) -> None:
    apply(ledger)
    apply(ledger, lambda content: content["accounts"][0].pop("mode"))
    with ledger.read() as tx:
        assert tx.scalar(select(account.c.mode).where(account.c.name == "acme")) == Mode.AUTO


def test_devices_follow_their_model_and_the_offers(ledger: Ledger) -> None:
    apply(ledger)
    before = last(ledger)

    def change(content: dict[str, Any]) -> None:
        content["suppliers"][0]["offers"].append({"sku": "DR-1", "price": "9", "currency": "EUR", "lead_days": [1]})
        content["device_models"][0]["slots"].append({"name": "waste", "capacity": 100, "ascending": True})

    apply(ledger, change)
    new = [fact for _, fact in facts(ledger, before)]
    changed = {fact.name for fact in new if isinstance(fact, SlotFact)}
    assert changed == {"drum", "waste"}
    assert {fact.version for fact in new if isinstance(fact, SlotFact) and fact.name == "drum"} == {2}
    assert all(fact.lane for fact in new if isinstance(fact, SlotFact) and fact.name == "drum")


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(content: Any) -> None:
        *way, name = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in way:
            content = content[part]
        content[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("accounts.0.mode", "sometimes"), r"accounts\[0\]\.mode"),
        (_set("accounts.0.colour", "red"), r"colour.*accounts\[0\]"),
        (_set("accounts.0.name", "Acme GmbH"), r"accounts\[0\]\.name"),
        (_set("accounts.1.name", "acme"), r"accounts.*'acme' is there twice"),
        (_set("accounts.0.sites.0.time_zone", "Mars/Base"), r"accounts\[0\]\.sites\[0\].*Mars/Base.*IANA"),
        (_set("accounts.0.sites.0.devices.0.model", "fax"), r"devices\[0\]\.model.*no device model 'fax'"),
        (_set("accounts.0.sites.0.devices.1.name", "copier-01"), r"accounts\[0\].*'copier-01' is there twice"),
        (_set("accounts.0.sites.0.spares", {"XX": 1}), r"spares.*no product 'XX'"),
        (_set("suppliers.0.offers.0.price", 54.9), r"suppliers\[0\]\.offers\[0\]\.price"),
        (_set("suppliers.0.offers.0.lead_days", []), r"lead_days"),
        (_set("suppliers.0.offers.0.sku", "XX"), r"suppliers\[0\]\.offers\[0\]\.sku.*no product 'XX'"),
        (_set("suppliers.0.channel", "webhook"), r"suppliers\[0\].*url.*secret"),
        (_set("device_models.0.slots.1.counter", "cups"), r"device_models\[0\]\.slots\[1\]\.counter.*'cups'"),
        (_set("device_models.0.slots.0.capacity", 0), r"capacity"),
        (_set("device_models.0.slots.0.name", "drum"), r"device_models\[0\].*twice"),
    ],
)
def test_a_fault_says_where_and_nothing_is_applied(
    ledger: Ledger, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    with pytest.raises(BadFleet, match=message):
        apply(ledger, change)
    with ledger.read() as tx:
        for table in (account, offer, device, slot, outbox_table):
            assert tx.scalar(select(func.count()).select_from(table)) == 0


def test_a_device_does_not_move_by_a_document(ledger: Ledger) -> None:
    apply(ledger)
    with pytest.raises(BadFleet, match=r"devices\[0\].*retire it"):
        apply(ledger, _set("accounts.0.sites.0.devices.0.model", "coffee"))


def test_two_thousand_devices_take_seconds(ledger: Ledger) -> None:
    many = [{"name": f"c{number}", "model": "copier"} for number in range(2000)]
    began = time.monotonic()
    result = apply(ledger, _set("accounts.0.sites.0.devices", many))
    assert len(result.credentials) == 2001
    assert time.monotonic() - began < 10


def clocked(content: dict[str, Any], usual: float = 260.0, **slot: Any) -> None:
    model = content["device_models"][0]
    model["counters"] = [{"name": "scans"}, {"name": "pages", "usual": usual}]
    model["slots"][0] |= {"meter": "level", "clock": "pages"} | slot


def test_a_slot_names_the_counter_that_is_its_clock(ledger: Ledger) -> None:
    apply(ledger, clocked)
    found = [fact for _, fact in facts(ledger)]
    name = fleet_content()["device_models"][0]["slots"][0]["name"]
    slots = [fact for fact in found if isinstance(fact, SlotFact)]
    assert {fact.clock for fact in slots if fact.name == name} == {1}
    assert (0.0, 260.0) in {fact.counter_usuals for fact in found if isinstance(fact, DeviceFact)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"clock": "cups"}, "counter of this model"),
        ({"usual": 0.0}, "pages needs usual"),
        ({"meter": "age"}, "only a slot whose level the device tells"),
    ],
)
def test_a_clock_that_cannot_run_is_refused(ledger: Ledger, change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadFleet, match=message):
        apply(ledger, lambda content: clocked(content, **change))
