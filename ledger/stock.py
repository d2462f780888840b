"""What lies on the shelf of a site: a number per product, and every movement that led to it."""

from sqlalchemy import select, update

from ledger.change import Change
from ledger.engine import insert_new
from ledger.tables import site, stock, stock_movement


def on_hand(change: Change, site_id: int, product_id: int) -> float:
    """Locks the row: what was read stays so until the transaction ends."""
    insert_new(change.tx, stock, {"site_id": site_id, "product_id": product_id})
    query = select(stock.c.on_hand).where(stock.c.site_id == site_id, stock.c.product_id == product_id)
    return float(change.tx.execute(query.with_for_update()).scalar_one())


def add(change: Change, site_id: int, product_id: int, units: float, kind: str, source: str) -> bool:
    """Put `units` on the shelf (returned goods and corrections: negative). False if `source` was booked before."""
    return _book(change, site_id, product_id, units, kind, source, 0.0)


def use(change: Change, site_id: int, product_id: int, units: float, source: str) -> bool:
    """Take `units` from the shelf. What is not there is a discrepancy: a task for a person, never below zero."""
    there = on_hand(change, site_id, product_id)
    short = round(max(0.0, units - there), 6)
    if not _book(change, site_id, product_id, short - units, "used", source, short):
        return False
    if short:
        account_id = change.tx.scalar(select(site.c.account_id).where(site.c.id == site_id))
        text = f"{units:g} used, but the books had {there:g}: count the spares of product {product_id}"
        change.ask_person(account_id, site_id, "discrepancy", f"site/{site_id}/product/{product_id}", text)
    return True


def count(change: Change, site_id: int, product_id: int, units: float, source: str) -> bool:
    """A person counted: from now on this is what is there."""
    difference = round(units - on_hand(change, site_id, product_id), 6)
    if not _book(change, site_id, product_id, difference, "counted", source, difference):
        return False
    change.close_tasks(f"site/{site_id}/product/{product_id}", "discrepancy")
    return True


def _book(
    change: Change, site_id: int, product_id: int, units: float, kind: str, source: str, discrepancy: float
) -> bool:
    units = round(units, 6)  # as the shelf is kept, or many small uses would drift apart from their sum
    after = round(on_hand(change, site_id, product_id) + units, 6)
    row = {
        "site_id": site_id,
        "product_id": product_id,
        "kind": kind,
        "units": units,
        "on_hand": after,
        "source": source,
        "by": change.by,
        "discrepancy": discrepancy,
        "ts": change.now,
    }
    if not insert_new(change.tx, stock_movement, row):
        return False
    change.tx.execute(
        update(stock)
        .where(stock.c.site_id == site_id, stock.c.product_id == product_id)
        .values(on_hand=after, changed=change.now)
    )
    change.cover_changed(site_id, product_id)
    return True
