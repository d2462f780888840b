"""A person says that goods are lost: the needs that they were for are opened again by `step`."""

from collections.abc import Collection

from ledger.change import Change
from ledger.orders import book, sent
from ledger.scope import Scope
from models.facts import NeedState
from models.orders import Event, OrderState, row_of


def lost(change: Change, scope: Scope, order_id: int, lines: Collection[int] = (), reason: str = "") -> OrderState:
    """All that is still under way, or that of some lines. Said again it changes nothing. Raises NotFound, NoSuchLine,
    NotAllowed."""
    row = book.find(change, scope, order_id)
    if row.placed_at is None:
        row_of(OrderState(row.state), Event.LOST)
    goods = sent.of_order(change, order_id)
    chosen = [goods.line(number) for number in lines] or goods.lines.values()
    gone = sent.under_way(chosen)
    if not gone:
        return OrderState(goods.order.state)
    for line in gone:
        sent.save(change, line, line.books.lose(), otherwise=NeedState.FAILED, reason=reason or "lost")
    return sent.move(change, goods, Event.LOST, text=reason)
