"""A device may connect once all facts of its registration are in the journal."""

from collections.abc import Collection

from sqlalchemy import Connection, String, cast, literal, select, update

from ledger.outbox import WAITING
from ledger.registry.directory_change import next_change
from ledger.tables import device, outbox, slot
from ledger.tables.streams import UNSETTLED
from models.outbox import Kind


def mark_ready(tx: Connection) -> int:
    """Set devices ready whose facts have all left the outbox; how many. Facts leave in order of their ids, but for
    those that had to be tried again, and then the devices behind them wait as well."""
    if tx.scalar(select(device.c.id).where(~device.c.ready).limit(1)) is None:
        return 0
    facts = select(outbox.c.id).where(outbox.c.state == WAITING, outbox.c.kind == Kind.FACT)
    waiting = tx.scalar(facts.order_by(outbox.c.id).limit(1))
    through = [] if waiting is None else [device.c.ready_after < waiting]
    if tx.scalar(select(device.c.id).where(~device.c.ready, *through).limit(1)) is None:
        return 0
    values = {"ready": True, "change": next_change(tx)}
    return tx.execute(update(device).where(~device.c.ready, *through).values(values)).rowcount


def unsent(tx: Connection, device_ids: Collection[int]) -> set[int]:
    """Those of which a slot has changed and the journal does not know it yet: a reading that names it must wait."""
    fact = literal("slot/") + cast(slot.c.id, String)
    query = select(slot.c.device_id).distinct().join(outbox, outbox.c.aggregate == fact)
    return set(tx.scalars(query.where(slot.c.device_id.in_(device_ids), UNSETTLED)))
