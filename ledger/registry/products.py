"""Products: what is sold to fill slots. The catalogue belongs to no account."""

import msgspec
from sqlalchemy import Connection, select, update

from ledger.registry.common import PAGE, check_name, check_text, single, views
from ledger.tables import product


class Product(msgspec.Struct, frozen=True):
    id: int
    sku: str
    name: str
    unit: str
    shelf_life_days: int | None
    created: int


def ensure(tx: Connection, sku: str, name: str, unit: str, now: int, *, shelf_life_days: int | None = None) -> Product:
    """Create or change by SKU. Raises Invalid."""
    check_name("product", sku)
    check_text("product name", name)
    values = {"name": name, "unit": unit, "shelf_life_days": shelf_life_days}
    if not tx.execute(update(product).where(product.c.sku == sku).values(values)).rowcount:
        tx.execute(product.insert().values(sku=sku, created=now, **values))
    return find(tx, sku)


def find(tx: Connection, sku: str) -> Product:
    return single(tx, Product, product, product.c.sku == sku, called=("product", sku))


def get(tx: Connection, product_id: int) -> Product:
    return single(tx, Product, product, product.c.id == product_id, called=("product", product_id))


def list_products(tx: Connection, *, after: int = 0, limit: int = PAGE) -> list[Product]:
    query = select(product).where(product.c.id > after).order_by(product.c.id).limit(limit)
    return views(Product, tx.execute(query))
