"""Stock-out risks: slots that will rather be empty than not before anything comes. Told once in a cycle, as event."""

from typing import Final

from sqlalchemy import Connection, and_, or_, select

from ledger.change import Change
from ledger.engine import Ledger, insert_new
from ledger.tables import device, risk, slot, slot_view
from ledger.views.rows import iso

LIKELY: Final = 0.5
EMPTY: Final = 3
AT_RISK: Final = 2
PAGE: Final = 200


def tell(ledger: Ledger, now: int) -> int:
    """Tell what is not told yet; how many. `now` is domain time. Raises Unavailable."""
    told = 0
    while True:
        with ledger.read() as tx:
            found = tx.execute(_QUERY).all()
        if not found:
            return told
        with ledger.write() as tx:
            told += sum(_tell(tx, row.slot_id, row.cycle, now) for row in tx.execute(_QUERY).all())


def _tell(tx: Connection, slot_id: int, cycle: int, now: int) -> bool:
    row = tx.execute(_ONE.where(slot_view.c.slot_id == slot_id)).one()
    mine = {"slot_id": slot_id, "cycle": cycle, "ts": now}
    if not insert_new(tx, risk, mine):
        tx.execute(risk.update().where(risk.c.slot_id == slot_id).values(cycle=cycle, ts=now))
    text = (
        "it is empty, and nothing is on the shelf"
        if row.band == EMPTY
        else f"it will be empty before anything can arrive (P {row.probability:.0%}), and nothing is on the shelf or "
        f"ordered; expected empty {(iso(row.empty_at) or 'soon')[:10]}"
    )
    data = {"cycle": cycle, "probability": row.probability, "empty_at": iso(row.empty_at), "text": text}
    Change(tx, now, "ledger").tell(row.account_id, "slot.stock_out_risk", f"slot/{slot_id}", **data)
    return True


_empty = and_(slot_view.c.band == EMPTY, slot_view.c.on_hand <= 0)
_late = and_(
    slot_view.c.band == AT_RISK,
    slot_view.c.probability >= LIKELY,
    slot_view.c.on_hand <= 0,
    slot_view.c.on_order <= 0,
)
_ONE = select(slot_view.c.band, slot_view.c.probability, slot_view.c.empty_at, slot.c.account_id).join_from(
    slot_view, slot, slot.c.id == slot_view.c.slot_id
)
_QUERY = (
    select(slot_view.c.slot_id, slot_view.c.cycle)
    .join_from(slot_view, slot, slot.c.id == slot_view.c.slot_id)
    .join(device, device.c.id == slot.c.device_id)
    .outerjoin(risk, risk.c.slot_id == slot_view.c.slot_id)
    .where(
        or_(_empty, _late),
        slot.c.retired.is_(False),
        device.c.retired.is_(False),
        device.c.sandbox.is_(False),
        or_(risk.c.cycle.is_(None), risk.c.cycle != slot_view.c.cycle),
    )
    .order_by(slot_view.c.slot_id)
    .limit(PAGE)
)
