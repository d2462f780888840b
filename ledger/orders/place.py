"""The hold ends: the order goes to the supplier, as a purchase order in the outbox, and its receipt is frozen."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, update

from ledger import outbox, receipts
from ledger.change import Change
from ledger.offers import latest, median
from ledger.orders import book, rehearse
from ledger.tables import (
    account,
    offer,
    order_line,
    product,
    purchase_order,
    purchase_order_line,
    receipt,
    site,
    supplier,
)
from models.money import Money
from models.orders import Event, LineState
from models.outbox import Kind


def place(change: Change, row: Row[Any]) -> int:
    """`row` is a locked, approved order; the id of its purchase order."""
    lines = book.lines_of(change, row.id)
    grids = {
        found.id: found.grid_ms
        for found in change.tx.execute(
            select(offer.c.id, offer.c.grid_ms).where(offer.c.id.in_([x.offer_id for x in lines]))
        )
    }
    seller = change.tx.execute(select(supplier).where(supplier.c.id == row.supplier_id)).one()
    patience = change.rules.acknowledge_within_ms
    if seller.acknowledge_within_ms is not None:
        patience = seller.acknowledge_within_ms
    overdue_at = change.now + max(latest(grid) for grid in grids.values())
    answer_by = change.now + patience
    expected = change.now + max(median(grid) for grid in grids.values())
    due_at, due_for = (answer_by, "acknowledge") if answer_by < overdue_at else (overdue_at, "overdue")
    if row.sandbox:
        due_at, due_for = rehearse.first(change.now, expected), rehearse.DUE_FOR
    freeze(change, row)
    book.move(
        change,
        row,
        Event.HOLD_ENDED,
        placed_at=change.now,
        expected=expected,
        overdue_at=overdue_at,
        due_at=due_at,
        due_for=due_for,
    )
    number = _purchase_order(change, row, seller)
    for line in lines:
        _place_line(change, number, line, change.now + median(grids[line.offer_id]))
    if not row.sandbox:  # a sandbox goes through every state, but nothing of it leaves the house
        key = f"purchase_order/{number}"
        outbox.put(
            change.tx, Kind.PURCHASE_ORDER, key, document(change, number), key=key, target=f"supplier/{seller.id}"
        )
    change.tell(row.account_id, "order.placed", f"order/{row.id}", purchase_order=number, site=row.site_id)
    return number


def freeze(change: Change, row: Row[Any]) -> None:
    made = receipts.build(change.tx, row.id, change.now, change.rules.logic, frozen_at=change.now)
    change.tx.execute(
        insert(receipt).values(
            order_id=row.id, document=msgspec.to_builtins(made), logic=change.rules.logic, ts=change.now
        )
    )


def _purchase_order(change: Change, row: Row[Any], seller: Row[Any]) -> int:
    number: int = change.tx.execute(
        insert(purchase_order)
        .values(
            order_id=row.id,
            account_id=row.account_id,
            supplier_id=row.supplier_id,
            site_id=row.site_id,
            state=LineState.PLACED,
            channel=seller.channel,
            currency=row.currency,
            total=row.total,
            placed_at=change.now,
        )
        .returning(purchase_order.c.id)
    ).scalar_one()
    return number


def _place_line(change: Change, number: int, line: Row[Any], expected: int) -> None:
    change.tx.execute(
        insert(purchase_order_line).values(
            purchase_order_id=number,
            line=line.line,
            order_line_id=line.id,
            product_id=line.product_id,
            supplier_sku=line.supplier_sku,
            quantity=line.quantity,
            unit_price=line.unit_price,
            currency=line.currency,
            state=LineState.PLACED,
            needed_by=line.needed_by,
            expected=expected,
        )
    )
    change.tx.execute(
        update(order_line).where(order_line.c.id == line.id).values(state=LineState.PLACED, expected=expected)
    )
    change.cover_changed(line.site_id, line.product_id)


def document(change: Change, number: int) -> bytes:
    """The purchase order as the supplier gets it: JSON, version 1."""
    head = change.tx.execute(
        select(
            purchase_order.c.id,
            purchase_order.c.order_id,
            purchase_order.c.placed_at,
            account.c.name.label("account"),
            site.c.name.label("site"),
            site.c.address,
        )
        .join(account, account.c.id == purchase_order.c.account_id)
        .join(site, site.c.id == purchase_order.c.site_id)
        .where(purchase_order.c.id == number)
    ).one()
    mine = purchase_order_line.c.purchase_order_id == number
    lines = change.tx.execute(
        select(purchase_order_line, product.c.sku)
        .join(product, product.c.id == purchase_order_line.c.product_id)
        .where(mine)
        .order_by(purchase_order_line.c.line)
    )
    return msgspec.json.encode(
        {
            "version": 1,
            "purchase_order": head.id,
            "order": head.order_id,
            "account": head.account,
            "site": {"name": head.site, "address": head.address},
            "lines": [
                {
                    "line": line.line,
                    "sku": line.sku,
                    "supplier_sku": line.supplier_sku,
                    "quantity": line.quantity,
                    "unit_price": str(Money(line.unit_price, line.currency)).removesuffix(f" {line.currency}"),
                    "currency": line.currency,
                    "needed_by": iso(line.needed_by),
                }
                for line in lines
            ],
            "placed_at": iso(head.placed_at),
        }
    )


def iso(ms: int) -> str:
    """RFC 3339 in UTC. A deadline that nobody can name (`units.NEVER`) is the end of year 9999."""
    at = datetime.fromtimestamp(min(ms, 253_402_300_799_000) / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
