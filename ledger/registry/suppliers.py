"""Suppliers: who sells, and over which channel their purchase orders go."""

import msgspec
from sqlalchemy import Connection, select, update

from ledger.facts import enqueue_lanes
from ledger.registry.common import PAGE, Invalid, check_text, single, views
from ledger.tables import lane, supplier
from models.units import DAY

CHANNELS = ("file", "webhook")


class Supplier(msgspec.Struct, frozen=True):
    """Without the secret: it is read where a purchase order is signed, nowhere else."""

    id: int
    name: str
    channel: str
    url: str
    cutoff_ms: int
    acknowledge_within_ms: int | None
    retired: bool
    created: int


def ensure(
    tx: Connection,
    name: str,
    now: int,
    *,
    channel: str = "file",
    url: str = "",
    secret: str = "",
    cutoff_ms: int = 0,
    acknowledge_within_ms: int | None = None,
) -> Supplier:
    """Create or change by name; a new cut-off goes out with the supplier's lanes. Raises Invalid."""
    check_text("supplier", name, 64)
    if channel not in CHANNELS:
        raise Invalid(f"supplier {name}: channel {channel!r}: use one of {', '.join(CHANNELS)}")
    if channel == "webhook" and (not url.startswith(("http://", "https://")) or not secret):
        raise Invalid(f"supplier {name}: a webhook needs a url (http:// or https://) and a secret")
    if not 0 <= cutoff_ms < DAY:
        raise Invalid(f"supplier {name}: cut-off {cutoff_ms} ms: use a time of day")
    values = {
        "channel": channel,
        "url": url,
        "secret": secret,
        "cutoff_ms": cutoff_ms,
        "acknowledge_within_ms": acknowledge_within_ms,
    }
    if not tx.execute(update(supplier).where(supplier.c.name == name).values(values)).rowcount:
        tx.execute(supplier.insert().values(name=name, created=now, **values))
    found = find(tx, name)
    other = lane.c.cutoff_ms != cutoff_ms
    lanes = tx.scalars(select(lane.c.id).where(lane.c.supplier_id == found.id, other).order_by(lane.c.id)).all()
    if lanes:
        tx.execute(update(lane).where(lane.c.supplier_id == found.id).values(cutoff_ms=cutoff_ms))
        enqueue_lanes(tx, lanes)
    return found


def find(tx: Connection, name: str) -> Supplier:
    return single(tx, Supplier, supplier, supplier.c.name == name, called=("supplier", name))


def get(tx: Connection, supplier_id: int) -> Supplier:
    return single(tx, Supplier, supplier, supplier.c.id == supplier_id, called=("supplier", supplier_id))


def list_suppliers(tx: Connection, *, after: int = 0, limit: int = PAGE) -> list[Supplier]:
    query = select(supplier).where(supplier.c.id > after).order_by(supplier.c.id).limit(limit)
    return views(Supplier, tx.execute(query))
