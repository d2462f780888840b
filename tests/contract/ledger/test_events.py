"""Events in order and by scope; listening time counted once; what devices are told of their orders."""

from ledger import events
from ledger.downlink import LedgerDownlink
from ledger.engine import Ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.listening import listened, report
from ledger.registry import accounts
from ledger.scope import Scope
from ledger.tables import need
from models.facts import NeedState
from models.units import DAY, SECOND

from .world import NOW, fleet_content


def test_events_are_read_after_an_id_by_scope(ledger: Ledger) -> None:
    with ledger.write() as tx:
        for name in ("acme", "umbra"):
            accounts.create(tx, name, "EUR", NOW)
        for number, account in enumerate((1, 2, None, 1)):
            events.append(tx, account, "order.placed", f"order/{number}", {"n": number}, NOW + number)
    with ledger.read() as tx:
        everything = events.read(tx, Scope.all(), after=0)
        assert [one.subject for one in everything] == [f"order/{number}" for number in range(4)]
        assert events.read(tx, Scope.all(), after=everything[1].id) == everything[2:]
        assert [one.data["n"] for one in events.read(tx, Scope.of(1), after=0)] == [0, 3]
        assert events.read(tx, Scope.of(1), after=0, account_id=2) == []
        assert [one.id for one in events.read(tx, Scope.all(), after=0, subject="order/3")] == [events.last_id(tx)]


def test_old_events_go_and_their_ids_never_come_again(ledger: Ledger) -> None:
    with ledger.write() as tx:
        for number in range(3):
            events.append(tx, None, "x", "y", {}, NOW + number)
        last = events.last_id(tx)
        assert events.expire(tx, NOW + 2) == 2
        assert events.first_id(tx) == last
        assert events.expire(tx, NOW + DAY) == 1
        events.append(tx, None, "x", "y", {}, NOW)
        assert events.last_id(tx) == last + 1


def test_listening_time_is_counted_once(ledger: Ledger) -> None:
    def hear(gateway: str, now: int, accepted: int) -> int:
        with ledger.write() as tx:
            report(tx, gateway, NOW + now * SECOND, accepted * SECOND)
            return listened(tx) // SECOND

    with ledger.read() as tx:
        assert listened(tx) == 0
    assert hear("a", 5, 5) == 5
    assert hear("b", 6, 6) == 6  # five of them were told by a
    assert hear("a", 10, 5) == 10
    assert hear("a", 20, 2) == 12  # it stood still for eight
    assert hear("b", 15, 5) == 12  # behind what is counted


def test_a_device_hears_of_its_orders(ledger: Ledger) -> None:
    apply_fleet(ledger, parse_fleet(fleet_content()), NOW)
    downlink = LedgerDownlink(ledger)
    since, nothing = downlink.changes(-1)
    assert nothing == []
    row = {
        "uuid": "u",
        "slot_id": 1,
        "cycle": 1,
        "attempt": 1,
        "account_id": 1,
        "site_id": 1,
        "shard": 0,
        "product_id": 1,
        "units": 1.0,
        "state": NeedState.OPEN,
        "cause": 1,
        "channel": "device",
        "mode": 3,
        "deadline": NOW,
        "opened": NOW,
        "evidence": {},
    }
    with ledger.write() as tx:
        tx.execute(need.insert().values(row))
        events.append(tx, 1, "need.open", "need/1", {}, NOW)
        events.append(tx, 1, "slot.refilled", "slot/1", {}, NOW)
    (message,) = downlink.snapshot(1)
    assert (message["slot"], message["sku"], message["state"], message["order"]) == ("black", "TN-K", "open", None)
    assert message["since"] == "2026-11-18T11:06:40Z"
    assert downlink.snapshot(2) == []
    reached, changes = downlink.changes(since)
    assert changes == [(1, message)]
    assert downlink.changes(reached) == (reached, [])
    with ledger.write() as tx:
        tx.execute(need.update().values(state=NeedState.REFUSED, reason="rejected"))
        events.append(tx, 1, "need.refused", "need/1", {}, NOW)
    assert downlink.snapshot(1) == []
    ((device, message),) = downlink.changes(reached)[1]
    assert (device, message["state"], message["reason"]) == (1, "refused", "rejected")
