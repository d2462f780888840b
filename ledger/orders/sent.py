"""What the verbs on sent orders share: the purchase order's lines with their books, and what follows from a change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, func, select, update

from ledger import budget
from ledger.change import Change
from ledger.orders import book
from ledger.scope import NotFound, Scope
from ledger.tables import need, order, order_line, purchase_order, purchase_order_line
from models.facts import NeedState
from models.orders import Event, LineBooks, OrderState, state_of
from models.stores import StoreError

EPSILON = 1e-6
"""Of units: four quarters are one."""

SUPPLIER_TASKS = ("supplier_silent", "overdue", "cancel_requested", "unsent")


class NoSuchLine(StoreError, LookupError):
    """The purchase order has no line of that number."""


@dataclass(slots=True)
class Line:
    row: Any  # of purchase_order_line
    pack: int
    site_id: int
    product_id: int
    books: LineBooks


@dataclass(slots=True)
class Sent:
    """A locked order with its purchase order."""

    order: Row[Any]
    number: int  # of the purchase order
    lines: dict[int, Line]

    def line(self, number: int) -> Line:
        if number not in self.lines:
            known = ", ".join(map(str, self.lines))
            raise NoSuchLine(f"purchase order {self.number} has no line {number}: it has {known}")
        return self.lines[number]


def find(change: Change, scope: Scope, number: int, supplier_id: int | None = None) -> Sent:
    """By the purchase order's id. A supplier sees only its own, and none of a sandbox. Raises NotFound."""
    mine = scope.where(purchase_order.c.account_id)
    query = select(purchase_order.c.order_id).where(purchase_order.c.id == number, mine)
    if supplier_id is not None:
        query = query.join(order, order.c.id == purchase_order.c.order_id)
        query = query.where(purchase_order.c.supplier_id == supplier_id, ~order.c.sandbox)
    order_id = change.tx.scalar(query)
    if order_id is None:
        raise NotFound(f"there is no purchase order {number}")
    return _load(change, order_id, number)


def of_order(change: Change, order_id: int) -> Sent:
    number = change.tx.execute(select(purchase_order.c.id).where(purchase_order.c.order_id == order_id)).scalar_one()
    return _load(change, order_id, number)


def _load(change: Change, order_id: int, number: int) -> Sent:
    bought = book.lock(change, order_id)
    rows = change.tx.execute(
        select(purchase_order_line, order_line.c.pack, order_line.c.site_id)
        .join(order_line, order_line.c.id == purchase_order_line.c.order_line_id)
        .where(purchase_order_line.c.purchase_order_id == number)
        .order_by(purchase_order_line.c.line)
    )
    lines = {row.line: Line(row, row.pack, row.site_id, row.product_id, _books(row)) for row in rows}
    return Sent(bought, number, lines)


def _books(row: Row[Any]) -> LineBooks:
    return LineBooks(
        quantity=row.quantity,
        accepted=row.accepted,
        refused=row.refused,
        shipped=row.shipped,
        delivered=row.delivered,
        cancelled=row.cancelled,
        lost=row.lost,
        over=row.over,
    )


def save(change: Change, line: Line, after: LineBooks, *, otherwise: NeedState, reason: str = "") -> None:
    """Write a line's new books, the money and the needs that follow; `otherwise`: what becomes of needs not covered."""
    before, line.books = line.books, after
    change.tx.execute(
        update(purchase_order_line)
        .where(purchase_order_line.c.id == line.row.id)
        .values(
            accepted=after.accepted,
            refused=after.refused,
            shipped=after.shipped,
            delivered=after.delivered,
            cancelled=after.cancelled,
            lost=after.lost,
            over=after.over,
            state=after.state,
            **({"reason": reason} if reason else {}),
        )
    )
    bought = change.tx.execute(
        update(order_line)
        .where(order_line.c.id == line.row.order_line_id)
        .values(
            state=after.state,
            live=after.under_way > 0,
            delivered=float(after.delivered * line.pack),
            cancelled=float((after.cancelled + after.lost) * line.pack),
            **({"reason": reason} if reason else {}),
        )
        .returning(order_line)
    ).one()
    _money(change, bought, before, after)
    _needs(change, bought, after, otherwise, reason)
    change.cover_changed(line.site_id, line.product_id)


def _money(change: Change, bought: Row[Any], before: LineBooks, after: LineBooks) -> None:
    """What came is spent; what will not come is free again."""
    if bought.budget_id is None:
        return
    owed = bought.unit_price * (after.delivered - before.delivered)
    freed = min(owed, bought.reserved)
    if owed:
        budget.spend(change.tx, bought.budget_id, freed, owed)
    left: Decimal = bought.reserved - freed
    keep = min(left, bought.unit_price * after.under_way)
    if left > keep:
        budget.reserve(change.tx, bought.budget_id, keep - left)
    change.tx.execute(update(order_line).where(order_line.c.id == bought.id).values(reserved=keep))


def _needs(change: Change, bought: Row[Any], after: LineBooks, otherwise: NeedState, reason: str) -> None:
    """The most pressing need gets what came first; one that nothing under way can cover any more ends."""
    mine = (need.c.order_line_id == bought.id, need.c.state == NeedState.MET)
    used = change.tx.scalar(select(func.sum(need.c.units)).where(*mine)) or 0.0
    here = after.delivered * bought.pack - used
    coming = here + after.under_way * bought.pack
    for row in book.open_needs(change, line_id=bought.id):
        coming -= row.units
        if here >= row.units - EPSILON:
            here -= row.units
            book.settle(change, [row], NeedState.MET, "delivered")
        elif coming < -EPSILON:
            coming += row.units
            book.settle(change, [row], otherwise, reason)


def move(change: Change, sent: Sent, event: Event, *, text: str = "", **columns: Any) -> OrderState:
    """The order goes to where its lines are, or to where the table says; at its end the clock leaves it alone."""
    state = state_of(line.books.state for line in sent.lines.values())
    if all(line.books.under_way == 0 for line in sent.lines.values()):
        columns |= {"due_at": None, "due_for": "", "overdue": False}
        change.close_tasks(f"order/{sent.order.id}", *SUPPLIER_TASKS)
    book.move(change, sent.order, event, then=state, text=text, **columns)
    sent.order = book.lock(change, sent.order.id)
    change.tx.execute(
        update(purchase_order)
        .where(purchase_order.c.id == sent.number)
        .values(state=sent.order.state, version=purchase_order.c.version + 1)
    )
    return OrderState(sent.order.state)


def under_way(lines: Iterable[Line]) -> Sequence[Line]:
    return [line for line in lines if line.books.under_way > 0]
