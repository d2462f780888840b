"""The supplier ships a quantity: it is on its way, and still counts as on order."""

from collections.abc import Mapping
from uuid import uuid4

from ledger.change import Change
from ledger.engine import insert_new
from ledger.orders import sent
from ledger.scope import Scope
from ledger.tables import delivery
from models.facts import NeedState
from models.orders import Event, OrderState


def ship(
    change: Change,
    scope: Scope,
    number: int,
    quantities: Mapping[int, int],
    *,
    key: str = "",
    supplier_id: int | None = None,
) -> OrderState:
    """Packs by line of purchase order `number`. A call with the same `key` changes nothing the second time.

    Raises NotFound, NoSuchLine, ImplausibleQuantity, NotAllowed: nothing was written."""
    goods = sent.find(change, scope, number, supplier_id)
    key = key or uuid4().hex
    changed = False
    for line_number, packs in quantities.items():
        line = goods.line(line_number)
        row = {"purchase_order_line_id": line.row.id, "kind": "shipped", "quantity": packs, "by": change.by}
        row |= {"ts": change.now, "key": f"shipped/{number}/{line_number}/{key}"}
        if insert_new(change.tx, delivery, row):
            sent.save(change, line, line.books.ship(packs), otherwise=NeedState.FAILED)
            changed = True
    if not changed:
        return OrderState(goods.order.state)
    change.close_tasks(f"order/{goods.order.id}", "supplier_silent", "cancel_requested")
    late = {} if goods.order.overdue else {"due_at": goods.order.overdue_at, "due_for": "overdue"}
    return sent.move(change, goods, Event.SHIPPED, **late)
