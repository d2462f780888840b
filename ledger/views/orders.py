"""Orders with their lines, receipt and purchase orders; needs."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select

from ledger import people
from ledger import tables as t
from ledger.orders.authority import authority
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, many, only, shown
from models.effects import Cause
from models.facts import NeedState

NEED_STATES: Final = tuple(state.name.lower() for state in NeedState)
_CAUSES: Final = {cause.value: cause.name.lower() for cause in Cause}
_ORDER = "id account_id site_id supplier_id state channel urgent sandbox currency total created=created_at"
_ORDER += " changed=changed_at window_until=window_ends_at approve_by=approve_by_at hold_until=hold_ends_at escalated"
_ORDER += " approved_by approved_at placed_at expected=expected_at overdue reason reference blanket_order cost_centre"
_LINE = "id line product_id supplier_sku quantity pack units unit_price currency amount state delivered cancelled"
_LINE += " needed_by=needed_by_at expected=expected_at reason"
_PURCHASE = "id order_id account_id supplier_id site_id state channel currency total placed_at acknowledged_at"
_PURCHASED = "line supplier_sku quantity unit_price currency state shipped delivered cancelled lost over reason"
_PURCHASED += " needed_by=needed_by_at expected=expected_at"
_NEED = "id uuid slot_id cycle attempt account_id site_id product_id units state reason released cause"
_NEED += " channel urgent deadline=deadline_at opened=opened_at closed=closed_at"


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
        .join(t.order, t.order.c.id == p.order_id)
        .join(t.account, t.account.c.id == p.account_id)
        .join(t.site, t.site.c.id == p.site_id)
    )


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


_ORDERS: Final = Query(
    _orders,
    owner=t.order.c.account_id,
    keys=[t.order.c.id],
    newest_first=True,
    id=t.order.c.id,
    state=t.order.c.state,
    account=t.order.c.account_id,
    site=t.order.c.site_id,
)
_PURCHASES: Final = Query(
    _purchases,
    owner=t.purchase_order.c.account_id,
    keys=[t.purchase_order.c.id],
    newest_first=True,
    id=t.purchase_order.c.id,
    order=t.purchase_order.c.order_id,
    supplier=t.purchase_order.c.supplier_id,
    state=t.purchase_order.c.state,
    sandbox=t.order.c.sandbox,
)
_NEEDS: Final = Query(
    _needs,
    owner=t.need.c.account_id,
    keys=[t.need.c.id],
    id=t.need.c.id,
    state=t.need.c.state,
    slot=t.need.c.slot_id,
    site=t.need.c.site_id,
)
_LINES: Final = (
    select(*columns(t.order_line, _LINE), t.product.c.sku, t.product.c.name.label("product"))
    .join_from(t.order_line, t.product, t.product.c.id == t.order_line.c.product_id)
    .where(t.order_line.c.order_id == bindparam("order"))
    .order_by(t.order_line.c.line)
)
_NEEDS_OF_LINES: Final = (
    _needs()
    .add_columns(t.need.c.order_line_id)
    .where(t.order_line.c.order_id == bindparam("order"))
    .order_by(t.need.c.id)
)
_LINES_BOUGHT: Final = (
    select(*columns(t.purchase_order_line, _PURCHASED), t.product.c.sku)
    .join_from(t.purchase_order_line, t.product, t.product.c.id == t.purchase_order_line.c.product_id)
    .where(t.purchase_order_line.c.purchase_order_id == bindparam("number"))
    .order_by(t.purchase_order_line.c.line)
)
_APPROVALS: Final = (
    select(*columns(t.approval, "decision by reason amount currency ts=decided_at"))
    .where(t.approval.c.order_id == bindparam("order"))
    .order_by(t.approval.c.id)
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
    return shown(_ORDERS.run(tx, scope, position=position, limit=limit, state=state, account=account, site=site))


def order(tx: Connection, scope: Scope, order_id: int) -> Dict:
    """One order with lines, needs, purchase orders and approvals. Raises NotFound."""
    found = only(shown(_ORDERS.run(tx, scope, id=order_id)), f"order {order_id}")
    found["lines"] = _lines(tx, order_id)
    bought = shown(_PURCHASES.run(tx, scope, order=order_id))
    found["purchase_orders"] = [_with_lines(tx, row) for row in reversed(bought)]
    found["approvals"] = many(tx, _APPROVALS, {"order": order_id})
    return found


def obstacle(tx: Connection, order_id: int, person_id: int | None, now: int) -> str | None:
    """What keeps this person from approving it, in words; None: nothing that limits say."""
    if person_id is None:
        return None
    row = tx.execute(select(t.order).where(t.order.c.id == order_id)).one()
    return authority(tx, row, people.get(tx, Scope.all(), person_id), now).obstacle


def _lines(tx: Connection, order_id: int) -> list[Dict]:
    needs: dict[int, list[Dict]] = defaultdict(list)
    for need in _worded(many(tx, _NEEDS_OF_LINES, {"order": order_id})):
        needs[need.pop("order_line_id")].append(need)
    return [row | {"needs": needs[row["id"]]} for row in many(tx, _LINES, {"order": order_id})]


def purchase_orders(
    tx: Connection,
    scope: Scope,
    *,
    supplier: int | None = None,
    state: str | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Without their lines, newest first, behind `position` = (id,). `supplier`: only theirs, and none of a sandbox."""
    real = None if supplier is None else False
    found = _PURCHASES.run(tx, scope, position=position, limit=limit, supplier=supplier, state=state, sandbox=real)
    return shown(found)


def purchase_order(tx: Connection, scope: Scope, number: int, supplier: int | None = None) -> Dict:
    """One with its lines; a supplier finds only its own, and none of a sandbox. Raises NotFound."""
    real = None if supplier is None else False
    rows = _PURCHASES.run(tx, scope, id=number, supplier=supplier, sandbox=real)
    found = only(shown(rows), f"purchase order {number}")
    return _with_lines(tx, found)


def _with_lines(tx: Connection, bought: Dict) -> Dict:
    return bought | {"lines": many(tx, _LINES_BOUGHT, {"number": bought["id"]})}


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
    return _worded(shown(_NEEDS.run(tx, scope, position=position, limit=limit, state=state, slot=slot, site=site)))


def need(tx: Connection, scope: Scope, need_id: int) -> Dict:
    """Raises NotFound."""
    return only(_worded(shown(_NEEDS.run(tx, scope, id=need_id))), f"need {need_id}")


def _worded(rows: list[Dict]) -> list[Dict]:
    for row in rows:
        row["state"] = NEED_STATES[row["state"]]
        row["cause"] = _CAUSES[row["cause"]]
    return rows
