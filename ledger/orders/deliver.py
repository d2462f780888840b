"""Goods arrive: the supplier or the receiver says so, or a refill shows it."""

from collections.abc import Mapping
from functools import partial
from math import ceil
from typing import Any

from sqlalchemy import select

from ledger import stock
from ledger.change import Change
from ledger.orders import movements, sent
from ledger.orders.sent import Line, Sent
from ledger.scope import Scope
from ledger.tables import offer, order, order_line, purchase_order_line
from models.facts import NeedState
from models.orders import Event, OrderState


def deliver(
    change: Change,
    scope: Scope,
    number: int,
    quantities: Mapping[int, int],
    *,
    key: str = "",
    supplier_id: int | None = None,
) -> OrderState:
    """Packs by line of purchase order `number`. A call with the same `key` changes nothing the second time.

    Raises NotFound, NoSuchLine, ImplausibleQuantity, NotAllowed: nothing was written."""
    goods = sent.find(change, scope, number, supplier_id)
    if not movements.by_line(goods, "delivered", quantities, key, partial(_arrive, change)):
        return OrderState(goods.order.state)
    return sent.move(change, goods, Event.DELIVERED)


def _arrive(change: Change, line: Line, packs: int, key: str) -> bool:
    """Packs that a refill had shown already are not counted again; whether anything was new."""
    known = min(packs, movements.total(change, line, "inferred") - movements.total(change, line, "confirmed"))
    if known and not movements.record(change, line, "confirmed", known, f"{key}/confirmed"):
        return False
    if known == packs:
        return False
    if not movements.record(change, line, "delivered", packs - known, key):
        return False
    after = line.books.deliver(packs - known)
    stock.add(change, line.site_id, line.product_id, (packs - known) * line.pack, "delivered", key)
    sent.save(change, line, after, otherwise=NeedState.FAILED, reason="delivered short")
    return True


def infer(change: Change, site_id: int, product_id: int, units: float, source: str) -> float:
    """A unit was used that the books do not have: if goods on order may have come, they have. The units inferred."""
    found = 0.0
    for row in _plausible(change, site_id, product_id):
        if found >= units:
            break
        goods = sent.of_order(change, row.order_id)
        line = next(x for x in goods.lines.values() if x.row.order_line_id == row.id)
        packs = min(line.books.under_way, ceil((units - found) / line.pack))
        if packs and _infer_line(change, goods, line, packs, source):
            found += packs * line.pack
    return found


def _infer_line(change: Change, goods: Sent, line: Line, packs: int, source: str) -> bool:
    key = f"inferred/{line.row.id}/{source}"
    if not movements.record(change, line, "inferred", packs, key):
        return False
    stock.add(change, line.site_id, line.product_id, packs * line.pack, "inferred", key)
    sent.save(change, line, line.books.deliver(packs), otherwise=NeedState.FAILED)
    sent.move(change, goods, Event.DELIVERED, text="inferred from a refill with nothing on the shelf")
    return True


def _plausible(change: Change, site_id: int, product_id: int) -> list[Any]:
    """Lines under way that were shipped, or whose shortest lead time has passed; the soonest expected first."""
    rows = change.tx.execute(
        select(
            order_line.c.id, order_line.c.order_id, order.c.placed_at, offer.c.grid_ms, purchase_order_line.c.shipped
        )
        .join(order, order.c.id == order_line.c.order_id)
        .join(offer, offer.c.id == order_line.c.offer_id)
        .join(purchase_order_line, purchase_order_line.c.order_line_id == order_line.c.id)
        .where(
            order_line.c.live,
            order_line.c.site_id == site_id,
            order_line.c.product_id == product_id,
            ~order.c.sandbox,
        )
        .order_by(order_line.c.expected, order_line.c.id)
    ).all()
    return [row for row in rows if row.shipped or change.now >= row.placed_at + min(row.grid_ms)]
