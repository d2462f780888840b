"""The supplier is silent, or the goods are late: the order stays as it is, and a person is asked to look."""

from typing import Any

from sqlalchemy import Row, update

from ledger.change import Change
from ledger.orders import book
from ledger.tables import order
from models.orders import Event, OrderState


def silent(change: Change, row: Row[Any]) -> None:
    """What was shipped, or is to be cancelled, needs no acknowledgement any more: then only lateness counts."""
    late = {"due_at": row.overdue_at, "due_for": "overdue"}
    if row.state != OrderState.PLACED:
        change.tx.execute(update(order).where(order.c.id == row.id).values(late))
        return
    text = f"the supplier has not answered order {row.id}: ask whether it arrived"
    book.move(change, row, Event.SILENT, text=text, **late)


def overdue(change: Change, row: Row[Any]) -> None:
    """Past 99 % of the lead time."""
    text = f"order {row.id} is later than 99 of 100: ask the supplier, or say that it is lost"
    book.move(change, row, Event.OVERDUE, text=text, overdue=True, due_at=None, due_for="")
