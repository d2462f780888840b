"""The draft order of (site, supplier, window), and the line of a product in it."""

from typing import Any

from sqlalchemy import Row, insert, select, update

from ledger.change import Change
from ledger.orders import book
from ledger.orders.carried import CARRIED
from ledger.tables import order, order_line
from models.effects import Need
from models.orders import LineState, OrderState
from models.pricing import Quote, quote


def draft_of(change: Change, effect: Need, where: Row[Any], best: Quote) -> int:
    """The open draft of this site and supplier, or a new one. `where`: see propose."""
    key = (effect.site, best.terms.supplier, where.sandbox, where.currency)
    if key not in change.drafts:
        change.drafts[key] = _find(change, key) or _open(change, effect, where, best)
    number = change.drafts[key]
    if effect.urgent:
        change.tx.execute(update(order).where(order.c.id == number).values(urgent=True))
    return number


def join(change: Change, draft_id: int, effect: Need, units: float, best: Quote) -> int:
    """The line that answers the need; needs of one product may reach a multiple or a price break together."""
    lines = book.lines_of(change, draft_id)
    mine = next((line for line in lines if line.product_id == effect.product), None)
    if mine is None:
        return _new_line(change, draft_id, effect, units, best)
    needed = mine.units_needed + units
    needed_by = min(mine.needed_by, effect.deadline)
    book.price(change, mine, quote(best.terms, needed), needed, needed_by=needed_by)
    return int(mine.id)


def _find(change: Change, key: tuple[Any, ...]) -> int | None:
    site_id, supplier_id, sandbox, currency = key
    mine = (order.c.site_id == site_id, order.c.supplier_id == supplier_id, order.c.state == OrderState.PROPOSED)
    query = select(order.c.id).where(*mine, order.c.sandbox == sandbox, order.c.currency == currency)
    return change.tx.scalar(query.order_by(order.c.id).limit(1).with_for_update())


def _open(change: Change, effect: Need, where: Row[Any], best: Quote) -> int:
    window = change.rules.window_ms if where.window_ms is None else where.window_ms
    until = change.now + max(1, window)  # at least one tick
    number: int = change.tx.execute(
        insert(order)
        .values(
            account_id=where.account_id,
            site_id=effect.site,
            shard=where.shard,
            supplier_id=best.terms.supplier,
            state=OrderState.PROPOSED,
            channel=effect.channel,
            urgent=effect.urgent,
            sandbox=where.sandbox,
            currency=where.currency,
            **{name: getattr(where, name) for name in CARRIED},
            due_at=until,
            due_for="close",
            window_until=until,
            created=change.now,
            changed=change.now,
        )
        .returning(order.c.id)
    ).scalar_one()
    change.tell(where.account_id, "order.proposed", f"order/{number}", site=effect.site, state=OrderState.PROPOSED)
    return number


def _new_line(change: Change, draft_id: int, effect: Need, units: float, best: Quote) -> int:
    used = select(order_line.c.line).where(order_line.c.order_id == draft_id).order_by(order_line.c.line.desc())
    number: int = change.tx.execute(
        insert(order_line)
        .values(
            order_id=draft_id,
            line=(change.tx.scalar(used.limit(1)) or 0) + 1,
            site_id=effect.site,
            product_id=effect.product,
            offer_id=best.terms.offer,
            supplier_sku=best.terms.supplier_sku,
            quantity=best.quantity,
            pack=best.terms.pack,
            units=float(best.units),
            units_needed=units,
            unit_price=best.unit_price.amount,
            currency=best.terms.currency,
            amount=best.total.amount,
            price_break=max(1, best.from_quantity),
            price_list_id=best.terms.price_list or None,
            state=LineState.DRAFT,
            live=True,
            needed_by=effect.deadline,
            expected=change.now + best.terms.lead_ms,
            created=change.now,
        )
        .returning(order_line.c.id)
    ).scalar_one()
    return number
