"""The books themselves are tested by corrupting what they check: each rule must go red."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from ledger import books, stock
from ledger import tables as t
from ledger.change import Change


def findings(world: Any) -> list[str]:
    with world.ledger.read() as tx:
        return [finding.rule for finding in books.check(tx)]


@pytest.fixture
def busy(world: Any) -> Any:
    """One need delivered, one under way, one proposed."""
    world.change(t.account, monthly_budget=Decimal(500))
    number = world.placed(world.need(world.slots[0]))
    world.orders.deliver(world.scope, number, {1: 2}, by="bob", now=world.now)
    world.placed(world.need(world.slots[1]))
    world.proposed(world.need(world.slots[2]))
    assert findings(world) == []
    return world


@pytest.mark.parametrize(
    ("corruption", "rule"),
    [
        ("UPDATE need SET order_line_id = NULL WHERE id = 1", "a line without a need or a person"),
        ("UPDATE order_line SET live = FALSE WHERE id = 3", "an open need that no live line answers"),
        ("UPDATE orders SET state = 'cancelled' WHERE id = 2", "an open need on an order that has ended"),
        (
            "UPDATE purchase_order_line SET delivered = 7 WHERE id = 2",
            "ordered is not delivered + under way + cancelled + lost",
        ),
        ("UPDATE order_line SET delivered = 3 WHERE id = 1", "the buyer's line and the supplier's differ"),
        ("DELETE FROM stock_movement", "a delivered line and the shelf's movements differ"),
        ("UPDATE stock SET on_hand = 5", "spares are not the sum of their movements"),
        ("UPDATE stock SET on_hand = -1", "spares below zero"),
        ("UPDATE budget SET reserved = 0", "a budget's reservations are not those of its lines"),
        ("UPDATE orders SET total = 10000 WHERE id = 3", "an order's total is not that of its lines"),
    ],
)
def test_a_corruption_is_found(busy: Any, corruption: str, rule: str) -> None:
    with busy.ledger.write() as tx:
        tx.execute(text(corruption))
    assert rule in findings(busy)


def test_a_second_open_need_of_a_slot_is_found(busy: Any) -> None:
    with busy.ledger.write() as tx:
        tx.execute(text("DROP INDEX uq_need_open"))
        tx.execute(t.need.update().where(t.need.c.id == 3).values(slot_id=busy.slots[1], cycle=9))
    assert "more than one open need for a slot" in findings(busy)


def test_a_finding_names_where(busy: Any) -> None:
    with busy.ledger.write() as tx:
        tx.execute(text("UPDATE stock SET on_hand = -1"))
        found = {finding.rule: str(finding) for finding in books.check(tx)}
    assert found["spares below zero"] == f"spares below zero: site/product {busy.site}/{busy.toner}"


def test_many_uneven_uses_add_up_to_the_shelf(busy: Any) -> None:
    with busy.ledger.write() as tx:
        change = Change(tx, busy.now, "test")
        for n in range(200):
            stock.add(change, busy.site, busy.beans, 1.0, "counted", f"test/{n}")
            stock.use(change, busy.site, busy.beans, 0.1234567 + n / 997, f"test/used/{n}")
    assert findings(busy) == []
