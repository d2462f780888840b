"""Who changed what."""

from typing import Annotated

from fastapi import APIRouter, Query

from api import shapes
from api.answer import Answer
from api.auth import Admin
from api.paging import Cursor, Limit, decode, page
from api.services import Wired
from api.tables import TableRoute
from ledger import audit
from ledger.views import access as view

router = APIRouter(prefix="/v1", tags=["people"], route_class=TableRoute)
Word = Annotated[str | None, Query(max_length=128)]


@router.get("/audit", response_model=shapes.Page[shapes.AuditEntry])
def list_audit(
    wired: Wired,
    caller: Admin,
    subject: Word = None,
    by: Word = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Every change that a person or program asked for, with how it was before and after; newest first.

    What is no account's (products, suppliers, people of several accounts) is shown to who sees all accounts."""
    position = decode(cursor, int)
    with wired.ledger.read() as tx:
        before = None if position is None else position[0]
        rows = audit.list_entries(tx, caller.scope, before=before, limit=limit + 1, subject=subject, by=by)
    return Answer(page([view.entry(row) for row in rows], limit, lambda row: [row["id"]]))
