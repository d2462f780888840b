"""Registration noun by noun: what is checked, what goes out as a fact, and that tenants do not see each other."""

import hashlib
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from sqlalchemy import Connection

from ledger import outbox
from ledger.directory import LedgerDirectory
from ledger.engine import Ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.registry import (
    accounts,
    calendars,
    device_models,
    devices,
    offers,
    price_lists,
    products,
    sites,
    slots,
    suppliers,
)
from ledger.registry.calendars import CalendarSpec
from ledger.registry.common import Invalid, Taken
from ledger.registry.devices import NewDevice
from ledger.registry.price_lists import Price
from ledger.registry.unmapped import MAX_UNMAPPED, add_unmapped
from ledger.scope import NotFound, Scope
from models.facts import (
    AccountFact,
    AccountProductFact,
    AnyFact,
    CalendarFact,
    DeviceFact,
    LaneFact,
    Mode,
    SiteFact,
    SlotFact,
)
from models.units import DAY

from .world import NOW, fleet_content

EVERYTHING = Scope.all()


@pytest.fixture
def fleet(ledger: Ledger) -> Ledger:
    apply_fleet(ledger, parse_fleet(fleet_content()), NOW)
    return ledger


def facts_of(ledger: Ledger, change: Callable[[Connection], Any]) -> list[Any]:
    """The facts that a change sends."""
    with ledger.write() as tx:
        before = outbox.last_id(tx)
        change(tx)
        rows = outbox.list_unsettled(tx, after=before, limit=10_000)
    return [msgspec.msgpack.decode(row.payload, type=AnyFact) for row in rows]


def test_a_new_account_observes(ledger: Ledger) -> None:
    (fact,) = facts_of(ledger, lambda tx: accounts.create(tx, "acme", "EUR", NOW))
    assert fact == AccountFact(version=1, account=1, mode=Mode.OBSERVE)


def test_only_what_step_needs_goes_out(ledger: Ledger) -> None:
    facts_of(ledger, lambda tx: accounts.create(tx, "acme", "EUR", NOW))
    limit = Decimal("12.50")
    assert facts_of(ledger, lambda tx: accounts.change(tx, EVERYTHING, 1, limit_per_order=limit)) == []
    assert facts_of(ledger, lambda tx: accounts.change(tx, EVERYTHING, 1, mode=Mode.OBSERVE)) == []
    (fact,) = facts_of(ledger, lambda tx: accounts.change(tx, EVERYTHING, 1, mode=Mode.AUTO, paused=True))
    assert (fact.version, fact.mode, fact.paused) == (2, Mode.AUTO, True)
    with ledger.read() as tx:
        assert accounts.get(tx, EVERYTHING, 1).limit_per_order == limit


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": 7},
        {"service_level": 1.0},
        {"currency": "euro"},
        {"limit_per_order": 12.5},
        {"limit_per_order": Decimal(-1)},
        {"review_ms": -1},
        {"name": "other"},
    ],
)
def test_an_account_takes_no_nonsense(ledger: Ledger, settings: dict[str, Any]) -> None:
    with ledger.write() as tx:
        accounts.create(tx, "acme", "EUR", NOW)
        with pytest.raises(Invalid):
            accounts.change(tx, EVERYTHING, 1, **settings)


def test_names_are_taken_once(fleet: Ledger) -> None:
    with fleet.write() as tx:
        with pytest.raises(Taken, match="acme"):
            accounts.create(tx, "acme", "EUR", NOW)
        with pytest.raises(Taken, match="hq"):
            sites.create(tx, EVERYTHING, 1, "hq", CalendarSpec("UTC"), NOW)
        with pytest.raises(Taken, match="copier-01"):
            devices.register(tx, EVERYTHING, [NewDevice(1, "copier-01", 1)], NOW)
        with pytest.raises(Invalid, match="A-Za-z0-9"):
            devices.register(tx, EVERYTHING, [NewDevice(1, "copier/01", 1)], NOW)


