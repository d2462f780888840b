"""What the clock moves: windows, holds, approve-by, silent suppliers, late goods. Fired by ticks, in order of time."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, select

from ledger.change import Change
from ledger.orders import book
from ledger.orders.close_window import close_window
from ledger.orders.expire import approve_by_passed
from ledger.orders.overdue import overdue, silent
from ledger.orders.place import place
from ledger.tables import order

FIRE: Final[dict[str, Callable[[Change, Row[Any]], object]]] = {
    "close": close_window,
    "place": place,
    "approve_by": approve_by_passed,
    "acknowledge": silent,
    "overdue": overdue,
}


def _due(partition: int, partitions: int, now: int) -> ColumnElement[bool]:
    return and_(order.c.due_at <= now, order.c.shard % partitions == partition)


def exists(tx: Connection, partition: int, partitions: int, now: int) -> bool:
    return tx.scalar(select(order.c.id).where(_due(partition, partitions, now)).limit(1)) is not None


def fire(change: Change, partition: int, partitions: int) -> int:
    """Fire all that is due at `change.now`; how many. Each verb sets a later `due_at` or none, so this ends."""
    fired = 0
    query = select(order.c.id).where(_due(partition, partitions, change.now)).order_by(order.c.due_at, order.c.id)
    for number in change.tx.scalars(query).all():
        row = book.lock(change, number)
        while row.due_at is not None and row.due_at <= change.now:  # a late tick may find several of its times past
            FIRE[row.due_for](change, row)
            fired += 1
            row = book.lock(change, number)
    return fired
