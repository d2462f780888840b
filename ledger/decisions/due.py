"""What the clock moves: windows, holds, approve-by, silent suppliers, late goods. Fired by ticks, in order of time."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, select, update

from ledger.change import Change
from ledger.decisions.data_errors import is_data_error, why
from ledger.orders import book, rehearse
from ledger.orders.close_window import close_window
from ledger.orders.expire import approve_by_passed
from ledger.orders.overdue import overdue, silent
from ledger.orders.place import place
from ledger.tables import order
from models.units import DAY

FIRE: Final[dict[str, Callable[[Change, Row[Any]], object]]] = {
    "close": close_window,
    "place": place,
    "approve_by": approve_by_passed,
    "acknowledge": silent,
    "overdue": overdue,
    rehearse.DUE_FOR: rehearse.rehearse,
}


def _due(partition: int, partitions: int, now: int) -> ColumnElement[bool]:
    return and_(order.c.due_at <= now, order.c.shard % partitions == partition)


def exists(tx: Connection, partition: int, partitions: int, now: int) -> bool:
    return tx.scalar(select(order.c.id).where(_due(partition, partitions, now)).limit(1)) is not None


def fire(change: Change, partition: int, partitions: int) -> None:
    """Fire all that is due at `change.now`."""
    for number in _numbers(change, partition, partitions):
        _fire(change, number)
    change.finish()


def fire_each(change: Change, partition: int, partitions: int) -> None:
    """The same after a data error: an order that cannot go on waits a day for a person, the others go on."""
    for number in _numbers(change, partition, partitions):
        trial = change.fork()
        try:
            with change.tx.begin_nested():
                _fire(trial, number)
        except Exception as error:
            if not is_data_error(error):
                raise
            _put_off(change, number, why(error))
        else:
            change = trial
    change.finish()


def _numbers(change: Change, partition: int, partitions: int) -> list[int]:
    query = select(order.c.id).where(_due(partition, partitions, change.now)).order_by(order.c.due_at, order.c.id)
    return list(change.tx.scalars(query))


def _fire(change: Change, number: int) -> None:
    """Each verb sets a later `due_at` or none, so this ends."""
    row = book.lock(change, number)
    while row.due_at is not None and row.due_at <= change.now:  # a late tick may find several of its times past
        FIRE[row.due_for](change, row)
        row = book.lock(change, number)


def _put_off(change: Change, number: int, reason: str) -> None:
    row = book.lock(change, number)
    change.tx.execute(update(order).where(order.c.id == number).values(due_at=change.now + DAY))
    text = f"order {number} cannot go on ({row.due_for}): {reason}; it is tried again in a day"
    change.ask_person(row.account_id, row.site_id, "order_stuck", f"order/{number}", text)
