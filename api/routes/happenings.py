"""What somebody should look at: alerts and tasks."""

from typing import Literal

from fastapi import APIRouter

from api import shapes
from api.answer import Answer
from api.auth import Reader
from api.once import OnceRoute
from api.paging import Cursor, Limit, decode, page
from api.services import Wired
from ledger.views import happenings as view

router = APIRouter(prefix="/v1", tags=["happenings"], route_class=OnceRoute)


@router.get("/alerts", response_model=shapes.Page[shapes.Alert])
def list_alerts(
    wired: Wired,
    caller: Reader,
    raised: bool = True,
    site: int | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Newest first; `raised=false` shows those that are over as well."""
    with wired.ledger.read() as tx:
        rows = view.alerts(tx, caller.scope, raised=raised, site=site, position=decode(cursor, int), limit=limit + 1)
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.get("/tasks", response_model=shapes.Page[shapes.Task])
def list_tasks(
    wired: Wired,
    caller: Reader,
    state: Literal["open", "done"] | None = "open",
    site: int | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """What only a person can do, newest first."""
    with wired.ledger.read() as tx:
        rows = view.tasks(tx, caller.scope, state=state, site=site, position=decode(cursor, int), limit=limit + 1)
    return Answer(page(rows, limit, lambda row: [row["id"]]))
