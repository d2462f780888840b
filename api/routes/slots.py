"""Slots: how they stand, when they will be empty, why (not) ordered; and what may be asked for them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request

from api import shapes
from api.answer import Answer
from api.asking import ask_for_slot, request_id
from api.auth import Buyer, Caller, Reader
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Wired
from api.threads import quick
from ledger import requests
from ledger.views import slots as view
from ledger.views.rows import from_iso
from ledger.why import why_slot
from models.records import AnyRequest, Reorder, Reverse, Swapped

router = APIRouter(prefix="/v1", tags=["slots"], route_class=OnceRoute)
Test = Annotated[bool, Query(description="Only tell what would happen; change nothing.")]
Name = Annotated[str, Path(max_length=64, examples=["black"])]


@router.get("/slots", response_model=shapes.Page[shapes.Slot])
def list_slots(
    wired: Wired,
    caller: Reader,
    sort: Literal["id", "empty_at"] = "id",
    account: int | None = None,
    site: int | None = None,
    device: int | None = None,
    product: int | None = None,
    band: shapes.Band | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Slots that the caller may see. `sort=empty_at`: those that run empty first; without those never heard of."""
    position = decode(cursor, int) if sort == "id" else decode(cursor, int, int)
    with wired.ledger.read() as tx:
        rows = view.slots(
            tx,
            caller.scope,
            wired.now(),
            sort=sort,
            account=account,
            site=site,
            device=device,
            product=product,
            band=None if band is None else view.BANDS.index(band),
            position=position,
            limit=limit + 1,
        )
    if sort == "id":
        return Answer(page(rows, limit, lambda row: [row["id"]]))
    return Answer(page(rows, limit, lambda row: [from_iso(row["empty_at"]), row["id"]]))


@router.get("/slots/{slot_id}", response_model=shapes.SlotDetail)
@quick
def show_slot(wired: Wired, caller: Reader, slot_id: Id) -> Answer:
    """One slot with all quantiles and its newest refills."""
    with wired.ledger.read() as tx:
        found = view.slot(tx, caller.scope, wired.now(), slot_id)
        return Answer(found | {"refills": view.refills(tx, slot_id)})


@router.get("/slots/{slot_id}/why", response_model=shapes.Why)
@quick
def show_why(wired: Wired, caller: Reader, slot_id: Id) -> Answer:
    """Why it is (not) ordered: probability, threshold, cover, guard, mode, offers, alerts."""
    with wired.ledger.read() as tx:
        why = why_slot(tx, caller.scope, slot_id)
    return Answer({"slot_id": slot_id, "verdict": why.verdict, "text": why.text()})


def _reorder(request: Request, caller: Caller, *, test: bool) -> Any:
    number = request_id(request, caller)

    def make(slot: int) -> AnyRequest:
        return Reorder(id=number, slot=slot, by=caller.person, channel="api", test=test)

    return make


RESPONSES: dict[int | str, dict[str, Any]] = {
    202: {"model": shapes.Asked, "description": "Not answered within 2 s: ask at `link`."}
}


@router.post("/slots/{slot_id}/reorder", response_model=shapes.Asked, responses=RESPONSES)
async def reorder(request: Request, wired: Wired, caller: Buyer, slot_id: Id, test: Test = False) -> Answer:
    """Ask for a refill: skips the probability, never the guard (one open need per slot, cover)."""
    return await ask_for_slot(wired, caller, lambda _: slot_id, _reorder(request, caller, test=test))


@router.post("/devices/{device_id}/slots/{slot}/reorder", response_model=shapes.Asked, responses=RESPONSES)
async def reorder_named(
    request: Request, wired: Wired, caller: Buyer, device_id: Id, slot: Name, test: Test = False
) -> Answer:
    """The same by the slot's name in its device."""

    def find(tx: Any) -> int:
        return requests.named(tx, caller.scope, device_id, slot)

    return await ask_for_slot(wired, caller, find, _reorder(request, caller, test=test))


@router.post("/slots/{slot_id}/swapped", response_model=shapes.Asked, responses=RESPONSES)
async def swapped(request: Request, wired: Wired, caller: Buyer, slot_id: Id) -> Answer:
    """I have put a new supply in."""
    number = request_id(request, caller)
    return await ask_for_slot(
        wired, caller, lambda _: slot_id, lambda slot: Swapped(id=number, slot=slot, by=caller.person)
    )


@router.post("/slots/{slot_id}/cycles/{cycle}/reverse", response_model=shapes.Asked, responses=RESPONSES)
async def reverse(
    request: Request, wired: Wired, caller: Buyer, slot_id: Id, cycle: Annotated[int, Path(ge=1)]
) -> Answer:
    """What ended this cycle was no refill: the cycles merge and keep both numbers."""
    number = request_id(request, caller)
    return await ask_for_slot(
        wired, caller, lambda _: slot_id, lambda slot: Reverse(id=number, slot=slot, cycle=cycle, by=caller.person)
    )
