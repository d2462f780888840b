"""What the verbs share: find an order with its lines and needs, move it by the table, close needs, price lines."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, select, update

from ledger import audit, budget, facts
from ledger.change import Change
from ledger.clock import real_ms
from ledger.scope import NotFound, Scope
from ledger.tables import need, order, order_line
from models import orders
from models.facts import NeedState
from models.orders import Event, Guard, LineState, OrderState
from models.pricing import Quote

ZERO = Decimal(0)
MACHINES = frozenset({"step", "clock"})
"""Who changes orders without being asked to by somebody: nothing of theirs is audited, their events say it."""
NEED_WORDS = {
    NeedState.OPEN: "opened",
    NeedState.MET: "met",
    NeedState.WITHDRAWN: "withdrawn",
    NeedState.REFUSED: "refused",
    NeedState.FAILED: "failed",
}


_LOCK = select(order).where(order.c.id == bindparam("order")).with_for_update()
_KEPT = and_(order_line.c.order_id == bindparam("order"), order_line.c.state != LineState.WITHDRAWN)
_LINES = select(order_line).where(_KEPT).order_by(order_line.c.line)
_TOTAL = select(func.sum(order_line.c.amount)).where(_KEPT)


def lock(change: Change, order_id: int) -> Row[Any]:
    """The order as it is now; nobody else changes it until this transaction ends."""
    return change.tx.execute(_LOCK, {"order": order_id}).one()


def find(change: Change, scope: Scope, order_id: int) -> Row[Any]:
    """The same for a caller who may not see all. Raises NotFound."""
    mine = and_(order.c.id == order_id, scope.where(order.c.account_id))
    found = change.tx.execute(select(order).where(mine).with_for_update()).one_or_none()
    if found is None:
        raise NotFound(f"there is no order {order_id}")
    return found


def lines_of(change: Change, order_id: int) -> Sequence[Row[Any]]:
    """Without the withdrawn ones."""
    return change.tx.execute(_LINES, {"order": order_id}).all()


def open_needs(change: Change, *, order_id: int = 0, line_id: int = 0) -> Sequence[Row[Any]]:
    """Of an order or of one line, the most pressing first."""
    of: ColumnElement[bool] = order_line.c.id == line_id if line_id else order_line.c.order_id == order_id
    query = select(need).join(order_line, order_line.c.id == need.c.order_line_id)
    pressing = query.where(of, need.c.state == NeedState.OPEN).order_by(need.c.deadline, need.c.id)
    return change.tx.execute(pressing).all()


def move(
    change: Change,
    row: Row[Any],
    event: Event,
    holds: frozenset[Guard] = frozenset(),
    *,
    then: OrderState | None = None,
    text: str = "",
    **columns: Any,
) -> orders.Row:
    """Take `row` of the orders along the table of LIFECYCLE.md; `then` is for where the lines say it.

    Writes the state and `columns`, tells the event, opens the task. Raises NotAllowed: nothing was written."""
    found = orders.row_of(OrderState(row.state), event, holds)
    state = found.then or then or OrderState(row.state)
    if state is not OrderState.PROPOSED:
        change.drafts = {key: number for key, number in change.drafts.items() if number != row.id}
    values = {"state": state, "version": order.c.version + 1, "changed": change.now, **columns}
    change.tx.execute(update(order).where(order.c.id == row.id).values(values))
    subject = f"order/{row.id}"
    if change.by not in MACHINES:
        told = {"before": {"state": row.state}, "after": {"state": state, "text": text}}
        audit.record(change.tx, change.by, f"order.{event}", subject, real_ms(), account_id=row.account_id, **told)
    change.tell(row.account_id, f"order.{event}", subject, state=state, site=row.site_id, text=text)
    if found.task and not row.sandbox:
        change.ask_person(row.account_id, row.site_id, found.task, subject, text or f"order {row.id} is {found.task}")
    return found


def settle(change: Change, needs: Iterable[Row[Any]], state: NeedState, reason: str) -> None:
    """Close needs and say so to `step`."""
    for row in needs:
        closed = change.tx.execute(
            update(need)
            .where(need.c.id == row.id, need.c.state == NeedState.OPEN)
            .values(state=state, reason=reason, closed=change.now)
            .returning(need)
        ).one_or_none()
        if closed is not None:
            facts.enqueue_need(change.tx, closed)
            change.cover_changed(row.site_id, row.product_id)
            tell_need(change, closed)


def tell_need(change: Change, row: Row[Any]) -> None:
    word = NEED_WORDS[NeedState(row.state)]
    line = {} if row.order_line_id is None else {"line": row.order_line_id}
    data = {"slot": row.slot_id, "cycle": row.cycle, "attempt": row.attempt, "reason": row.reason, **line}
    change.tell(row.account_id, f"need.{word}", f"need/{row.id}", **data)


def price(change: Change, line: Row[Any], quote: Quote, units_needed: float, **more: Any) -> None:
    """Give a draft line another quantity or price. Its budget follows in `reserve`."""
    change.tx.execute(
        update(order_line)
        .where(order_line.c.id == line.id)
        .values(
            quantity=quote.quantity,
            pack=quote.terms.pack,
            units=float(quote.units),
            units_needed=units_needed,
            unit_price=quote.unit_price.amount,
            amount=quote.total.amount,
            price_break=max(1, quote.from_quantity),
            price_list_id=quote.terms.price_list or None,
            **more,
        )
    )
    change.cover_changed(line.site_id, line.product_id)


def reserve(change: Change, row: Row[Any]) -> bool:
    """Bring the reservation of every line to its amount; whether all of it is reserved. Sandboxes reserve nothing."""
    if row.sandbox:
        return True
    kept = budget.standing(change.tx, row.account_id, budget.month_of(row.created), row.cost_centre)
    if kept is None:
        return True
    complete = True
    for line in lines_of(change, row.id):
        elsewhere = line.budget_id not in {None, kept.id}
        if line.reserved == line.amount and not elsewhere:
            continue
        if elsewhere:  # the cost centre has a budget of its own by now
            give_back(change, line)
        held = ZERO if elsewhere else line.reserved
        if budget.reserve(change.tx, kept.id, line.amount - held):
            values = {"reserved": line.amount, "budget_id": kept.id}
            change.tx.execute(update(order_line).where(order_line.c.id == line.id).values(values))
        else:
            complete = False
    return complete


def give_back(change: Change, line: Row[Any]) -> None:
    """Free what the line has reserved."""
    if line.budget_id is not None and line.reserved > 0:
        budget.reserve(change.tx, line.budget_id, -line.reserved)
        change.tx.execute(update(order_line).where(order_line.c.id == line.id).values(reserved=ZERO))


def retire_lines(change: Change, lines: Iterable[Row[Any]], state: LineState) -> None:
    """Lines of which nothing was sent end: no cover, no money held."""
    for line in lines:
        give_back(change, line)
        change.tx.execute(
            update(order_line)
            .where(order_line.c.id == line.id)
            .values(state=state, live=False, cancelled=order_line.c.units)
        )
        change.cover_changed(line.site_id, line.product_id)


def settle_draft(change: Change, order_id: int) -> None:
    """After the last need of a transaction: reserve the money and write the total."""
    change.unsettled.pop(order_id, None)
    reserve(change, lock(change, order_id))
    add_up(change, order_id)


def add_up(change: Change, order_id: int) -> Decimal:
    """Write and return the order's total, of the lines that are not withdrawn."""
    total = change.tx.scalar(_TOTAL, {"order": order_id}) or ZERO
    values = {"total": total, "version": order.c.version + 1, "changed": change.now}
    change.tx.execute(update(order).where(order.c.id == order_id).values(values))
    return total
