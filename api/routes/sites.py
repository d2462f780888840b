"""Accounts, sites and what is on their shelves."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from api import shapes
from api.answer import Answer
from api.asking import outcome, request_id
from api.auth import Buyer, Caller, Reader
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.routes.slots import RESPONSES
from api.services import Services, Wired
from api.threads import quick, write
from ledger import requests
from ledger.registry import products
from ledger.views import places as view
from models.records import Count

router = APIRouter(prefix="/v1", tags=["sites"], route_class=OnceRoute)


class Counted(BaseModel):
    sku: str = Field(max_length=64, examples=["TN-K"])
    units: float = Field(ge=0, le=1_000_000, allow_inf_nan=False, description="Stock units that are on the shelf.")


@router.get("/accounts", response_model=shapes.Page[shapes.Account])
def list_accounts(wired: Wired, caller: Reader, limit: Limit = 100, cursor: Cursor = None) -> Answer:
    """The caller's accounts."""
    with wired.ledger.read() as tx:
        rows = view.accounts(tx, caller.scope, position=decode(cursor, int), limit=limit + 1)
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.get("/accounts/{account_id}", response_model=shapes.Account)
@quick
def show_account(wired: Wired, caller: Reader, account_id: Id) -> Answer:
    """One account with its ordering mode and limits."""
    with wired.ledger.read() as tx:
        return Answer(view.account(tx, caller.scope, account_id))


@router.get("/sites", response_model=shapes.Page[shapes.Site])
def list_sites(
    wired: Wired, caller: Reader, account: int | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Answer:
    """Addresses where devices stand and goods are delivered."""
    with wired.ledger.read() as tx:
        rows = view.sites(tx, caller.scope, account=account, position=decode(cursor, int), limit=limit + 1)
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.get("/sites/{site_id}", response_model=shapes.SiteWithCalendars)
@quick
def show_site(wired: Wired, caller: Reader, site_id: Id) -> Answer:
    """One site, and by which weights its business time has run: given, or learned from its use."""
    with wired.ledger.read() as tx:
        found = view.site(tx, caller.scope, site_id)
        return Answer(found | {"calendars": view.calendars(tx, caller.scope, site_id)})


@router.get("/sites/{site_id}/spares", response_model=shapes.Page[shapes.Spares])
@quick
def list_spares(wired: Wired, caller: Reader, site_id: Id) -> Answer:
    """All of them on one page."""
    with wired.ledger.read() as tx:
        return Answer({"items": view.spares(tx, caller.scope, site_id), "next": None})


@router.post("/sites/{site_id}/spares", response_model=shapes.Asked, responses=RESPONSES)
async def count(request: Request, wired: Wired, caller: Buyer, site_id: Id, body: Counted) -> Answer:
    """We have counted: so many are on the shelf. What was ordered because the books said less may be withdrawn."""
    number = await write(submit_count, wired, caller, site_id, body, request_id(request, caller))
    return await outcome(wired, caller.scope, number)


def submit_count(wired: Services, caller: Caller, site_id: int, body: Counted, number: str) -> str:
    """Raises NotFound."""
    with wired.ledger.write() as tx:
        place = view.site(tx, caller.scope, site_id)
        product = products.find(tx, body.sku)
        asked = Count(id=number, site=site_id, product=product.id, units=body.units, by=caller.person)
        requests.submit(tx, asked, place["account_id"], site_id, wired.now())
    return number
