"""Who sells a product to an account, and for how much: the supplier's price, or that of the account's price list."""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, select

from ledger.tables import offer, price_break, price_list, price_list_item, supplier
from models.pricing import PriceBreak, Terms

# Written once: to write a statement takes SQLAlchemy longer than the database to answer it.
_OFFERS = (
    select(offer)
    .join(supplier, supplier.c.id == offer.c.supplier_id)
    .where(offer.c.product_id == bindparam("product"), ~offer.c.retired, ~supplier.c.retired)
    .order_by(offer.c.id)
)
_BREAKS = select(price_break).where(price_break.c.offer_id == bindparam("offer")).order_by(price_break.c.quantity)
_LISTED = (
    select(price_list.c.id, price_list.c.currency, price_list_item.c.quantity, price_list_item.c.price)
    .join(price_list_item, price_list_item.c.price_list_id == price_list.c.id)
    .where(
        price_list.c.account_id == bindparam("account"),
        price_list.c.supplier_id == bindparam("supplier"),
        price_list_item.c.product_id == bindparam("product"),
        price_list.c.valid_from <= bindparam("now"),
        or_(price_list.c.valid_until.is_(None), price_list.c.valid_until > bindparam("now")),
    )
    .order_by(price_list.c.valid_from.desc(), price_list.c.id.desc(), price_list_item.c.quantity)
)


def terms_of(tx: Connection, account_id: int, product_id: int, now: int) -> list[Terms]:
    """All offers that are open to the account, in order of their ids."""
    found = tx.execute(_OFFERS, {"product": product_id}).all()
    return [_terms(tx, account_id, row, now) for row in found]


def _terms(tx: Connection, account_id: int, row: Row[Any], now: int) -> Terms:
    listed = _listed(tx, account_id, row, now)
    if listed:
        base, currency, number = listed[0].price, listed[0].currency, listed[0].id
        breaks = tuple(PriceBreak(item.quantity, item.price) for item in listed if item.quantity > 1)
        if listed[0].quantity > 1:  # the list prices larger quantities only: below, the supplier's price counts
            base = row.price if row.currency == currency else base
    else:
        base, currency, number = row.price, row.currency, 0
        steps = tx.execute(_BREAKS, {"offer": row.id}).all()
        breaks = tuple(PriceBreak(step.quantity, step.price) for step in steps)
    return Terms(
        offer=row.id,
        supplier=row.supplier_id,
        supplier_sku=row.supplier_sku,
        currency=currency,
        price=base,
        pack=row.pack,
        moq=row.moq,
        multiple=row.multiple,
        breaks=breaks,
        price_list=number,
        lead_ms=median(row.grid_ms),
    )


def _listed(tx: Connection, account_id: int, row: Row[Any], now: int) -> list[Any]:
    """The prices of the newest price list that is valid now, by quantity."""
    asked = {"account": account_id, "supplier": row.supplier_id, "product": row.product_id, "now": now}
    items = tx.execute(_LISTED, asked).all()
    return [item for item in items if item.id == items[0].id]


def median(grid: list[int]) -> int:
    return grid[len(grid) // 2] if grid else 0


def latest(grid: list[int]) -> int:
    """The 99 % quantile of a grid of n equally likely values, each in the middle of its n-th part; linear beyond."""
    if not grid:
        return 0
    if len(grid) == 1:
        return grid[0]
    return grid[-1] + round((0.99 * len(grid) - (len(grid) - 0.5)) * (grid[-1] - grid[-2]))
