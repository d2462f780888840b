"""A data error: what can be written is, in one transaction; what is to blame is set aside or answered."""

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from ledger import tables as t
from ledger.decisions import due
from ledger.decisions.apply import APPLY
from models.effects import Alert, Decision, Need, RefillKind, RefillSeen, RequestAnswered
from models.facts import NeedFact, NeedState, StockFact
from models.stores import BadEffect, Fenced, Part, Skip, Unavailable
from models.units import DAY, HOUR


def refill(slot: int, seq: int = 1, **more: Any) -> RefillSeen:
    return replace(RefillSeen(slot, seq, RefillKind.NEW, 10, 7, seq, 3.0, 100.0, 0.0, 0, "a new supply"), **more)


def bad(slot: int, seq: int = 1) -> RefillSeen:
    return refill(slot, seq, ts=1 << 70)


def blamed(part: int, decision: Decision, reason: str) -> Skip:
    """The reading of record 10 + part."""
    return Skip(10 + part, 0, 1, "bad_effect", reason, b"raw")


def nobody(*_: Any) -> None:
    return None


def salvage(world: Any, parts: Sequence[Sequence[Decision]], blame: Any, *, after: int = 0) -> Skip | None:
    """Each part's decisions came of one record from offset 10 on."""
    world.now += after
    rows = [Part(11 + n, decisions) for n, decisions in enumerate(parts)]
    return world.decisions.salvage(world.partition, world.epoch, 10 + len(parts), world.now, rows, blame)


def reached(world: Any) -> int:
    return int(world.rows(t.partition_owner, t.partition_owner.c.partition == world.partition)[0].offset)


def asked(world: Any, number: str) -> None:
    row = {"id": number, "kind": "count", "account_id": world.account, "site_id": world.site, "by": "Ann", "body": {}}
    with world.ledger.write() as tx:
        tx.execute(t.request.insert(), row | {"created": 1})


@pytest.mark.parametrize("at", [0, 1, 2])
def test_what_comes_before_a_bad_reading_is_written_and_nothing_behind_it(world: Any, at: int) -> None:
    parts = [[refill(slot)] for slot in world.slots]
    parts[at] = [world.need(world.slots[at], cycle=5), bad(world.slots[at])]
    begun = reached(world)
    skip = salvage(world, parts, blamed)
    assert skip is not None
    assert skip.offset == 10 + at
    assert [row.slot_id for row in world.rows(t.refill)] == world.slots[:at]
    assert not world.rows(t.need)  # what the same record decided before is taken back with it
    assert reached(world) == (10 + at if at else begun)
    assert world.decisions.skipped(world.partition) == {(10 + at, 0)}


def test_a_person_can_read_why(world: Any) -> None:
    salvage(world, [[bad(world.slots[0], 3)]], blamed)
    [row] = world.rows(t.quarantine)
    what = f"the refill of slot {world.slots[0]} that closed cycle 3 could not be written: a value is out of range ("
    assert row.reason.startswith(what)
    assert (row.code, row.raw, row.source) == ("bad_effect", b"raw", f"record/{world.partition}/10/0")


def test_what_nobody_is_to_blame_for_is_an_alert_and_the_rest_goes_on(world: Any) -> None:
    parts = [[refill(world.slots[0]), bad(world.slots[1])], [bad(world.slots[2]), world.need(world.slots[0], cycle=2)]]
    assert salvage(world, parts, nobody) is None
    assert [row.slot_id for row in world.rows(t.refill)] == [world.slots[0]]
    assert [row.slot_id for row in world.rows(t.need)] == [world.slots[0]]
    assert [(row.code, row.subject) for row in world.rows(t.alert)] == [
        ("effect_refused", f"slot/{world.slots[1]}"),
        ("effect_refused", f"slot/{world.slots[2]}"),
    ]
    assert reached(world) == 12
    assert world.decisions.skipped(world.partition) == frozenset()


def test_a_tick_may_be_bad_before_a_reading_is(world: Any) -> None:
    parts = [[bad(world.slots[0])], [refill(world.slots[1])], [bad(world.slots[2])]]
    skip = salvage(world, parts, lambda part, *rest: None if part == 0 else blamed(part, *rest))
    assert skip is not None
    assert skip.offset == 12
    assert [row.subject for row in world.rows(t.alert)] == [f"slot/{world.slots[0]}"]
    assert [row.slot_id for row in world.rows(t.refill)] == [world.slots[1]]
    assert reached(world) == 12


def test_a_bad_need_is_answered(world: Any) -> None:
    """`step` has it open, and would wait for it for ever."""
    nothing = world.need(world.slots[0], product=999)
    salvage(world, [[nothing]], nobody)
    fact = world.facts(NeedFact)[-1]
    assert (fact.slot, fact.cycle, fact.attempt, fact.state) == (world.slots[0], 1, 1, NeedState.REFUSED)
    assert "no slot" in fact.reason


