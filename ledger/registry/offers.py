"""Offers: what a supplier asks for a product, with price breaks and how long the goods take."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
from sqlalchemy import Connection, delete, select, update

from ledger.registry.common import PAGE, Invalid, check_currency, check_text, missing, single, view, views
from ledger.tables import offer, price_break
from models.units import DAY

GRID = 16


class Offer(msgspec.Struct, frozen=True):
    id: int
    supplier_id: int
    product_id: int
    supplier_sku: str
    pack: int
    moq: int
    multiple: int
    price: Decimal
    currency: str
    grid_ms: list[int]
    retired: bool
    created: int


def lead_grid(days: Sequence[float]) -> list[int]:
    """16 equally likely lead times in ms, from a sample or from quantiles of days: linear between the sorted values.

    Value i is the quantile at (i + 1/2) / 16, where the sample's k-th of n stands for (k - 1/2) / n."""
    if not days or any(not 0 <= day <= 3650 for day in days):
        raise Invalid(f"lead days {list(days)}: use at least one number from 0 to 3650")
    ordered = sorted(days)
    grid = []
    for i in range(GRID):
        place = min(max((i + 0.5) / GRID * len(ordered) - 0.5, 0.0), len(ordered) - 1.0)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        grid.append(round((ordered[low] + (ordered[high] - ordered[low]) * (place - low)) * DAY))
    return grid


def ensure(
    tx: Connection,
    supplier_id: int,
    product_id: int,
    now: int,
    *,
    supplier_sku: str,
    price: Decimal,
    currency: str,
    lead_days: Sequence[float],
    pack: int = 1,
    moq: int = 1,
    multiple: int = 1,
    breaks: Mapping[int, Decimal] | None = None,
) -> Offer:
    """Create or change the supplier's offer of the product; breaks: {packs from: price of a pack}. Raises Invalid."""
    check_text("supplier's SKU", supplier_sku, 64)
    check_currency(currency)
    steps = dict(sorted((breaks or {}).items()))
    if min(pack, moq, multiple) < 1 or any(quantity < 2 for quantity in steps):
        raise Invalid(f"offer {supplier_sku}: pack, moq and multiple start at 1, the quantity of a break at 2")
    if any(amount < 0 for amount in (price, *steps.values())):
        raise Invalid(f"offer {supplier_sku}: a price is 0 or more")
    values = {
        "supplier_sku": supplier_sku,
        "pack": pack,
        "moq": moq,
        "multiple": multiple,
        "price": price,
        "currency": currency,
        "grid_ms": lead_grid(lead_days),
        "retired": False,
    }
    mine = (offer.c.supplier_id == supplier_id, offer.c.product_id == product_id)
    if not tx.execute(update(offer).where(*mine).values(values)).rowcount:
        tx.execute(offer.insert().values(supplier_id=supplier_id, product_id=product_id, created=now, **values))
    found = view(Offer, tx.execute(select(offer).where(*mine)).one())
    tx.execute(delete(price_break).where(price_break.c.offer_id == found.id))
    if steps:
        rows = [{"offer_id": found.id, "quantity": quantity, "price": amount} for quantity, amount in steps.items()]
        tx.execute(price_break.insert(), rows)
    return found


def get(tx: Connection, offer_id: int) -> Offer:
    return single(tx, Offer, offer, offer.c.id == offer_id, called=("offer", offer_id))


def breaks_of(tx: Connection, offer_id: int) -> dict[int, Decimal]:
    query = select(price_break).where(price_break.c.offer_id == offer_id).order_by(price_break.c.quantity)
    return {row.quantity: row.price for row in tx.execute(query)}


def of(tx: Connection, supplier_id: int, product_id: int) -> Offer | None:
    """The supplier's offer of a product."""
    row = tx.execute(
        select(offer).where(offer.c.supplier_id == supplier_id, offer.c.product_id == product_id)
    ).one_or_none()
    return view(Offer, row) if row else None


def list_offers(
    tx: Connection, *, supplier_id: int | None = None, product_id: int | None = None, after: int = 0, limit: int = PAGE
) -> list[Offer]:
    query = select(offer).where(offer.c.id > after).order_by(offer.c.id).limit(limit)
    if supplier_id is not None:
        query = query.where(offer.c.supplier_id == supplier_id)
    if product_id is not None:
        query = query.where(offer.c.product_id == product_id)
    return views(Offer, tx.execute(query))


def retire(tx: Connection, offer_id: int) -> None:
    if not tx.execute(update(offer).where(offer.c.id == offer_id).values(retired=True)).rowcount:
        raise missing("offer", offer_id)
