"""What came of requests: answers, counts, reversals."""

import msgspec
from sqlalchemy import select, update

from ledger import audit, stock
from ledger.change import Change
from ledger.clock import real_ms
from ledger.tables import refill, request, site, slot, stock_movement
from models.effects import Counted, RequestAnswered


def answered(change: Change, effect: RequestAnswered) -> None:
    """Once: a second answer changes nothing. A request that no API wrote (an import, a test) has no row."""
    row = change.tx.execute(
        update(request)
        .where(request.c.id == effect.id, request.c.answered.is_(None))
        .values(
            outcome=effect.outcome,
            reason=effect.reason,
            cycle=effect.cycle,
            attempt=effect.attempt,
            evidence=None if effect.evidence is None else msgspec.to_builtins(effect.evidence),
            answered=change.now,
        )
        .returning(request.c.account_id, request.c.kind, request.c.by)
    ).one_or_none()
    if row is None:
        return
    if effect.outcome == "reversed":
        _reverse(change, effect, row.by)
    data = {"outcome": effect.outcome, "reason": effect.reason, "slot": effect.slot}
    change.tell(row.account_id, "request.answered", f"request/{effect.id}", **data)


def counted(change: Change, effect: Counted) -> None:
    account_id = change.tx.scalar(select(site.c.account_id).where(site.c.id == effect.site))
    if account_id is None:
        raise ValueError(f"the ledger knows no site {effect.site}")
    before = stock.on_hand(change, effect.site, effect.product)
    if not stock.count(change, effect.site, effect.product, effect.units, f"request/{effect.id}"):
        return
    subject = f"site/{effect.site}/product/{effect.product}"
    told = {"before": {"units": before}, "after": {"units": effect.units}}
    audit.record(change.tx, effect.by, "spares.counted", subject, real_ms(), account_id=account_id, **told)
    change.tell(account_id, "spares.counted", subject, units=effect.units, before=before, counted_by=effect.by)


def _reverse(change: Change, effect: RequestAnswered, by: str) -> None:
    """That was no refill: what it was thought to have used is on the shelf."""
    row = change.tx.execute(
        update(refill)
        .where(refill.c.slot_id == effect.slot, refill.c.cycle == effect.cycle, refill.c.reversed_at.is_(None))
        .values(reversed_by=by, reversed_at=change.now)
        .returning(refill.c.id)
    ).one_or_none()
    if row is None:
        return
    source = f"refill/{effect.slot}/{effect.cycle}"
    used = change.tx.execute(
        select(stock_movement).where(stock_movement.c.source == source, stock_movement.c.kind == "used")
    ).one_or_none()
    if used is not None and used.units < 0:
        stock.add(
            change, used.site_id, used.product_id, -used.units, "reversed", f"reverse/{effect.slot}/{effect.cycle}"
        )
    account_id = change.tx.scalar(select(slot.c.account_id).where(slot.c.id == effect.slot))
    change.tell(account_id, "slot.refill_reversed", f"slot/{effect.slot}", cycle=effect.cycle)
