"""Nobody approved in time: it is escalated once, then it expires."""

from typing import Any

from sqlalchemy import Row, select

from ledger.change import Change
from ledger.orders import book
from ledger.orders.close_window import decide
from ledger.tables import account
from models.facts import NeedState
from models.orders import Event, Guard, LineState

CLOCK = "clock"


def approve_by_passed(change: Change, row: Row[Any]) -> None:
    if not row.escalated:
        _escalate(change, row)
        return
    needs = book.open_needs(change, order_id=row.id)
    decide(change, row, CLOCK, "expired", "nobody approved in time")
    book.move(
        change,
        row,
        Event.APPROVE_BY_PASSED,
        frozenset({Guard.ESCALATED}),
        text=f"order {row.id} expired: nobody approved it in time; release its needs to try again",
        reason="nobody approved in time",
        due_at=None,
        due_for="",
    )
    change.close_tasks(f"order/{row.id}", "approval", "approval_late")
    book.retire_lines(change, book.lines_of(change, row.id), LineState.CANCELLED)
    book.settle(change, needs, NeedState.REFUSED, "nobody approved in time")


def _escalate(change: Change, row: Row[Any]) -> None:
    own = change.tx.scalar(select(account.c.approve_within_ms).where(account.c.id == row.account_id))
    approve_by = change.now + (change.rules.approve_within_ms if own is None else own)
    decide(change, row, CLOCK, "escalated", "nobody approved in time")
    book.move(
        change,
        row,
        Event.APPROVE_BY_PASSED,
        text=f"order {row.id} was not approved in time: {row.reason}",
        escalated=True,
        approve_by=approve_by,
        due_at=approve_by,
        due_for="approve_by",
    )
