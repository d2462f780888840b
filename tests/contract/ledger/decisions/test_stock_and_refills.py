"""Refills, counts, and goods that came before anybody said so."""

from typing import Any

import pytest

from ledger import books
from ledger import tables as t
from models.effects import Counted, RefillKind, RefillSeen, RequestAnswered
from models.facts import NeedState
from models.orders import NotAllowed, OrderState
from models.units import DAY, HOUR


def refill(slot: int, cycle: int = 1, units: float = 1.0, **more: Any) -> RefillSeen:
    values: dict[str, Any] = {"kind": RefillKind.NEW, "ts": 5, "boot": (1 << 64) - 1, "seq": 7, "level_before": 3.0}
    values |= {"level_after": 100.0, "empty_since": 0, "why": "the level rose by 97 %"}
    return RefillSeen(slot=slot, cycle=cycle, units=units, **(values | more))


def counted(world: Any, units: float, number: int = 1) -> Counted:
    return Counted(f"count-{number}", world.site, world.toner, units, "anna")


def balanced(world: Any) -> bool:
    with world.ledger.read() as tx:
        return books.check(tx) == []


def test_a_refill_takes_a_unit_from_the_shelf_once(world: Any) -> None:
    world.apply(counted(world, 3))
    world.apply(refill(world.slots[0]))
    world.apply(refill(world.slots[0]))
    assert world.cover() == (2, 0)
    [row] = world.rows(t.refill)
    assert (row.cycle, row.boot, row.empty_since) == (1, (1 << 64) - 1, 0)
    assert balanced(world)


@pytest.mark.parametrize(("empty_since", "word"), [(0, "met"), (99, "missed")])
def test_an_empty_that_was_met_or_missed_is_told(world: Any, empty_since: int, word: str) -> None:
    world.apply(refill(world.slots[0], units=0.0, empty_since=empty_since))
    assert world.last(t.event, t.event.c.kind == "slot.refilled").data["empty"] == word


def test_a_unit_that_the_books_do_not_have_is_a_task_never_below_zero(world: Any) -> None:
    world.apply(refill(world.slots[0]))
    assert world.cover() == (0, 0)
    assert world.last(t.stock_movement).discrepancy == 1
    [task] = world.rows(t.task)
    assert (task.kind, task.state) == ("discrepancy", "open")
    world.apply(counted(world, 4))
    assert world.last(t.task).state == "done"
    assert balanced(world)


def test_before_goods_can_have_come_a_refill_infers_nothing(world: Any) -> None:
    world.placed()
    world.apply(refill(world.slots[0]))
    assert world.states() == ([OrderState.PLACED], [NeedState.OPEN])
    assert world.cover() == (0, 1)


def test_a_refill_at_zero_spares_infers_a_delivery_that_is_plausible(world: Any) -> None:
    number = world.placed(world.need(world.slots[0]), world.need(world.slots[1]))
    world.apply(refill(world.slots[0]), after=DAY)
    assert world.states() == ([OrderState.PART_DELIVERED], [NeedState.MET, NeedState.OPEN])
    assert world.cover() == (0, 1)
    assert [row.kind for row in world.rows(t.delivery)] == ["inferred"]
    assert not world.rows(t.task)
    # the receiver books both later: the one that a refill had shown is not counted twice
    for _ in range(2):
        world.orders.deliver(world.scope, number, {1: 2}, by="bob", now=world.now, key="k")
    assert world.states() == ([OrderState.DELIVERED], [NeedState.MET, NeedState.MET])
    assert world.cover() == (1, 0)
    assert balanced(world)


def test_a_supplier_who_tells_late_of_goods_that_a_refill_has_shown_is_only_noted(world: Any) -> None:
    number = world.placed(world.need(world.slots[0]), world.need(world.slots[1]))
    world.apply(refill(world.slots[0]), after=DAY)  # one of two came: inferred
    for _ in range(2):
        world.orders.ship(world.scope, number, {1: 2}, by="supplier", now=world.now, key="k")
    assert [(row.kind, row.quantity) for row in world.rows(t.delivery)] == [
        ("inferred", 1), ("announced", 1), ("shipped", 1),
    ]  # fmt: skip
    world.orders.deliver(world.scope, number, {1: 2}, by="supplier", now=world.now)
    assert world.states() == ([OrderState.DELIVERED], [NeedState.MET, NeedState.MET])
    with pytest.raises(NotAllowed):  # a third of two
        world.orders.ship(world.scope, number, {1: 1}, by="supplier", now=world.now)
    assert balanced(world)


def test_a_shipment_makes_an_arrival_plausible(world: Any) -> None:
    number = world.placed()
    world.orders.ship(world.scope, number, {1: 1}, by="supplier", now=world.now)
    world.apply(refill(world.slots[0]), after=HOUR)
    assert world.states() == ([OrderState.DELIVERED], [NeedState.MET])


def test_a_top_up_takes_a_part_of_a_unit(world: Any) -> None:
    number = world.placed(world.need(world.hopper))
    world.orders.deliver(world.scope, number, {1: 1}, by="bob", now=world.now)
    world.apply(refill(world.hopper, units=0.83, kind=RefillKind.TOPUP))
    assert world.cover(world.beans) == (pytest.approx(1.17), 0)
    assert balanced(world)


def test_a_count_is_audited_and_repeats_nothing(world: Any) -> None:
    world.apply(counted(world, 3))
    world.apply(counted(world, 3))
    world.apply(counted(world, 1, number=2))
    assert [(x.before, x.after, x.by) for x in world.rows(t.audit)] == [
        ({"units": 0.0}, {"units": 3}, "anna"),
        ({"units": 3.0}, {"units": 1}, "anna"),
    ]
    assert world.cover() == (1, 0)
    assert balanced(world)


def ask(world: Any, kind: str, **body: Any) -> str:
    with world.ledger.write() as tx:
        home = {"account_id": world.account, "site_id": world.site, "slot_id": world.slots[0]}
        tx.execute(t.request.insert().values(id="r1", kind=kind, by="anna", body=body, created=1, **home))
    return "r1"


def test_an_answer_is_kept_once(world: Any) -> None:
    ask(world, "reorder")
    world.apply(RequestAnswered("r1", "need", "", world.slots[0], 1, 1))
    world.apply(RequestAnswered("r1", "guarded", "again", world.slots[0], 1, 1))
    row = world.last(t.request)
    assert (row.outcome, row.cycle, row.attempt, row.answered) == ("need", 1, 1, world.now - 0)
    world.apply(RequestAnswered("from-nowhere", "need", ""))


def test_a_reversed_refill_gives_its_unit_back(world: Any) -> None:
    world.apply(counted(world, 2))
    world.apply(refill(world.slots[0]))
    ask(world, "reverse", cycle=1)
    for _ in range(2):
        world.apply(RequestAnswered("r1", "reversed", "", world.slots[0], 1))
    assert world.cover() == (2, 0)
    assert world.last(t.refill).reversed_by == "anna"
    assert balanced(world)
