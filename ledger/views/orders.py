"""Orders with their lines, receipt and purchase orders; needs."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from ledger import tables as t
from ledger.scope import NotFound, Scope
from ledger.views.rows import Dict, columns, equal, many, one
from models.effects import Cause
from models.facts import NeedState

NEED_STATES: Final = tuple(state.name.lower() for state in NeedState)
_ORDER = "id account_id site_id supplier_id state channel urgent sandbox currency total created=created_at"
_ORDER += " changed=changed_at window_until=window_ends_at approve_by=approve_by_at hold_until=hold_ends_at escalated"
_ORDER += " approved_by approved_at placed_at expected=expected_at overdue reason reference"
_LINE = "id line product_id supplier_sku quantity pack units unit_price currency amount state delivered cancelled"
_LINE += " needed_by=needed_by_at expected=expected_at reason"
_PURCHASE = "id order_id account_id supplier_id site_id state channel currency total placed_at acknowledged_at"
_PURCHASED = "line supplier_sku quantity unit_price currency state shipped delivered cancelled lost over reason"
_PURCHASED += " needed_by=needed_by_at expected=expected_at"
_NEED = "id uuid slot_id cycle attempt account_id site_id product_id units state reason released cause"
_NEED += " channel urgent deadline=deadline_at opened=opened_at closed=closed_at"


@cache
def _orders() -> Select[Any]:
    o = t.order.c
    return (
        select(
            *columns(t.order, _ORDER),
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
    o = t.order.c
    statement = _orders().where(scope.where(o.account_id))
    if position is not None:
        statement = statement.where(o.id < position[0])
    wanted = equal(statement, (o.state, state), (o.account_id, account), (o.site_id, site))
    return many(tx, wanted.order_by(o.id.desc()).limit(limit))


def order(tx: Connection, scope: Scope, order_id: int) -> Dict:
    """One order with lines, needs, purchase orders and approvals. Raises NotFound."""
    found = one(tx, _orders().where(t.order.c.id == order_id, scope.where(t.order.c.account_id)), f"order {order_id}")
    found["lines"] = _lines(tx, order_id)
    numbers = tx.scalars(select(t.purchase_order.c.id).where(t.purchase_order.c.order_id == order_id))
    found["purchase_orders"] = [purchase_order(tx, scope, number) for number in numbers]
    statement = select(*columns(t.approval, "decision by reason amount currency ts=decided_at"))
    mine = t.approval.c.order_id == order_id
    found["approvals"] = many(tx, statement.where(mine).order_by(t.approval.c.id))
    return found


def _lines(tx: Connection, order_id: int) -> list[Dict]:
    line = t.order_line.c
    lines = many(
        tx,
        select(*columns(t.order_line, _LINE), t.product.c.sku, t.product.c.name.label("product"))
        .join_from(t.order_line, t.product, t.product.c.id == line.product_id)
        .where(line.order_id == order_id)
        .order_by(line.line),
    )
    for row in lines:
        row["needs"] = _worded(many(tx, _needs().where(t.need.c.order_line_id == row["id"]).order_by(t.need.c.id)))
    return lines


def purchase_orders(
    tx: Connection,
    scope: Scope,
    *,
    supplier: int | None = None,
    state: str | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Without their lines, newest first, behind `position` = (id,). `supplier`: only theirs."""
    p = t.purchase_order.c
    statement = _purchases().where(scope.where(p.account_id))
    if position is not None:
        statement = statement.where(p.id < position[0])
    return many(tx, equal(statement, (p.supplier_id, supplier), (p.state, state)).order_by(p.id.desc()).limit(limit))


def purchase_order(tx: Connection, scope: Scope, number: int, supplier: int | None = None) -> Dict:
    """One with its lines; a supplier finds only its own. Raises NotFound."""
    p, line = t.purchase_order.c, t.purchase_order_line.c
    wanted = equal(_purchases().where(p.id == number, scope.where(p.account_id)), (p.supplier_id, supplier))
    found = one(tx, wanted, f"purchase order {number}")
    found["lines"] = many(
        tx,
        select(*columns(t.purchase_order_line, _PURCHASED), t.product.c.sku)
        .join_from(t.purchase_order_line, t.product, t.product.c.id == line.product_id)
        .where(line.purchase_order_id == number)
        .order_by(line.line),
    )
    return found


@cache
def _purchases() -> Select[Any]:
    p = t.purchase_order.c
    return (
        select(
            *columns(t.purchase_order, _PURCHASE),
            t.supplier.c.name.label("supplier"),
            t.account.c.name.label("account"),
            t.site.c.name.label("site"),
            t.site.c.address,
        )
        .join_from(t.purchase_order, t.supplier, t.supplier.c.id == p.supplier_id)
        .join(t.account, t.account.c.id == p.account_id)
        .join(t.site, t.site.c.id == p.site_id)
    )


@cache
def _needs() -> Select[Any]:
    n = t.need.c
    return (
        select(
            *columns(t.need, _NEED),
            t.slot.c.name.label("slot"),
            t.slot.c.device_id,
            t.device.c.name.label("device"),
            t.product.c.sku,
            t.order_line.c.order_id,
        )
        .join_from(t.need, t.slot, t.slot.c.id == n.slot_id)
        .join(t.device, t.device.c.id == t.slot.c.device_id)
        .join(t.product, t.product.c.id == n.product_id)
        .outerjoin(t.order_line, t.order_line.c.id == n.order_line_id)
    )


def needs(
    tx: Connection,
    scope: Scope,
    *,
    state: int | None = None,
    slot: int | None = None,
    site: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Needs in the order in which they opened, behind `position` = (id,)."""
    n = t.need.c
    statement = _needs().where(scope.where(n.account_id))
    if position is not None:
        statement = statement.where(n.id > position[0])
    wanted = equal(statement, (n.state, state), (n.slot_id, slot), (n.site_id, site))
    return _worded(many(tx, wanted.order_by(n.id).limit(limit)))


def need(tx: Connection, scope: Scope, need_id: int) -> Dict:
    """Raises NotFound."""
    rows = _worded(many(tx, _needs().where(t.need.c.id == need_id, scope.where(t.need.c.account_id))))
    if not rows:
        raise NotFound(f"there is no need {need_id}")
    return rows[0]


def _worded(rows: list[Dict]) -> list[Dict]:
    for row in rows:
        row["state"] = NEED_STATES[row["state"]]
        row["cause"] = Cause(row["cause"]).name.lower()
    return rows