def test_another_accounts_objects_are_not_there(fleet: Ledger) -> None:
    umbra = Scope.of(2)
    with fleet.write() as tx:
        for look in (
            lambda: accounts.get(tx, umbra, 1),
            lambda: accounts.find(tx, umbra, "acme"),
            lambda: accounts.change(tx, umbra, 1, paused=True),
            lambda: accounts.set_product_mode(tx, umbra, 1, 1, Mode.OFF),
            lambda: sites.get(tx, umbra, 1),
            lambda: sites.change(tx, umbra, 1, NOW, paused=True),
            lambda: sites.create(tx, umbra, 1, "new", CalendarSpec("UTC"), NOW),
            lambda: devices.get(tx, umbra, 1),
            lambda: devices.find(tx, umbra, 1, "copier-01"),
            lambda: devices.rotate(tx, umbra, 1),
            lambda: devices.retire(tx, umbra, 1),
            lambda: devices.register(tx, umbra, [NewDevice(1, "new", 1)], NOW),
            lambda: slots.get(tx, umbra, 1),
            lambda: price_lists.list_price_lists(tx, umbra, 1),
            lambda: price_lists.put(tx, umbra, 1, 1, "list", "EUR", []),
        ):
            with pytest.raises(NotFound, match="there is no"):
                look()
        assert [one.name for one in accounts.list_accounts(tx, umbra)] == ["umbra"]
        assert {one.account_id for one in sites.list_sites(tx, umbra)} == {2}
        assert {one.account_id for one in devices.list_devices(tx, umbra)} == {2}
        assert {one.account_id for one in slots.list_slots(tx, umbra)} == {2}
        assert devices.list_devices(tx, Scope()) == []


def test_pages_go_on_after_an_id(fleet: Ledger) -> None:
    with fleet.read() as tx:
        whole = devices.list_devices(tx, EVERYTHING)
        first = devices.list_devices(tx, EVERYTHING, limit=2)
        assert first + devices.list_devices(tx, EVERYTHING, after=first[-1].id) == whole


def test_the_mode_of_a_sku_is_a_fact(fleet: Ledger) -> None:
    (fact,) = facts_of(fleet, lambda tx: accounts.set_product_mode(tx, EVERYTHING, 1, 2, Mode.ASK))
    assert fact == AccountProductFact(version=1, account=1, product=2, mode=Mode.ASK)


def test_sites_with_the_same_week_share_a_calendar(fleet: Ledger) -> None:
    spec = CalendarSpec("Europe/Berlin", holidays=())
    first = facts_of(fleet, lambda tx: sites.create(tx, EVERYTHING, 1, "one", spec, NOW))
    second = facts_of(fleet, lambda tx: sites.create(tx, EVERYTHING, 1, "two", spec, NOW))
    assert [type(fact) for fact in first] == [CalendarFact, SiteFact]
    assert [type(fact) for fact in second] == [SiteFact]
    assert second[0].calendar == first[0].calendar


def test_a_calendar_covers_a_year_back_and_ten_ahead(fleet: Ledger) -> None:
    spec = CalendarSpec("America/Chicago")
    (fact, _) = facts_of(fleet, lambda tx: sites.create(tx, EVERYTHING, 1, "ny", spec, NOW))
    starts = np.frombuffer(fact.starts, "<i8")
    weights, opened = np.frombuffer(fact.weights, "<f4"), np.frombuffer(fact.open_days, "u1")
    assert len(starts) - 1 == len(weights) == len(opened)
    assert starts[0] <= NOW - 365 * DAY
    assert starts[-1] >= NOW + 12 * 365 * DAY
    assert set(np.unique(weights)) == {np.float32(1), np.float32(0.1)}
    assert facts_of(fleet, lambda tx: calendars.extend(tx, NOW + 365 * DAY)) == []
    assert {type(fact) for fact in facts_of(fleet, lambda tx: calendars.extend(tx, NOW + 11 * 365 * DAY))} == {
        CalendarFact
    }


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata"])
def test_a_calendar_says_which_local_day_is_its_first(fleet: Ledger, zone: str) -> None:
    (fact, _) = facts_of(fleet, lambda tx: sites.create(tx, EVERYTHING, 1, "far", CalendarSpec(zone), NOW))
    begins = datetime.fromtimestamp(int(np.frombuffer(fact.starts, "<i8")[0]) / 1000, ZoneInfo(zone))
    assert begins.time() == time(0)
    assert fact.first_day == (begins.date() - date(1970, 1, 1)).days


