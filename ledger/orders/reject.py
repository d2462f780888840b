"""A person rejects, and says why; the needs are blocked until somebody releases them."""

from ledger.change import Change
from ledger.orders import book
from ledger.orders.close_window import decide
from ledger.scope import Scope
from models.facts import NeedState
from models.orders import Event, LineState, OrderState


def reject(change: Change, scope: Scope, order_id: int, reason: str) -> OrderState:
    """Rejecting again changes nothing. Raises NotFound, NotAllowed, ValueError without a reason."""
    if not reason.strip():
        raise ValueError(f"order {order_id} was not rejected: give a reason")
    row = book.find(change, scope, order_id)
    if row.state == OrderState.REJECTED:
        return OrderState.REJECTED
    needs = book.open_needs(change, order_id=order_id)
    book.move(change, row, Event.REJECTED, text=reason, reason=reason, due_at=None, due_for="")
    decide(change, row, change.by, "rejected", reason)
    change.close_tasks(f"order/{order_id}", "approval", "approval_late")
    book.retire_lines(change, book.lines_of(change, order_id), LineState.CANCELLED)
    book.settle(change, needs, NeedState.REFUSED, f"rejected: {reason}")
    return OrderState.REJECTED
