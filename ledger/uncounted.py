"""Shelves that nobody ever counted: going to `auto` with them would fill every closet on the first day."""

from sqlalchemy import Connection, exists, select

from ledger.tables import device, product, site, slot, stock_movement


def uncounted(
    tx: Connection, account_id: int, *, site_id: int | None = None, product_id: int | None = None
) -> list[tuple[str, str]]:
    """(site, SKU) of what fits the slots of the account, or of one of its sites, or of one product."""
    mine = (stock_movement.c.site_id == slot.c.site_id, stock_movement.c.product_id == slot.c.product_id)
    counted = exists().where(*mine, stock_movement.c.kind == "counted")
    query = (
        select(site.c.name, product.c.sku)
        .distinct()
        .select_from(slot)
        .join(site, site.c.id == slot.c.site_id)
        .join(device, device.c.id == slot.c.device_id)
        .join(product, product.c.id == slot.c.product_id)
        .where(slot.c.account_id == account_id, ~slot.c.retired, ~device.c.retired, ~counted)
        .order_by(site.c.name, product.c.sku)
    )
    if site_id is not None:
        query = query.where(slot.c.site_id == site_id)
    if product_id is not None:
        query = query.where(slot.c.product_id == product_id)
    rows = tx.execute(query)
    return [(name, sku) for name, sku in rows]
