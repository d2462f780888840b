"""Orders with their lines, receipt and purchase orders; needs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.rows import Dict, after, columns, many, one

NEED_STATES = ("open", "met", "withdrawn", "refused", "failed")


def _orders() -> Select[Any]:
    o = t.order.c
    names = "id account_id site_id supplier_id state channel urgent sandbox currency total created changed window_until"
    names += " approve_by hold_until escalated approved_by approved_at placed_at expected overdue reason reference"
    return (
        select(
            *columns(t.order, names),
            t.account.c.name.label("account"),
            t.site.c.name.label("site"),
            t.supplier.c.name.label("supplier"),
        )
        .join_from(t.order, t.account, t.account.c.id == o.account_id)
        .join(t.site, t.site.c.id == o.site_id)
        .join(t.supplier, t.supplier.c.id == o.supplier_id)
    )


def orders(
    tx: Connection,
    scope: Scope,
    *,
    state: str | None = None,
    account: int | None = None,
    site: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Orders, newest first, behind `position` = (id,)."""
    statement = _orders().where(scope.where(t.order.c.account_id))
    if position is not None:
        statement = statement.where(t.order.c.id < position[0])
    for column, value in ((t.order.c.state, state), (t.order.c.account_id, account), (t.order.c.site_id, site)):
        if value is not None:
            statement = statement.where(column == value)
    return many(tx, statement.order_by(t.order.c.id.desc()).limit(limit))


def order(tx: Connection, scope: Scope, order_id: int) -> Dict:
    """One order with lines, needs, purchase orders and approvals. Raises NotFound."""
    found = one(tx, _orders().where(t.order.c.id == order_id, scope.where(t.order.c.account_id)), f"order {order_id}")
    found["lines"] = _lines(tx, order_id)
    found["purchase_orders"] = [
        purchase_order(tx, scope, row["id"])
        for row in many(tx, select(t.purchase_order.c.id).where(t.purchase_order.c.order_id == order_id))
    ]
    a = t.approval.c
    found["approvals"] = many(
        tx, select(a.decision, a.by, a.reason, a.amount, a.currency, a.ts).where(a.order_id == order_id).order_by(a.id)
    )
    return found


def _lines(tx: Connection, order_id: int) -> list[Dict]:
    line, n = t.order_line.c, t.need.c
    names = "id line supplier_sku quantity pack units unit_price currency amount state delivered cancelled"
    names += " needed_by expected reason product_id"
    lines = many(
        tx,
        select(*columns(t.order_line, names), t.product.c.sku, t.product.c.name.label("product"))
        .join_from(t.order_line, t.product, t.product.c.id == line.product_id)
        .where(line.order_id == order_id)
        .order_by(line.line),
    )
    for row in lines:
        row["needs"] = many(tx, _needs().where(n.order_line_id == row["id"]).order_by(n.id))
    return lines


def receipt(tx: Connection, scope: Scope, order_id: int) -> Dict:
    """The frozen receipt of an automatic order. Raises NotFound."""
    r = t.receipt.c
    statement = select(r.document).join_from(t.receipt, t.order, t.order.c.id == r.order_id)
    found = one(tx, statement.where(r.order_id == order_id, scope.where(t.order.c.account_id)), f"receipt {order_id}")
    return dict(found["document"])


def purchase_order(tx: Connection, scope: Scope, purchase_order_id: int) -> Dict:
    p, line = t.purchase_order.c, t.purchase_order_line.c
    names = "id order_id account_id supplier_id site_id state channel currency total placed_at sent_at acknowledged_at"
    found = one(
        tx,
        select(*columns(t.purchase_order, names), t.supplier.c.name.label("supplier"))
        .join_from(t.purchase_order, t.supplier, t.supplier.c.id == p.supplier_id)
        .where(p.id == purchase_order_id, scope.where(p.account_id)),
        f"purchase order {purchase_order_id}",
    )
    names = "line supplier_sku quantity unit_price currency state shipped delivered cancelled lost over reason"
    found["lines"] = many(
        tx,
        select(*columns(t.purchase_order_line, names + " needed_by expected"), t.product.c.sku)
        .join_from(t.purchase_order_line, t.product, t.product.c.id == line.product_id)
        .where(line.purchase_order_id == purchase_order_id)
        .order_by(line.line),
    )
    return found


def _needs() -> Select[Any]:
    names = (
        "id uuid slot_id cycle attempt account_id site_id product_id units order_line_id state reason released cause"
    )
    names += " channel urgent deadline opened closed evidence"
    return (
        select(
            *columns(t.need, names),
            t.slot.c.name.label("slot"),
            t.slot.c.device_id,
            t.device.c.name.label("device"),
        )
        .join_from(t.need, t.slot, t.slot.c.id == t.need.c.slot_id)
        .join(t.device, t.device.c.id == t.slot.c.device_id)
    )


def needs(
    tx: Connection,
    scope: Scope,
    *,
    state: int | None = None,
    slot: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Needs in the order in which they opened, behind `position` = (id,)."""
    statement = _needs().where(scope.where(t.need.c.account_id), after((t.need.c.id,), position))
    for column, value in ((t.need.c.state, state), (t.need.c.slot_id, slot)):
        if value is not None:
            statement = statement.where(column == value)
    return many(tx, statement.order_by(t.need.c.id).limit(limit))


def need(tx: Connection, scope: Scope, need_id: int) -> Dict:
    return one(tx, _needs().where(t.need.c.id == need_id, scope.where(t.need.c.account_id)), f"need {need_id}")