def test_a_site_keeps_its_shard_when_it_changes(fleet: Ledger) -> None:
    with fleet.read() as tx:
        before = sites.get(tx, EVERYTHING, 1)
    new = CalendarSpec("Asia/Tokyo")
    kinds = [type(fact) for fact in facts_of(fleet, lambda tx: sites.change(tx, EVERYTHING, 1, NOW, calendar=new))]
    assert kinds == [CalendarFact, SiteFact]
    with fleet.read() as tx:
        after = sites.get(tx, EVERYTHING, 1)
    assert (after.shard, after.time_zone) == (before.shard, "Asia/Tokyo")
    assert before.shard == sites.shard_of("acme")
    assert sites.shard_of("acme", "a") != sites.shard_of("acme", "b")


def test_a_new_cut_off_goes_out_with_the_lanes(fleet: Ledger) -> None:
    change = {"channel": "webhook", "url": "http://127.0.0.1:1/x", "secret": "s", "cutoff_ms": 7_200_000}
    facts = facts_of(fleet, lambda tx: suppliers.ensure(tx, "papierwerk", NOW, **change))
    assert {type(fact) for fact in facts} == {LaneFact}
    assert {fact.cutoff_ms for fact in facts} == {7_200_000}
    assert len(facts) == 3


def test_a_lead_grid_is_sixteen_quantiles() -> None:
    assert offers.lead_grid([3]) == [3 * DAY] * 16
    spread = offers.lead_grid(list(range(16)))
    assert spread == [day * DAY for day in range(16)]
    assert offers.lead_grid([4, 2]) == sorted(offers.lead_grid([2, 4]))
    with pytest.raises(Invalid):
        offers.lead_grid([])


def test_offers_and_price_lists_are_kept_exactly(fleet: Ledger) -> None:
    with fleet.write() as tx:
        toner = products.find(tx, "TN-K")
        (offer,) = offers.list_offers(tx, product_id=toner.id)
        assert (offer.price, offers.breaks_of(tx, offer.id)) == (Decimal("54.9"), {10: Decimal("49.9")})
        prices = [Price(toner.id, 1, Decimal("50.0001")), Price(toner.id, 5, Decimal(48))]
        made = price_lists.put(tx, EVERYTHING, 1, offer.supplier_id, "2026", "EUR", prices)
        assert price_lists.prices_of(tx, Scope.of(1), made.id) == prices
        with pytest.raises(NotFound):
            price_lists.prices_of(tx, Scope.of(2), made.id)
        again = price_lists.put(tx, EVERYTHING, 1, offer.supplier_id, "2026", "EUR", prices[:1])
        assert again.id == made.id
        assert price_lists.prices_of(tx, EVERYTHING, made.id) == prices[:1]


def test_a_rotated_credential_reaches_the_gateway(fleet: Ledger) -> None:
    directory = LedgerDirectory(fleet)
    version, before = directory.changes(0)
    with fleet.write() as tx:
        issued = devices.rotate(tx, EVERYTHING, 1)
    version, changed = directory.changes(version)
    assert [one.device_id for one in changed] == [1]
    assert changed[0].credential != before[0].credential
    assert changed[0].version == version
    assert len(issued.token) == 43
    assert directory.changes(version) == (version, [])


def test_a_board_is_replaced_in_its_place(fleet: Ledger) -> None:
    """Slots, and with them cycles, history and cover, stay; only who may speak for them changes."""
    with fleet.read() as tx:
        before = slots.list_slots(tx, EVERYTHING, device_id=1)
        old = LedgerDirectory(fleet).numbered(1)
    issued: list[Any] = []
    assert facts_of(fleet, lambda tx: issued.append(devices.replace(tx, EVERYTHING, 1, "board-2", None, NOW))) == []
    with fleet.read() as tx:
        assert slots.list_slots(tx, EVERYTHING, device_id=1) == before
    new = LedgerDirectory(fleet).numbered(1)
    assert (new.device, new.slots, new.version > old.version) == ("board-2", old.slots, True)
    assert new.credential == hashlib.sha256(issued[0].token.encode()).digest()
    assert LedgerDirectory(fleet).lookup(old.account, old.device) is None


