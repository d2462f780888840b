"""Orders of sandbox devices: every state, and nothing of it leaves the house or touches a budget."""

from decimal import Decimal
from typing import Any

import pytest

from ledger import books
from ledger import tables as t
from ledger.registry import devices
from ledger.registry.common import Invalid
from ledger.registry.devices import NewDevice
from ledger.scope import NotFound, Scope
from ledger.views import orders as order_views
from models.facts import NeedState
from models.orders import OrderState
from models.units import DAY, HOUR

S, N = OrderState, NeedState


@pytest.fixture
def toys(world: Any) -> Any:
    """A world with a budget, in which all devices are sandboxes."""
    world.change(t.account, monthly_budget=Decimal(200))
    with world.ledger.write() as tx:
        tx.execute(t.device.update().values(sandbox=True))
    return world


def test_a_sandbox_order_goes_through_every_state_by_itself(toys: Any) -> None:
    toys.proposed()
    seen = [toys.states()[0]]
    for _ in range(60):
        toys.apply(after=6 * HOUR)
        if toys.states()[0] != seen[-1]:
            seen.append(toys.states()[0])
    assert seen == [[S.PROPOSED], [S.PLACED], [S.ACKNOWLEDGED], [S.SHIPPED], [S.DELIVERED]]
    assert toys.states()[1] == [N.MET]
    assert toys.last(t.order).due_at is None
    assert not [row for row in toys.rows(t.budget) if row.reserved or row.spent]
    assert not toys.rows(t.outbox, t.outbox.c.kind != "fact")
    assert not toys.rows(t.task)
    with toys.ledger.read() as tx:
        assert list(books.check(tx)) == []


def test_a_late_tick_finds_a_sandbox_order_delivered(toys: Any) -> None:
    toys.proposed()
    toys.apply(after=HOUR)
    toys.apply(after=90 * DAY)
    assert toys.states() == ([S.DELIVERED], [N.MET])


def test_a_cancelled_sandbox_order_is_granted_by_itself(toys: Any) -> None:
    toys.proposed()
    toys.apply(after=HOUR)
    toys.orders.cancel(toys.scope, toys.last(t.order).id, by="anna", now=toys.now)
    assert toys.states()[0] == [S.CANCEL_REQUESTED]
    toys.apply(after=90 * DAY)
    assert toys.states() == ([S.CANCELLED], [N.REFUSED])
    assert not toys.rows(t.task)


def test_a_supplier_neither_sees_nor_answers_a_sandbox_order(toys: Any) -> None:
    toys.proposed()
    toys.apply(after=HOUR)
    bought = toys.last(t.purchase_order)
    with toys.ledger.read() as tx:
        assert order_views.purchase_orders(tx, Scope.all(), supplier=bought.supplier_id) == []
        assert [one["id"] for one in order_views.purchase_orders(tx, Scope.all())] == [bought.id]
        with pytest.raises(NotFound):
            order_views.purchase_order(tx, Scope.all(), bought.id, bought.supplier_id)
    with pytest.raises(NotFound):
        toys.orders.ship(Scope.all(), bought.id, {1: 1}, by="x", now=toys.now, supplier_id=bought.supplier_id)


def test_no_real_device_joins_sandboxes_that_have_ordered(toys: Any) -> None:
    toys.proposed()
    with toys.ledger.write() as tx:
        model = tx.scalar(t.device_model.select().with_only_columns(t.device_model.c.id))
        with pytest.raises(Invalid, match="sandbox devices have ordered here"):
            devices.register(tx, Scope.all(), [NewDevice(toys.site, "real", model)], toys.now)
        devices.register(tx, Scope.all(), [NewDevice(toys.site, "toy", model, sandbox=True)], toys.now)
