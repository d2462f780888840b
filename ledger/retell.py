"""Tell the journal everything anew: facts of all aggregates, as they are."""

from sqlalchemy import Connection, Table, select

from ledger import facts
from ledger.tables import account, account_product, calendar, device, lane, site, slot, slot_class, stock


def retell(tx: Connection) -> int:
    """Facts of the whole fleet, catalogue and stock; how many aggregates. Parents first, as at registration."""
    told = 0
    for enqueue, table in (
        (facts.enqueue_accounts, account),
        (facts.enqueue_calendars, calendar),
        (facts.enqueue_classes, slot_class),
        (facts.enqueue_sites, site),
        (facts.enqueue_lanes, lane),
        (facts.enqueue_devices, device),
        (facts.enqueue_slots, slot),
    ):
        ids = _ids(tx, table)
        enqueue(tx, ids)
        told += len(ids)
    products: dict[int, list[int]] = {}
    for row in tx.execute(select(account_product.c.account_id, account_product.c.product_id)):
        products.setdefault(row.account_id, []).append(row.product_id)
    for account_id, mine in products.items():
        facts.enqueue_account_products(tx, account_id, mine)
    shelves = [(row.site_id, row.product_id) for row in tx.execute(select(stock.c.site_id, stock.c.product_id))]
    facts.enqueue_stocks(tx, shelves)
    return told + sum(map(len, products.values())) + len(shelves)


def _ids(tx: Connection, table: Table) -> list[int]:
    return list(tx.scalars(select(table.c.id).order_by(table.c.id)))
