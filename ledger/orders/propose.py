"""A need becomes a line in the draft order of (site, supplier, window), at a price, with its budget reserved."""

from typing import Any

import msgspec
from sqlalchemy import Row, insert, select

from ledger import facts, mode
from ledger.change import Change
from ledger.offers import terms_of
from ledger.orders import book
from ledger.orders.carried import DEFAULTS
from ledger.orders.close_window import close_window
from ledger.orders.draft import draft_of, join
from ledger.tables import account, account_product, device, need, product, site, slot
from models.effects import Need, need_id
from models.facts import Mode, NeedState, Refill
from models.pricing import Terms, choose


class BadNeed(ValueError):
    """A need names what the ledger does not know."""


def propose(change: Change, effect: Need) -> None:
    """Raises BadNeed. A need that is there already changes nothing; what cannot be ordered is answered by a fact.

    The draft's money and total follow in `book.settle_draft`, once for all needs of a transaction."""
    identity = str(need_id(effect.slot, effect.cycle, effect.attempt))
    same_slot = (need.c.slot_id == effect.slot) & (need.c.state == NeedState.OPEN)
    known = set(change.tx.scalars(select(need.c.uuid).where((need.c.uuid == identity) | same_slot)))
    if identity in known:
        return
    where = _whereabouts(change, effect)
    refusal = _refusal(where, occupied=bool(known))
    if refusal is not None:
        _answer(change, _record(change, effect, where, identity, *refusal))
        return
    units = units_of(where)
    best = choose(_offers(change, where.account_id, effect.product), units, where.currency)
    if best is None:
        row = _record(change, effect, where, identity, NeedState.REFUSED, "no_offer")
        _answer(change, row)
        text = f"nobody offers {where.sku} in {where.currency}: add an offer or a price, then release need {row.id}"
        change.ask_person(where.account_id, effect.site, "no_offer", f"need/{row.id}", text)
        return
    draft_id = draft_of(change, effect, where, best)
    line_id = join(change, draft_id, effect, units, best)
    book.tell_need(change, _record(change, effect, where, identity, NeedState.OPEN, "", line_id))
    change.cover_changed(effect.site, effect.product)
    change.unsettled[draft_id] = None
    if effect.urgent:
        book.settle_draft(change, draft_id)
        close_window(change, book.lock(change, draft_id))


def _offers(change: Change, account_id: int, product_id: int) -> list[Terms]:
    key = (account_id, product_id)
    if key not in change.offers:
        change.offers[key] = terms_of(change.tx, account_id, product_id, change.now)
    return change.offers[key]


def units_of(where: Row[Any]) -> float:
    """Units of stock that one refill of the slot takes, as `step` claims them (models.decide.cover); may be a part."""
    return float((where.capacity if where.refill == Refill.TOPUP else 1.0) / where.pack_units)


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
            *DEFAULTS,
            *mode.COLUMNS,
        )
        .select_from(joined)
        .where(slot.c.id == effect.slot)
    ).one_or_none()
    if found is None:
        raise BadNeed(f"the ledger knows no slot {effect.slot} with product {effect.product}")
    if found.site_id != effect.site:
        raise BadNeed(f"slot {effect.slot} is at site {found.site_id}, not {effect.site}")
    return found


def _refusal(where: Row[Any], *, occupied: bool) -> tuple[NeedState, str] | None:
    """What `step` could not know yet: the slot went, ordering was switched off, or another need is open."""
    if where.retired:
        return NeedState.WITHDRAWN, "retired"
    if mode.effective(mode.settings_of(where).values()) < Mode.ASK:
        return NeedState.WITHDRAWN, "mode"
    if occupied:
        return NeedState.REFUSED, "another need of this slot is open"
    return None


def _record(
    change: Change,
    effect: Need,
    where: Row[Any],
    identity: str,
    state: NeedState,
    reason: str,
    line_id: int | None = None,
) -> Row[Any]:
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
            order_line_id=line_id,
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


def _answer(change: Change, row: Row[Any]) -> None:
    """Nothing was bought: `step` gives back what it booked at once."""
    facts.enqueue_need(change.tx, row)
    change.cover_changed(row.site_id, row.product_id)
    book.tell_need(change, row)
