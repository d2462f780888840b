"""A sample purchase order, to try the way to a supplier: it says that it is a test, and nothing of it is written."""

import msgspec
from sqlalchemy import Connection, select

from ledger.orders.place import iso
from ledger.tables import offer, product
from models.money import Money

NUMBER = 0
"""Real orders begin at 1."""


def sample_purchase_order(tx: Connection, supplier_id: int, now: int) -> bytes:
    """JSON, with the supplier's first offer, or a made-up one where there is none."""
    query = (
        select(product.c.sku, offer.c.supplier_sku, offer.c.price, offer.c.currency)
        .join(offer, offer.c.product_id == product.c.id)
        .where(offer.c.supplier_id == supplier_id, ~offer.c.retired)
    )
    row = tx.execute(query.order_by(offer.c.id).limit(1)).one_or_none()
    price = str(Money(row.price, row.currency)).removesuffix(f" {row.currency}") if row else "0.00"
    line = {
        "line": 1,
        "sku": row.sku if row else "SAMPLE",
        "supplier_sku": row.supplier_sku if row else "SAMPLE",
        "quantity": 1,
        "unit_price": price,
        "currency": row.currency if row else "EUR",
        "needed_by": iso(now),
    }
    return msgspec.json.encode(
        {
            "version": 1,
            "purchase_order": NUMBER,
            "order": NUMBER,
            "account": "ullage-test",
            "site": {"name": "test", "address": "This is a test: do not deliver anything."},
            "lines": [line],
            "placed_at": iso(now),
            "test": True,
        }
    )
