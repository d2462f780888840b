"""The buyer cancels: at once before it is placed; afterwards the supplier is asked."""

from ledger.change import Change
from ledger.orders import book, sent
from ledger.scope import Scope
from models.facts import NeedState
from models.orders import PRE_PLACED, Event, LineState, OrderState, row_of

_SETTLED = frozenset({OrderState.CANCELLED, OrderState.CANCEL_REQUESTED})


def cancel(change: Change, scope: Scope, order_id: int, reason: str = "") -> OrderState:
    """Cancelling again changes nothing. Raises NotFound, NotAllowed."""
    row = book.find(change, scope, order_id)
    state = OrderState(row.state)
    if state in _SETTLED:
        return state
    if state not in PRE_PLACED:
        row_of(state, Event.CANCEL_ASKED)  # one that was rejected was never sent
        goods = sent.of_order(change, order_id)
        text = f"ask the supplier to cancel purchase order {goods.number}, and record the answer: {reason}"
        now = sent.move(change, goods, Event.CANCEL_ASKED, text=text, reason=reason)
        if not row.sandbox:
            change.ask_person(row.account_id, row.site_id, "cancel_requested", f"order/{order_id}", text)
        return now
    needs = book.open_needs(change, order_id=order_id)
    book.move(change, row, Event.CANCELLED, text=reason, reason=reason, due_at=None, due_for="")
    change.close_tasks(f"order/{order_id}")
    book.retire_lines(change, book.lines_of(change, order_id), LineState.CANCELLED)
    book.settle(change, needs, NeedState.REFUSED, f"cancelled: {reason}" if reason else "cancelled")
    return OrderState.CANCELLED


def answer_cancel(
    change: Change, scope: Scope, number: int, *, granted: bool, supplier_id: int | None = None
) -> OrderState:
    """The supplier's answer to the asked cancellation of a purchase order. A repeated yes changes nothing.

    Raises NotFound, NotAllowed."""
    goods = sent.find(change, scope, number, supplier_id)
    state = OrderState(goods.order.state)
    if granted and state is OrderState.CANCELLED:
        return state
    change.close_tasks(f"order/{goods.order.id}", "cancel_requested")
    if not granted:
        return sent.move(change, goods, Event.CANCEL_DENIED)
    for line in sent.under_way(goods.lines.values()):
        sent.save(change, line, line.books.cancel(), otherwise=NeedState.REFUSED, reason="cancelled")
    return sent.move(change, goods, Event.CANCEL_GRANTED)