def test_another_model_in_the_same_place_keeps_the_slots_that_it_has(fleet: Ledger) -> None:
    with fleet.write() as tx:
        template = device_models.get(tx, devices.get(tx, EVERYTHING, 1).model_id)
        kept, lost = template.slots[0], template.slots[1:]
        assert lost
        smaller = device_models.ensure(tx, "smaller", (), [msgspec.structs.replace(kept, capacity=77.0)], NOW)
        before = {s.name: s.id for s in slots.list_slots(tx, EVERYTHING, device_id=1)}
    facts = facts_of(fleet, lambda tx: devices.replace(tx, EVERYTHING, 1, "smaller-1", smaller.id, NOW))
    told = {fact.slot: fact for fact in facts if isinstance(fact, SlotFact)}
    assert told[before[kept.name]].capacity == 77.0
    assert all(told[before[one.name]].retired for one in lost)
    assert any(isinstance(fact, DeviceFact) for fact in facts)
    assert LedgerDirectory(fleet).numbered(1).slots.keys() == {kept.name}
    with fleet.write() as tx:
        devices.replace(tx, EVERYTHING, 1, "back", template.id, NOW)
    assert {name: one.slot for name, one in LedgerDirectory(fleet).numbered(1).slots.items()} == before


def test_a_replacement_takes_no_name_of_another_and_none_of_the_retired_comes_back(fleet: Ledger) -> None:
    with fleet.write() as tx:
        taken = devices.get(tx, EVERYTHING, 2)
        with pytest.raises(Taken, match=taken.name):
            devices.replace(tx, EVERYTHING, 1, taken.name, None, NOW)
        devices.retire(tx, EVERYTHING, 1)
        with pytest.raises(Invalid, match="retired"):
            devices.replace(tx, EVERYTHING, 1, "again", None, NOW)


def test_a_retired_device_is_told_to_all(fleet: Ledger) -> None:
    facts = facts_of(fleet, lambda tx: devices.retire(tx, EVERYTHING, 1))
    assert [type(fact) for fact in facts] == [SlotFact, SlotFact, DeviceFact]
    assert all(fact.retired for fact in facts)
    assert facts_of(fleet, lambda tx: devices.retire(tx, EVERYTHING, 1)) == []
    found = LedgerDirectory(fleet).lookup("acme", "copier-01")
    assert found is not None
    assert found.retired
    with fleet.write() as tx, pytest.raises(Invalid, match="retired"):
        devices.rotate(tx, EVERYTHING, 1)


def test_the_directory_resolves_names(fleet: Ledger) -> None:
    directory = LedgerDirectory(fleet)
    found = directory.lookup("acme", "copier-01")
    assert found is not None
    assert (found.account, found.device, found.counters, found.ready) == ("acme", "copier-01", ("pages",), False)
    assert {name: slot.capacity for name, slot in found.slots.items()} == {"black": 12000.0, "drum": 60000.0}
    assert directory.lookup("umbra", "coffee-01") is None
    assert directory.lookup("nobody", "copier-01") is None


def test_an_unmapped_supply_gets_a_slot_that_is_never_ordered_for(fleet: Ledger) -> None:
    version, _ = LedgerDirectory(fleet).changes(0)
    (fact,) = facts_of(fleet, lambda tx: add_unmapped(tx, 1, "magenta", NOW))
    assert (fact.name, fact.product, fact.lane, fact.slot_class) == ("magenta", 0, 0, 0)
    _, changed = LedgerDirectory(fleet).changes(version)
    assert {name: slot.mapped for name, slot in changed[0].slots.items()} == {
        "black": True,
        "drum": True,
        "magenta": False,
    }
    assert facts_of(fleet, lambda tx: add_unmapped(tx, 1, "magenta", NOW)) == []
    assert facts_of(fleet, lambda tx: add_unmapped(tx, 99, "magenta", NOW)) == []
    assert facts_of(fleet, lambda tx: add_unmapped(tx, 1, "a/b", NOW)) == []
    with fleet.write() as tx:
        made = [add_unmapped(tx, 1, f"n{number}", NOW) for number in range(MAX_UNMAPPED + 5)]
    assert sum(one is not None for one in made) == MAX_UNMAPPED - 1


def test_an_unmapped_slot_becomes_mapped(fleet: Ledger) -> None:
    facts_of(fleet, lambda tx: add_unmapped(tx, 1, "waste", NOW))
    content = fleet_content()
    content["device_models"][0]["slots"].append({"name": "waste", "capacity": 100, "ascending": True})
    apply_fleet(fleet, parse_fleet(content), NOW)
    with fleet.read() as tx:
        (slot,) = [one for one in slots.list_slots(tx, EVERYTHING, device_id=1) if one.name == "waste"]
    assert slot.model_slot_id is not None
    assert slot.ascending
    assert LedgerDirectory(fleet).numbered(1).slots["waste"].mapped
