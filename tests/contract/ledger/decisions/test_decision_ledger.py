"""models.stores.DecisionLedger, over every database."""

import json
from typing import Any

import pytest

from ledger import tables as t
from ledger.decisions.ownership import WrongJournal
from models.facts import NeedState, StockFact
from models.orders import OrderState
from models.stores import BadEffect, Fenced, Skip
from models.units import HOUR


def test_a_need_becomes_an_approved_order_with_a_purchase_order_in_the_outbox(world: Any) -> None:
    world.apply(world.need(world.slots[0]))
    assert world.states() == ([OrderState.PROPOSED], [NeedState.OPEN])
    assert world.cover() == (0, 1)
    world.apply(after=HOUR)
    assert world.states() == ([OrderState.PLACED], [NeedState.OPEN])
    [row] = world.rows(t.outbox, t.outbox.c.kind == "purchase_order")
    sent = json.loads(row.payload)
    assert sent["lines"][0] | {"needed_by": ""} == {
        "line": 1,
        "sku": "TN-K",
        "supplier_sku": f"P-{world.toner}",
        "quantity": 1,
        "unit_price": "54.90",
        "currency": "EUR",
        "needed_by": "",
    }
    assert (sent["account"], sent["site"]) == ("acme", {"name": "hq", "address": "Main St 1"})
    assert row.target == f"supplier/{world.supplier}"


def test_a_repeated_call_changes_nothing(world: Any) -> None:
    need = world.need(world.slots[0])
    world.apply(need)
    before = len(world.rows(t.event)), len(world.rows(t.outbox))
    world.decisions.apply(world.partition, world.epoch, world.offset, world.now, [need])
    world.decisions.apply(world.partition, world.epoch, world.offset - 1, world.now, [world.need(world.slots[1])])
    assert (len(world.rows(t.event)), len(world.rows(t.outbox))) == before
    assert len(world.rows(t.need)) == 1


def test_the_same_need_in_a_later_call_changes_nothing(world: Any) -> None:
    world.apply(world.need(world.slots[0]))
    world.apply(world.need(world.slots[0]))
    assert len(world.rows(t.need)) == len(world.rows(t.order_line)) == 1
    assert world.last(t.order_line).quantity == 1


def test_an_older_epoch_is_fenced_and_writes_nothing(world: Any) -> None:
    claim = world.decisions.claim(world.partition, "other", "journal-1")
    assert claim.epoch == world.epoch + 1
    assert claim.offset == world.offset
    with pytest.raises(Fenced, match="another worker took it over"):
        world.apply(world.need(world.slots[0]))
    with pytest.raises(Fenced):
        world.decisions.skip(world.partition, world.epoch, world.now, Skip(3, -1, 0, "poison", "why", b""))
    assert not world.rows(t.need)


def test_another_journal_is_refused(world: Any) -> None:
    with pytest.raises(WrongJournal, match="belongs to journal journal-1, not journal-2"):
        world.decisions.claim(world.partition, "worker", "journal-2")


def test_a_partition_that_nobody_claimed_is_fenced(world: Any) -> None:
    with pytest.raises(Fenced, match="claim it first"):
        world.decisions.apply(0, 1, 1, world.now, [])


def test_one_bad_effect_rolls_all_back_and_is_named(world: Any) -> None:
    offset = world.offset
    with pytest.raises(BadEffect, match="no slot 999") as caught:
        world.apply(world.need(world.slots[0]), world.need(999))
    assert caught.value.index == 1
    assert not world.rows(t.need)
    assert world.decisions.claim(world.partition, "worker", "journal-1").offset == offset


def test_facts_say_through_which_offset_they_know(world: Any) -> None:
    world.apply(world.need(world.slots[0]))
    assert world.facts(StockFact)[-1].through == world.offset - 1


def test_open_needs_are_those_of_the_partition(world: Any) -> None:
    world.apply(world.need(world.slots[0]), world.need(world.slots[1], cycle=3, attempt=2))
    assert world.decisions.open_needs(world.partition) == {(world.slots[0], 1, 1), (world.slots[1], 3, 2)}
    assert world.decisions.open_needs(0) == set()


def test_what_is_due_is_known_and_fired_once(world: Any) -> None:
    world.apply(world.need(world.slots[0]))
    assert not world.decisions.has_due(world.partition, world.now + HOUR - 1)
    assert world.decisions.has_due(world.partition, world.now + HOUR)
    assert not world.decisions.has_due(0, world.now + HOUR)
    world.apply(after=HOUR)
    assert not world.decisions.has_due(world.partition, world.now)
    world.apply()
    assert len(world.rows(t.purchase_order)) == 1


def test_skipped_input_is_quarantined_once(world: Any) -> None:
    for _ in range(2):
        world.decisions.skip(world.partition, world.epoch, world.now, Skip(12, 3, 1, "poison", "it broke step", b"raw"))
    assert world.decisions.skipped(world.partition) == {(12, 3)}
    assert world.decisions.skipped(0) == frozenset()
    [row] = world.rows(t.quarantine)
    assert (row.device_id, row.code, row.raw, row.account_id) == (1, "poison", b"raw", world.account)
