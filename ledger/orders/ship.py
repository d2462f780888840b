"""The supplier ships a quantity: it is on its way, and still counts as on order."""

from collections.abc import Mapping
from functools import partial

from ledger.change import Change
from ledger.orders import movements, sent
from ledger.orders.sent import Line
from ledger.scope import Scope
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
    """Packs by line of purchase order `number`. A call with the same `key` changes nothing the second time, and one
    about goods that have come already (a refill or the receiver was faster than the supplier's word) is only noted.

    Raises NotFound, NoSuchLine, ImplausibleQuantity, NotAllowed: nothing was written."""
    goods = sent.find(change, scope, number, supplier_id)
    if not movements.by_line(goods, "shipped", quantities, key, partial(_leave, change)):
        return OrderState(goods.order.state)
    change.close_tasks(f"order/{goods.order.id}", "supplier_silent", "cancel_requested")
    late = {} if goods.order.overdue else {"due_at": goods.order.overdue_at, "due_for": "overdue"}
    return sent.move(change, goods, Event.SHIPPED, **late)


def _leave(change: Change, line: Line, packs: int, key: str) -> bool:
    """Whether anything was new."""
    known = min(packs, line.books.shipped - movements.total(change, line, "shipped", "announced"))
    if known and not movements.record(change, line, "announced", known, f"{key}/announced"):
        return False
    if known == packs or not movements.record(change, line, "shipped", packs - known, key):
        return False
    sent.save(change, line, line.books.ship(packs - known), otherwise=NeedState.FAILED)
    return True
