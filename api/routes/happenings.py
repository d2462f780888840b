"""What somebody should look at: alerts, tasks, quarantined input."""

from typing import Literal

from fastapi import APIRouter

from api import shapes
from api.answer import Answer
from api.auth import Operator, Reader
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Wired
from ledger import quarantine
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


@router.get("/quarantine", response_model=shapes.Page[shapes.Held])
def list_quarantine(
    wired: Wired,
    caller: Reader,
    state: Literal["held", "discarded", "replayed"] = "held",
    device: int | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Input that was acknowledged but cannot be used, newest first."""
    with wired.ledger.read() as tx:
        rows = view.quarantine(
            tx, caller.scope, state=state, device=device, position=decode(cursor, int), limit=limit + 1
        )
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.get("/quarantine/{held_id}", response_model=shapes.HeldDetail)
def show_held(wired: Wired, caller: Reader, held_id: Id) -> Answer:
    """With what was received."""
    with wired.ledger.read() as tx:
        return Answer(view.held(tx, caller.scope, held_id))


@router.post("/quarantine/{held_id}/discard", response_model=shapes.HeldDetail)
def discard(wired: Wired, caller: Operator, held_id: Id) -> Answer:
    """It will not be looked at again, but stays on record."""
    with wired.ledger.write() as tx:
        quarantine.discard(tx, caller.scope, held_id, caller.person, wired.now())
        return Answer(view.held(tx, caller.scope, held_id))
