"""For how long devices could reach us: silence counts only this time, so that our own outage is nobody's fault."""

from typing import Final

from sqlalchemy import Connection, delete, select, update

from ledger.engine import insert_new, upsert
from ledger.tables import counter, listening
from models.units import DAY

TOTAL: Final = "listening.total"  # ms for which at least one gateway accepted
FRONTIER: Final = "listening.until"  # up to here it is counted
FORGET: Final = 30 * DAY  # a gateway that was not heard of for so long


def report(tx: Connection, gateway: str, now: int, accepted: int) -> None:
    """`gateway` says every few seconds: of the time up to `now`, the last `accepted` ms I accepted. Domain time, ms.

    What another gateway has reported already is not counted twice."""
    insert_new(tx, counter, {"name": TOTAL, "value": 0})
    insert_new(tx, counter, {"name": FRONTIER, "value": 0})
    frontier = tx.execute(select(counter.c.value).where(counter.c.name == FRONTIER).with_for_update()).scalar_one()
    new = max(0, now - max(now - max(0, accepted), frontier))
    if now > frontier:
        tx.execute(update(counter).where(counter.c.name == FRONTIER).values(value=now))
    if new:
        tx.execute(update(counter).where(counter.c.name == TOTAL).values(value=counter.c.value + new))
    upsert(tx, listening, [{"gateway": gateway, "until": now, "accepted": accepted}], on=["gateway"])
    tx.execute(delete(listening).where(listening.c.until < now - FORGET))


def listened(tx: Connection) -> int:
    """ms of domain time for which at least one gateway accepted, since the ledger was made; it never falls."""
    return int(tx.scalar(select(counter.c.value).where(counter.c.name == TOTAL)) or 0)
