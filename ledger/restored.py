"""What a ledger that comes from a backup must do before it may go on.

The time between the backup and now is lost to it, but not to others: devices, suppliers and the journal's end may have
heard of it. So what it says from now on counts as newer, and it gives no number again that it may have given before.
"""

from typing import Final, NamedTuple

from sqlalchemy import Connection, select, text, update

from ledger import meta
from ledger.retell import retell
from ledger.tables import account

GAP: Final = 1_000_000  # numbers left out: more than any table gets in the time that a restore may lose


class Restored(NamedTuple):
    incarnation: int
    facts: int  # aggregates that the journal is told of anew
    paused: list[str]  # accounts whose ordering was paused


def go_on(tx: Connection, *, pause: bool) -> Restored:
    """`pause`: no account orders before a person has looked at what was ordered in the lost time."""
    incarnation = meta.new_incarnation(tx)
    _leave_a_gap(tx)
    names = _paused(tx) if pause else []
    return Restored(incarnation, retell(tx), names)


def _paused(tx: Connection) -> list[str]:
    names = tx.scalars(select(account.c.name).where(~account.c.paused).order_by(account.c.name)).all()
    tx.execute(update(account).values(paused=True))
    return list(names)


def _leave_a_gap(tx: Connection) -> None:
    """Orders, purchase orders, events, ... of the lost time may be known outside by their numbers."""
    tx.execute(text("UPDATE sqlite_sequence SET seq = seq + :gap"), {"gap": GAP})
    known = {row[0] for row in tx.execute(text("SELECT name FROM sqlite_sequence"))}
    sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
    for name in {row[0] for row in tx.execute(text(sql))} - known:
        tx.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :gap)"), {"name": name, "gap": GAP})
