"""A device may connect once all facts of its registration are in the journal."""

from sqlalchemy import Connection, select, update

from ledger.outbox import WAITING
from ledger.registry.directory_change import next_change
from ledger.tables import device, outbox
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
