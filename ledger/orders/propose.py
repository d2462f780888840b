"""A need becomes a line in the draft order of (site, supplier, window), at a price, with its budget reserved."""

from typing import Any

import msgspec
from sqlalchemy import Row, insert, select, update

from ledger import facts
from ledger.change import Change
from ledger.offers import terms_of
from ledger.orders import book
from ledger.orders.close_window import close_window
from ledger.tables import account, account_product, device, need, order, order_line, product, site, slot
from models.effects import Need, need_id
from models.facts import Mode, NeedState, Refill
from models.orders import Event, LineState, OrderState
from models.pricing import Quote, choose, quote


class BadNeed(ValueError):
    """A need names what the ledger does not know."""


def propose(change: Change, effect: Need) -> None:
    """Raises BadNeed. A need that is there already changes nothing; what cannot be ordered is answered by a fact."""
    identity = str(need_id(effect.slot, effect.cycle, effect.attempt))
    if change.tx.scalar(select(need.c.id).where(need.c.uuid == identity)) is not None:
        return
    where = _whereabouts(change, effect)
    refusal = _refusal(change, effect, where)
    if refusal is not None:
        _answer(change, _record(change, effect, where, identity, *refusal), *refusal)
        return
    units = units_of(where)
    best = choose(terms_of(change.tx, where.account_id, effect.product, change.now), units, where.currency)
    if best is None:
        no_offer = (NeedState.REFUSED, "no_offer")
        row = _record(change, effect, where, identity, *no_offer)
        _answer(change, row, *no_offer)
        text = f"nobody offers {where.sku} in {where.currency}: add an offer or a price, then release need {row.id}"
        change.ask_person(where.account_id, effect.site, "no_offer", f"need/{row.id}", text)
        return
    row = _record(change, effect, where, identity, NeedState.OPEN, "")
    book.tell_need(change, row)
    draft = _draft(change, effect, where, best)
    _join(change, draft, row, best)
    if effect.urgent:
        close_window(change, book.lock(change, draft.id))


def units_of(where: Row[Any]) -> float:
    """Units of stock that one refill of the slot takes, as `step` claims them (models.decide.cover); may be a part."""
    return float((where.capacity if where.refill == Refill.TOPUP else 1.0) / where.pack_units)


def mode_of(where: Row[Any]) -> Mode:
    """The least of account, site and SKU; a pause anywhere is `observe`."""
    least = min(where.account_mode, where.site_mode, Mode.AUTO if where.sku_mode is None else where.sku_mode)
    paused = where.account_paused or where.site_paused or where.sku_paused
    return Mode(min(least, Mode.OBSERVE) if paused else least)


def _whereabouts(change: Change, effect: Need) -> Row[Any]:
    joined = (
        slot.join(device, device.c.id == slot.c.device_id)
        .join(site, site.c.id == slot.c.site_id)
        .join(account, account.c.id == slot.c.account_id)
        .join(product, product.c.id == effect.product)
        .outerjoin(
            account_product,
            (account_product.c.account_id == slot.c.account_id) & (account_product.c.product_id == effect.product),
        )
    )
    found = change.tx.execute(
        select(
            slot.c.account_id,
            slot.c.site_id,
            slot.c.refill,
            slot.c.capacity,
            slot.c.pack_units,
            site.c.shard,
            product.c.sku,
            device.c.sandbox,
            (slot.c.retired | device.c.retired | site.c.retired).label("retired"),
            account.c.currency,
            account.c.window_ms,
            account.c.mode.label("account_mode"),
            account.c.paused.label("account_paused"),
            site.c.mode.label("site_mode"),
            site.c.paused.label("site_paused"),
            account_product.c.mode.label("sku_mode"),
            account_product.c.paused.label("sku_paused"),
        )
        .select_from(joined)
        .where(slot.c.id == effect.slot)
    ).one_or_none()
    if found is None:
        raise BadNeed(f"the ledger knows no slot {effect.slot} with product {effect.product}")
    if found.site_id != effect.site:
        raise BadNeed(f"slot {effect.slot} is at site {found.site_id}, not {effect.site}")
    return found


def _refusal(change: Change, effect: Need, where: Row[Any]) -> tuple[NeedState, str] | None:
    """What `step` could not know yet: the slot went, ordering was switched off, or another need is open."""
    if where.retired:
        return NeedState.WITHDRAWN, "retired"
    if mode_of(where) < Mode.ASK:
        return NeedState.WITHDRAWN, "mode"
    other = select(need.c.id).where(need.c.slot_id == effect.slot, need.c.state == NeedState.OPEN)
    if change.tx.scalar(other) is not None:
        return NeedState.REFUSED, "another need of this slot is open"
    return None


