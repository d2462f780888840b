"""Needs: which slots must be refilled, by when, and why."""

from typing import Literal

from fastapi import APIRouter

from api import shapes
from api.answer import Answer
from api.auth import Buyer, Reader
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Wired
from api.threads import quick
from ledger.views import orders as view

router = APIRouter(prefix="/v1/needs", tags=["needs"], route_class=OnceRoute)


@router.get("", response_model=shapes.Page[shapes.Need])
def list_needs(
    wired: Wired,
    caller: Reader,
    state: Literal["open", "met", "withdrawn", "refused", "failed"] | None = None,
    slot: int | None = None,
    site: int | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """In the order in which they opened."""
    number = None if state is None else view.NEED_STATES.index(state)
    with wired.ledger.read() as tx:
        rows = view.needs(
            tx, caller.scope, state=number, slot=slot, site=site, position=decode(cursor, int), limit=limit + 1
        )
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.get("/{need_id}", response_model=shapes.Need)
@quick
def show_need(wired: Wired, caller: Reader, need_id: Id) -> Answer:
    """One need."""
    with wired.ledger.read() as tx:
        return Answer(view.need(tx, caller.scope, need_id))


@router.post("/{need_id}/release", response_model=shapes.Need)
def release(wired: Wired, caller: Buyer, need_id: Id) -> Answer:
    """A refused need blocks its slot: release it, and the slot may be ordered for again."""
    wired.orders.release(caller.scope, need_id, by=caller.person, now=wired.now())
    with wired.ledger.read() as tx:
        return Answer(view.need(tx, caller.scope, need_id))
