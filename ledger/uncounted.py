"""Shelves that nobody ever counted: going to `auto` with them would fill every closet on the first day."""

from sqlalchemy import Connection, exists, select

from ledger.tables import device, product, site, slot, stock_movement


def uncounted(tx: Connection, account_id: int) -> list[tuple[str, str]]:
    """(site, SKU) of what fits the account's slots."""
    mine = (stock_movement.c.site_id == slot.c.site_id, stock_movement.c.product_id == slot.c.product_id)
    counted = exists().where(*mine, stock_movement.c.kind == "counted")
    rows = tx.execute(
        select(site.c.name, product.c.sku)
        .distinct()
        .select_from(slot)
        .join(site, site.c.id == slot.c.site_id)
        .join(device, device.c.id == slot.c.device_id)
        .join(product, product.c.id == slot.c.product_id)
        .where(slot.c.account_id == account_id, ~slot.c.retired, ~device.c.retired, ~counted)
        .order_by(site.c.name, product.c.sku)
    )
    return [(name, sku) for name, sku in rows]
