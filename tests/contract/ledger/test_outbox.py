"""The outbox: at least once, in order per aggregate, nobody behind another's stuck row, dead letters kept."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import select

from ledger import outbox
from ledger.deliver import FOR_JOURNAL, FOR_OUTSIDE, Deliverer, deliver_once, run
from ledger.engine import Ledger, open_ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.tables import device, event, task
from ledger.tables import outbox as table
from models.outbox import Kind, OutboxRow, Rejected, Unsent, Verdict
from models.stores import Unavailable

from .world import NOW, fleet_content


class FakeSink:
    """Takes rows, but for the aggregates of which `faults` says what to raise."""

    def __init__(self) -> None:
        self.got: list[OutboxRow] = []
        self.faults: dict[str, Exception] = {}
        self.calls = 0

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        self.calls += 1
        for row in rows:
            if row.aggregate in self.faults:
                raise self.faults[row.aggregate]
        self.got += rows

    def sent(self) -> list[str]:
        return [row.key for row in self.got]


@pytest.fixture
def sink() -> FakeSink:
    return FakeSink()


def put(ledger: Ledger, kind: Kind, *rows: tuple[str, str]) -> None:
    with ledger.write() as tx:
        for aggregate, key in rows:
            outbox.put(tx, kind, aggregate, key.encode(), key=key)


def test_a_key_is_put_once(ledger: Ledger) -> None:
    with ledger.write() as tx:
        assert outbox.put(tx, Kind.REQUEST, "r", b"1", key="k")
        assert not outbox.put(tx, Kind.REQUEST, "r", b"2", key="k")


def test_facts_go_in_one_batch_in_order_and_leave_nothing(ledger: Ledger, sink: FakeSink) -> None:
    put(ledger, Kind.FACT, ("a", "a1"), ("b", "b1"), ("a", "a2"))
    assert deliver_once(ledger, {Kind.FACT: sink}, NOW) == 3
    assert sink.sent() == ["a1", "b1", "a2"]
    assert sink.calls == 1
    assert deliver_once(ledger, {Kind.FACT: sink}, NOW) == 0
    with ledger.read() as tx:
        assert tx.execute(select(table)).all() == []


def test_a_journal_that_is_away_is_tried_for_ever(ledger: Ledger, sink: FakeSink) -> None:
    put(ledger, Kind.FACT, ("a", "a1"), ("a", "a2"))
    sink.faults["a"] = Unavailable("full")
    now = NOW
    for _ in range(50):
        deliver_once(ledger, {Kind.FACT: sink}, now)
        now += FOR_JOURNAL.longest_ms
    with ledger.read() as tx:
        full = outbox.waiting(tx)
        assert full.waiting == full.retrying == 2
        assert full.dead == 0
    sink.faults.clear()
    assert deliver_once(ledger, {Kind.FACT: sink}, now) == 2
    assert sink.sent() == ["a1", "a2"]


def test_a_poison_fact_lets_the_others_pass(ledger: Ledger, sink: FakeSink) -> None:
    put(ledger, Kind.FACT, ("a", "a1"), ("b", "b1"), ("c", "c1"))
    sink.faults["b"] = Rejected("too large")
    assert deliver_once(ledger, {Kind.FACT: sink}, NOW) == 2
    assert sink.sent() == ["a1", "c1"]
    with ledger.read() as tx:
        (dead,) = outbox.list_unsettled(tx, dead=True)
    assert (dead.key, dead.verdict, dead.last_error) == ("b1", Verdict.REFUSED, "too large")


def test_no_aggregate_waits_behind_anothers_stuck_row(ledger: Ledger, sink: FakeSink) -> None:
    put(ledger, Kind.PURCHASE_ORDER, ("a", "a1"), ("a", "a2"), ("b", "b1"))
    sink.faults["a"] = Unsent("no connection")
    for _ in range(2):
        deliver_once(ledger, {Kind.PURCHASE_ORDER: sink}, NOW)
    assert sink.sent() == ["b1"]
    sink.faults.clear()
    for _ in range(2):
        deliver_once(ledger, {Kind.PURCHASE_ORDER: sink}, NOW + FOR_OUTSIDE.first_ms)
    assert sink.sent() == ["b1", "a1", "a2"]
    with ledger.read() as tx:
        assert set(tx.scalars(select(table.c.state))) == {"done"}


def test_behind_a_dead_purchase_order_its_followers_wait(ledger: Ledger, sink: FakeSink) -> None:
    put(ledger, Kind.PURCHASE_ORDER, ("a", "a1"), ("a", "a2"))
    sink.faults["a"] = Rejected("400: unknown SKU")
    deliver_once(ledger, {Kind.PURCHASE_ORDER: sink}, NOW)
    sink.faults.clear()
    assert deliver_once(ledger, {Kind.PURCHASE_ORDER: sink}, NOW) == 0
    with ledger.write() as tx:
        (dead,) = outbox.list_unsettled(tx, dead=True)
        outbox.retry_dead(tx, dead.id)
        with pytest.raises(outbox.NotDead):
            outbox.retry_dead(tx, dead.id)
    for _ in range(2):
        deliver_once(ledger, {Kind.PURCHASE_ORDER: sink}, NOW)
    assert sink.sent() == ["a1", "a2"]


@pytest.mark.parametrize(
    ("faults", "verdict"),
    [
        ([Unsent("x"), Unsent("x"), Unsent("x")], Verdict.UNSENT),
        ([Unavailable("time-out"), Unsent("x"), Unsent("x")], Verdict.UNKNOWN),
        ([Unavailable("time-out"), Rejected("404")], Verdict.UNKNOWN),  # the first attempt may have been taken
        ([Unsent("x"), Rejected("404")], Verdict.REFUSED),
    ],
)
def test_a_dead_letter_says_what_is_known(
    ledger: Ledger, sink: FakeSink, faults: list[Exception], verdict: Verdict
) -> None:
    put(ledger, Kind.PURCHASE_ORDER, ("purchase_order/7", "p"))
    now = NOW
    for fault in faults:
        sink.faults["purchase_order/7"] = fault
        deliverer = Deliverer(ledger, {Kind.PURCHASE_ORDER: sink}, max_attempts=3, real_now=lambda at=now: at)
        assert deliverer.due() == [Kind.PURCHASE_ORDER]
        deliverer.once(Kind.PURCHASE_ORDER)
        assert deliverer.due() == []
        now += FOR_OUTSIDE.longest_ms
    with ledger.read() as tx:
        (dead,) = outbox.list_unsettled(tx, dead=True)
        assert (dead.verdict, dead.attempts) == (verdict, len(faults))
        assert tx.scalars(select(task.c.kind)).all() == ["dead_letter"]
        assert tx.execute(select(event.c.kind, event.c.subject)).all() == [("outbox.dead", "purchase_order/7")]


def test_what_one_holds_the_other_leaves_until_the_lease_ends(ledger: Ledger) -> None:
    put(ledger, Kind.FACT, ("a", "a1"))
    with ledger.write() as tx:
        assert len(outbox.claim(tx, "one", [Kind.FACT], NOW, 10)) == 1
        assert outbox.claim(tx, "two", [Kind.FACT], NOW, 10) == []
    put(ledger, Kind.FACT, ("a", "a2"), ("b", "b1"))
    with ledger.write() as tx:
        assert [row.key for row in outbox.claim(tx, "two", [Kind.FACT], NOW, 10)] == ["b1"]
        assert outbox.release(tx, "one") == 1
        assert [row.key for row in outbox.claim(tx, "one", [Kind.FACT], NOW, 10)] == ["a1", "a2"]
        again = outbox.claim(tx, "two", [Kind.FACT], NOW + outbox.LEASE_MS, 10)
        assert [row.key for row in again] == ["a1", "a2", "b1"]


def test_a_device_is_ready_once_its_facts_are_delivered(ledger: Ledger, sink: FakeSink) -> None:
    apply_fleet(ledger, parse_fleet(fleet_content()), NOW)
    sink.faults["slot/1"] = Unavailable("full")
    deliver_once(ledger, {Kind.FACT: sink}, NOW)
    with ledger.read() as tx:
        assert set(tx.scalars(select(device.c.ready))) == {False}
        before = max(tx.scalars(select(device.c.change)))
    sink.faults.clear()
    deliver_once(ledger, {Kind.FACT: sink}, NOW + 60_000)
    with ledger.read() as tx:
        assert set(tx.scalars(select(device.c.ready))) == {True}
        assert min(tx.scalars(select(device.c.change))) > before


async def _until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


def test_the_role_delivers_what_comes_and_stops(url: str, sink: FakeSink) -> None:
    ledger = open_ledger(url)

    async def work() -> None:
        stop = asyncio.Event()
        role = asyncio.create_task(run(ledger, {Kind.FACT: sink, Kind.PURCHASE_ORDER: sink}, stop))
        for number in range(5):
            await asyncio.to_thread(put, ledger, Kind.FACT, ("a", f"a{number}"))
            await asyncio.to_thread(put, ledger, Kind.PURCHASE_ORDER, ("p", f"p{number}"))
            await _until(lambda seen=number: len(sink.got) == 2 * (seen + 1))
        stop.set()
        await role

    asyncio.run(work())
    ledger.close()
    assert [key for key in sink.sent() if key[0] == "a"] == [f"a{number}" for number in range(5)]
    assert [key for key in sink.sent() if key[0] == "p"] == [f"p{number}" for number in range(5)]
