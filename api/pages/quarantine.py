"""What was set aside: by reason, and one with everything that it says."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from api.pages.render import page
from api.pages.session import Viewer
from api.paging import Cursor, Id, decode
from api.paging import page as page_of
from api.routes.quarantine import advised, detail
from api.services import Wired
from ingest.advice import advice
from ingest.release import PARTLY
from ledger.views import quarantine as view

router = APIRouter(include_in_schema=False)
SHOWN = 50
State = Literal["held", "replayed", "discarded"]


@router.get("/quarantine")
def quarantine_list(
    request: Request,
    wired: Wired,
    viewer: Viewer,
    state: State = "held",
    code: Annotated[str, Query(max_length=64)] = "",
    cursor: Cursor = None,
) -> HTMLResponse:
    """What was set aside, by reason with what to do about it, newest first."""
    scope, position = viewer.caller.scope, decode(cursor, int)
    with wired.ledger.read() as tx:
        counts = view.counts(tx, scope, state)
        rows = view.held(tx, scope, state=state, code=code or None, position=position, limit=SHOWN + 1)
    return page(
        request,
        "quarantine.html",
        viewer,
        found=page_of(advised(wired, scope, rows), SHOWN, lambda row: [row["id"]]),
        reasons=[(name, count, advice(name)) for name, count in counts.by_code],
        counts=counts,
        state=state,
        code=code,
    )


@router.get("/quarantine/{held_id}")
def held(request: Request, wired: Wired, viewer: Viewer, held_id: Id) -> HTMLResponse:
    """One: why, what to do, and everything that it says."""
    found = detail(wired, viewer.caller.scope, held_id)
    correctable = bool(found["device"]) and not found["usable"] and found["code"] not in PARTLY
    return page(request, "held.html", viewer, held=found, zone=found["time_zone"] or "UTC", correctable=correctable)
