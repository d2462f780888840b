"""Input that was set aside: acknowledged, but it cannot be used."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from api import shapes
from api.answer import Answer
from api.auth import Operator, Reader
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Services, Wired
from ingest.advice import advice
from ingest.unpack import parts, text_of
from ledger import quarantine
from ledger.directory import LedgerDirectory
from ledger.scope import Scope
from ledger.views import quarantine as view

router = APIRouter(prefix="/v1", tags=["quarantine"], route_class=OnceRoute)


@router.get("/quarantine", response_model=shapes.Page[shapes.Held])
def list_quarantine(
    wired: Wired,
    caller: Reader,
    state: Literal["held", "discarded", "replayed"] = "held",
    device: int | None = None,
    code: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Input that was acknowledged but cannot be used, newest first."""
    with wired.ledger.read() as tx:
        rows = view.held(
            tx, caller.scope, state=state, device=device, code=code, position=decode(cursor, int), limit=limit + 1
        )
    return Answer(page([advised(row) for row in rows], limit, lambda row: [row["id"]]))


@router.get("/quarantine/{held_id}", response_model=shapes.HeldDetail)
def show_held(wired: Wired, caller: Reader, held_id: Id) -> Answer:
    """With what was received, and what of it would be taken today."""
    return Answer(detail(wired, caller.scope, held_id))


@router.post("/quarantine/{held_id}/discard", response_model=shapes.HeldDetail)
def discard(wired: Wired, caller: Operator, held_id: Id) -> Answer:
    """It will not be looked at again, but stays on record."""
    with wired.ledger.write() as tx:
        quarantine.discard(tx, caller.scope, held_id, caller.person, wired.now())
    return Answer(detail(wired, caller.scope, held_id))


def advised(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the view, with what its code means and what to do."""
    known = advice(row["code"])
    return row | {"means": known.means, "hint": known.hint}


def detail(wired: Services, scope: Scope, held_id: int) -> dict[str, Any]:
    """One, decoded as far as it can be. Raises NotFound."""
    with wired.ledger.read() as tx:
        found = view.one(tx, scope, held_id)
    raw, device = found["raw"], found["device_id"]
    identity = None if device is None else LedgerDirectory(wired.ledger).numbered(device)
    return advised(found) | {"raw": text_of(raw), "parts": [part._asdict() for part in parts(raw, identity)]}