def test_a_draft_that_was_taken_back_is_not_remembered(world: Any) -> None:
    """The bad need was the first of its order; the next need begins it again, and has its money."""
    first = world.need(world.slots[0], deadline=1 << 70)
    salvage(world, [[first, world.need(world.slots[1]), world.need(world.slots[2])]], nobody)
    [bought] = world.rows(t.order)
    assert [row.slot_id for row in world.rows(t.need)] == world.slots[1:]
    assert bought.total == Decimal("109.80")
    assert world.cover() == (0, 2)


def test_facts_say_through_which_record_they_know(world: Any) -> None:
    salvage(world, [[world.need(world.slots[0])], [bad(world.slots[1])], [world.need(world.slots[2])]], blamed)
    assert [fact.through for fact in world.facts(StockFact)] == [10]


def test_a_repeated_call_changes_nothing(world: Any) -> None:
    parts = [[world.need(world.slots[0]), refill(world.slots[1])], [bad(world.slots[2])]]
    before = salvage(world, parts, blamed), len(world.rows(t.event)), len(world.rows(t.outbox))
    assert (salvage(world, parts, blamed), len(world.rows(t.event)), len(world.rows(t.outbox))) == before
    assert len(world.rows(t.quarantine)) == len(world.rows(t.order_line)) == 1


def test_what_is_due_is_fired_only_where_nothing_is_left_out(world: Any) -> None:
    world.apply(world.need(world.slots[0]))
    salvage(world, [[bad(world.slots[1])]], blamed, after=HOUR)
    assert not world.rows(t.purchase_order)
    salvage(world, [[bad(world.slots[1])]], nobody)
    assert len(world.rows(t.purchase_order)) == 1


def test_an_order_that_cannot_go_on_waits_for_a_person(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.ledger.write() as tx:
        world.add_offer(tx, world.dear, world.beans, "1", pack=2)
    stuck, other = world.proposed(world.need(world.slots[0])), world.proposed(world.need(world.hopper))
    close = due.FIRE["close"]

    def closes(change: Any, row: Any) -> None:
        close(change, row)
        if row.id == stuck:
            raise IntegrityError("INSERT", {}, sqlite3.IntegrityError("FOREIGN KEY constraint failed"))

    monkeypatch.setitem(due.FIRE, "close", closes)
    world.offset = 9
    with pytest.raises(BadEffect, match="it names something that the ledger does not know"):
        world.apply(after=HOUR)
    salvage(world, [], nobody)
    assert [row.order_id for row in world.rows(t.purchase_order)] == [other]
    [task] = world.rows(t.task, t.task.c.kind == "order_stuck")
    assert task.text.startswith(f"order {stuck} cannot go on (close): it names something")
    assert not world.decisions.has_due(world.partition, world.now)
    assert world.decisions.has_due(world.partition, world.now + DAY)


def test_who_asked_is_told_that_it_was_set_aside(world: Any) -> None:
    asked(world, "r1")
    salvage(world, [[bad(world.slots[0])]], lambda *_: Skip(10, -1, 0, "bad_effect", "it was no number", b"", "r1"))
    [row] = world.rows(t.request)
    assert (row.outcome, row.reason) == ("refused", "it was no number")


def test_a_lost_connection_is_no_data_error(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: Any) -> None:
        raise OperationalError("INSERT", {}, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setitem(APPLY, Need, lost)
    parts = [[refill(world.slots[0])], [world.need(world.slots[1])]]
    with pytest.raises(Unavailable, match="nothing was written, try again"):
        salvage(world, parts, blamed)
    with pytest.raises(Unavailable):
        world.apply(*parts[0], *parts[1])
    assert not world.rows(t.refill)
    assert world.decisions.skipped(world.partition) == frozenset()


def test_an_older_epoch_is_fenced(world: Any) -> None:
    world.decisions.claim(world.partition, "other", "journal-1")
    with pytest.raises(Fenced):
        salvage(world, [[bad(world.slots[0])]], blamed)
    assert not world.rows(t.quarantine)


@pytest.mark.parametrize(
    "one", [Alert("silent", "device/1", 1, 1 << 70, "x"), RequestAnswered("r", "need", "", 1, 1 << 70, 0)]
)
def test_decisions_of_any_kind_can_be_bad(world: Any, one: Decision) -> None:
    asked(world, "r")
    world.offset = 20
    with pytest.raises(BadEffect, match="a value is out of range"):
        world.apply(one)
    salvage(world, [[one]], nobody)
    assert [row.code for row in world.rows(t.alert)] == ["effect_refused"]
