"""Do the books balance? What an auditor, `ullage status` and the tests ask; by SQL, over everything."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, or_, select

from ledger.tables import budget, need, order, order_line, purchase_order_line, stock, stock_movement
from models.facts import NeedState
from models.orders import LineState, OrderState

EPSILON = 1e-6
ZERO = Decimal(0)
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that does not hold, and where."""

    rule: str
    subjects: tuple[str, ...]  # the first ones

    def __str__(self) -> str:
        return f"{self.rule}: {', '.join(self.subjects)}"


def check(tx: Connection) -> list[Finding]:
    """Empty: all is well."""
    queries: list[tuple[str, str, Select[Any]]] = [
        ("more than one open need for a slot", "slot", _double_needs()),
        ("a line without a need or a person", "order_line", _lines_without_need()),
        ("an open need that no live line answers", "need", _needs_without_line()),
        ("an open need on an order that has ended", "need", _needs_of_ended_orders()),
        ("ordered is not delivered + under way + cancelled + lost", "order_line", _unbalanced_lines()),
        ("the buyer's line and the supplier's differ", "order_line", _differing_lines()),
        ("a delivered line and the shelf's movements differ", "site/product", _delivered_not_stocked()),
        ("spares are not the sum of their movements", "site/product", _unbalanced_stock()),
        ("spares below zero", "site/product", _negative_stock()),
        ("a budget's reservations are not those of its lines", "budget", _unbalanced_budgets()),
        ("an order's total is not that of its lines", "order", _wrong_totals()),
    ]
    found = []
    for rule, noun, query in queries:
        rows = tx.execute(query.limit(_LISTED)).all()
        if rows:
            found.append(Finding(rule, tuple(f"{noun} {'/'.join(map(str, row))}" for row in rows)))
    return found


def _double_needs() -> Select[Any]:
    return (
        select(need.c.slot_id).where(need.c.state == NeedState.OPEN).group_by(need.c.slot_id).having(func.count() > 1)
    )


def _lines_without_need() -> Select[Any]:
    """Lines of channel "device" and "forecast" are `step`'s; the others a person's."""
    answers = exists().where(need.c.order_line_id == order_line.c.id)
    return (
        select(order_line.c.id)
        .join(order, order.c.id == order_line.c.order_id)
        .where(~answers, order.c.channel.in_(["device", "forecast"]))
    )


def _needs_without_line() -> Select[Any]:
    live = exists().where(order_line.c.id == need.c.order_line_id, order_line.c.live)
    return select(need.c.id).where(need.c.state == NeedState.OPEN, ~live)


def _needs_of_ended_orders() -> Select[Any]:
    ended = [OrderState.REJECTED, OrderState.EXPIRED, OrderState.CANCELLED, OrderState.FAILED, OrderState.DELIVERED]
    return (
        select(need.c.id)
        .join(order_line, order_line.c.id == need.c.order_line_id)
        .join(order, order.c.id == order_line.c.order_id)
        .where(need.c.state == NeedState.OPEN, order.c.state.in_(ended))
    )


def _unbalanced_lines() -> Select[Any]:
    p = purchase_order_line.c
    under_way = p.quantity + p.over - p.delivered - p.cancelled - p.lost
    ended = [LineState.DELIVERED, LineState.LOST, LineState.REFUSED, LineState.CANCELLED]
    return select(p.order_line_id).where(
        or_(
            under_way < 0,
            p.delivered < 0,
            p.cancelled < 0,
            p.lost < 0,
            p.over < 0,
            p.shipped < p.delivered,
            and_(under_way == 0, p.state.not_in(ended)),
            and_(under_way > 0, p.state.in_(ended)),
        )
    )


def _differing_lines() -> Select[Any]:
    p, o = purchase_order_line.c, order_line.c
    under_way = p.quantity + p.over - p.delivered - p.cancelled - p.lost
    return (
        select(o.id)
        .join(purchase_order_line, p.order_line_id == o.id)
        .where(
            or_(
                p.quantity != o.quantity,
                p.state != o.state,
                o.delivered != p.delivered * o.pack,
                o.cancelled != (p.cancelled + p.lost) * o.pack,
                o.live != (under_way > 0),
            )
        )
    )


def _delivered_not_stocked() -> Select[Any]:
    came = (
        select(order_line.c.site_id, order_line.c.product_id, func.sum(order_line.c.delivered).label("units"))
        .group_by(order_line.c.site_id, order_line.c.product_id)
        .subquery()
    )
    put = (
        select(stock_movement.c.site_id, stock_movement.c.product_id, func.sum(stock_movement.c.units).label("units"))
        .where(stock_movement.c.kind.in_(["delivered", "inferred"]))
        .group_by(stock_movement.c.site_id, stock_movement.c.product_id)
        .subquery()
    )
    same = and_(put.c.site_id == came.c.site_id, put.c.product_id == came.c.product_id)
    return (
        select(came.c.site_id, came.c.product_id)
        .select_from(came.outerjoin(put, same))
        .where(func.abs(came.c.units - func.coalesce(put.c.units, 0.0)) > EPSILON)
    )


def _unbalanced_stock() -> Select[Any]:
    mine = and_(stock_movement.c.site_id == stock.c.site_id, stock_movement.c.product_id == stock.c.product_id)
    total = select(func.coalesce(func.sum(stock_movement.c.units), 0.0)).where(mine).scalar_subquery()
    return select(stock.c.site_id, stock.c.product_id).where(func.abs(stock.c.on_hand - total) > EPSILON)


def _negative_stock() -> Select[Any]:
    return select(stock.c.site_id, stock.c.product_id).where(stock.c.on_hand < -EPSILON)


def _unbalanced_budgets() -> Select[Any]:
    mine = order_line.c.budget_id == budget.c.id
    total = select(func.sum(order_line.c.reserved)).where(mine).scalar_subquery()
    return select(budget.c.id).where(budget.c.reserved != func.coalesce(total, ZERO))


def _wrong_totals() -> Select[Any]:
    mine = and_(order_line.c.order_id == order.c.id, order_line.c.state != LineState.WITHDRAWN)
    total = select(func.sum(order_line.c.amount)).where(mine).scalar_subquery()
    return select(order.c.id).where(order.c.total != func.coalesce(total, ZERO))
