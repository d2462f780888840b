"""The supplier is silent, or the goods are late: the order stays as it is, and a person is asked to look."""

from typing import Any

from sqlalchemy import Row

from ledger.change import Change
from ledger.orders import book
from models.orders import Event


def silent(change: Change, row: Row[Any]) -> None:
    text = f"the supplier has not answered order {row.id}: ask whether it arrived"
    book.move(change, row, Event.SILENT, text=text, due_at=row.overdue_at, due_for="overdue")


def overdue(change: Change, row: Row[Any]) -> None:
    """Past 99 % of the lead time."""
    text = f"order {row.id} is later than 99 of 100: ask the supplier, or say that it is lost"
    book.move(change, row, Event.OVERDUE, text=text, overdue=True, due_at=None, due_for="")