def _record(change: Change, effect: Need, where: Row[Any], identity: str, state: NeedState, reason: str) -> Row[Any]:
    return change.tx.execute(
        insert(need)
        .values(
            uuid=identity,
            slot_id=effect.slot,
            cycle=effect.cycle,
            attempt=effect.attempt,
            account_id=where.account_id,
            site_id=effect.site,
            shard=where.shard,
            product_id=effect.product,
            units=units_of(where),
            state=state,
            reason=reason,
            cause=effect.cause,
            channel=effect.channel,
            urgent=effect.urgent,
            sandbox=where.sandbox,
            mode=effect.mode,
            request=effect.request,
            deadline=effect.deadline,
            opened=change.now,
            closed=None if state is NeedState.OPEN else change.now,
            evidence=msgspec.to_builtins(effect.evidence),
        )
        .returning(need)
    ).one()


def _answer(change: Change, row: Row[Any], state: NeedState, reason: str) -> None:
    """Nothing was bought: `step` gives back what it booked at once."""
    del state, reason  # they are in the row
    facts.enqueue_need(change.tx, row)
    change.cover_changed(row.site_id, row.product_id)
    book.tell_need(change, row)


def _draft(change: Change, effect: Need, where: Row[Any], best: Quote) -> Row[Any]:
    """The open draft of this site and supplier, or a new one."""
    kind = (order.c.sandbox == where.sandbox, order.c.currency == where.currency)
    mine = (order.c.site_id == effect.site, order.c.supplier_id == best.terms.supplier, *kind)
    query = select(order).where(*mine, order.c.state == OrderState.PROPOSED).order_by(order.c.id).limit(1)
    found = change.tx.execute(query.with_for_update()).one_or_none()
    if found is not None:
        book.move(change, found, Event.NEEDED, urgent=found.urgent or effect.urgent)
        return found
    window = change.rules.window_ms if where.window_ms is None else where.window_ms
    until = change.now + max(1, window)
    made = change.tx.execute(
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
            due_at=until,
            due_for="close",
            window_until=until,
            created=change.now,
            changed=change.now,
        )
        .returning(order)
    ).one()
    change.tell(where.account_id, "order.proposed", f"order/{made.id}", site=effect.site, state=OrderState.PROPOSED)
    return made


def _join(change: Change, draft: Row[Any], row: Row[Any], best: Quote) -> None:
    """Put the need on the draft's line of that product; together they may reach a multiple or a price break."""
    lines = book.lines_of(change, draft.id)
    mine = next((line for line in lines if line.product_id == row.product_id), None)
    if mine is None:
        line_id = _new_line(change, draft, row, best)
    else:
        line_id, needed = mine.id, mine.units_needed + row.units
        book.price(change, mine, quote(best.terms, needed), needed)
        sooner = update(order_line).where(order_line.c.id == line_id, order_line.c.needed_by > row.deadline)
        change.tx.execute(sooner.values(needed_by=row.deadline))
    change.tx.execute(update(need).where(need.c.id == row.id).values(order_line_id=line_id))
    change.cover_changed(row.site_id, row.product_id)
    book.reserve(change, draft)
    book.add_up(change, draft.id)


def _new_line(change: Change, draft: Row[Any], row: Row[Any], best: Quote) -> int:
    used = select(order_line.c.line).where(order_line.c.order_id == draft.id).order_by(order_line.c.line.desc())
    number: int = change.tx.execute(
        insert(order_line)
        .values(
            order_id=draft.id,
            line=(change.tx.scalar(used.limit(1)) or 0) + 1,
            site_id=row.site_id,
            product_id=row.product_id,
            offer_id=best.terms.offer,
            supplier_sku=best.terms.supplier_sku,
            quantity=best.quantity,
            pack=best.terms.pack,
            units=float(best.units),
            units_needed=row.units,
            unit_price=best.unit_price.amount,
            currency=best.terms.currency,
            amount=best.total.amount,
            price_break=max(1, best.from_quantity),
            price_list_id=best.terms.price_list or None,
            state=LineState.DRAFT,
            live=True,
            needed_by=row.deadline,
            expected=change.now + best.terms.lead_ms,
            created=change.now,
        )
        .returning(order_line.c.id)
    ).scalar_one()
    return number
