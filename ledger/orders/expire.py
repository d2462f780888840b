"""Nobody approved in time: it is escalated once, then it expires."""

from typing import Any

from sqlalchemy import Row, select

from ledger.change import Change
from ledger.orders import book
from ledger.orders.close_window import decide
from ledger.tables import account, person
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
    columns = (account.c.approve_within_ms, person.c.name)
    joined = select(*columns).outerjoin(person, person.c.id == account.c.escalate_to)
    own, last = change.tx.execute(joined.where(account.c.id == row.account_id)).one()
    approve_by = change.now + (change.rules.approve_within_ms if own is None else own)
    to = f"{last} is asked" if last else "whoever may approve is asked again"
    decide(change, row, CLOCK, "escalated", f"nobody approved in time: {to}")
    book.move(
        change,
        row,
        Event.APPROVE_BY_PASSED,
        text=f"order {row.id} was not approved in time, {to}: {row.reason}",
        escalated=True,
        approve_by=approve_by,
        due_at=approve_by,
        due_for="approve_by",
    )
