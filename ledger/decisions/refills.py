"""A refill was seen: a cycle closed, a unit left the shelf, and it came in time or too late."""

from typing import Any

from sqlalchemy import Row, select

from ledger import stock
from ledger.change import Change
from ledger.engine import insert_new
from ledger.orders.deliver import infer
from ledger.tables import refill, slot
from models.effects import RefillSeen


def seen(change: Change, effect: RefillSeen) -> None:
    where = change.tx.execute(select(slot).where(slot.c.id == effect.slot)).one_or_none()
    if where is None:
        raise ValueError(f"the ledger knows no slot {effect.slot}")
    row = {
        "slot_id": effect.slot,
        "cycle": effect.cycle,
        "kind": effect.kind,
        "ts": effect.ts,
        "boot": effect.boot,
        "seq": effect.seq,
        "level_before": effect.level_before,
        "level_after": effect.level_after,
        "units": effect.units,
        "empty_since": effect.empty_since,
        "why": effect.why,
    }
    if not insert_new(change.tx, refill, row):
        return
    if where.product_id is not None and effect.units > 0:
        _take(change, where, effect)
    outcome = "missed" if effect.empty_since else "met"
    change.tell(
        where.account_id,
        "slot.refilled",
        f"slot/{effect.slot}",
        cycle=effect.cycle,
        kind=effect.kind.name.lower(),
        empty=outcome,
        empty_since=effect.empty_since,
        why=effect.why,
    )


def _take(change: Change, where: Row[Any], effect: RefillSeen) -> None:
    """With too little on the shelf: goods that may well have come were put in before anybody said so."""
    short = effect.units - stock.on_hand(change, where.site_id, where.product_id)
    if short > 1e-6:
        infer(change, where.site_id, where.product_id, short, f"refill/{effect.slot}/{effect.cycle}")
    stock.use(change, where.site_id, where.product_id, effect.units, f"refill/{effect.slot}/{effect.cycle}")
