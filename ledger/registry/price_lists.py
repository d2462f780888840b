"""Price lists: what one account pays instead of the supplier's own prices."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, delete, select

from ledger.engine import upsert
from ledger.registry.common import Invalid, check_account, check_currency, check_text, missing, view, views
from ledger.scope import Scope
from ledger.tables import price_list, price_list_item


class Price(NamedTuple):
    product_id: int
    quantity: int  # packs, from
    price: Decimal  # of a pack


class PriceList(msgspec.Struct, frozen=True):
    id: int
    account_id: int
    supplier_id: int
    name: str
    currency: str
    valid_from: int
    valid_until: int | None


def put(
    tx: Connection,
    scope: Scope,
    account_id: int,
    supplier_id: int,
    name: str,
    currency: str,
    prices: Sequence[Price],
    *,
    valid_from: int = 0,
    valid_until: int | None = None,
) -> PriceList:
    """Create the list or replace all of it. Raises NotFound, Invalid."""
    check_account(scope, account_id)
    check_text("price list", name, 64)
    check_currency(currency)
    if any(price.quantity < 1 or price.price < 0 for price in prices):
        raise Invalid(f"price list {name}: quantities start at 1, prices at 0")
    key = {"account_id": account_id, "supplier_id": supplier_id, "name": name}
    values = {"currency": currency, "valid_from": valid_from, "valid_until": valid_until}
    upsert(tx, price_list, [key | values], on=list(key))
    row = tx.execute(select(price_list).filter_by(**key)).one()
    tx.execute(delete(price_list_item).where(price_list_item.c.price_list_id == row.id))
    if prices:
        tx.execute(price_list_item.insert(), [{"price_list_id": row.id} | price._asdict() for price in prices])
    return view(PriceList, row)


def list_price_lists(tx: Connection, scope: Scope, account_id: int) -> list[PriceList]:
    check_account(scope, account_id)
    query = select(price_list).where(price_list.c.account_id == account_id).order_by(price_list.c.id)
    return views(PriceList, tx.execute(query))


def prices_of(tx: Connection, scope: Scope, price_list_id: int) -> list[Price]:
    mine = select(price_list.c.id).where(price_list.c.id == price_list_id, scope.where(price_list.c.account_id))
    if tx.scalar(mine) is None:
        raise missing("price list", price_list_id)
    query = select(price_list_item).where(price_list_item.c.price_list_id == price_list_id)
    ordered = query.order_by(price_list_item.c.product_id, price_list_item.c.quantity)
    return [Price(row.product_id, row.quantity, row.price) for row in tx.execute(ordered)]
