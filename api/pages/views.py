"""What there is to see: what is at risk, orders, an order with its receipt, a slot with its forecast."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from api.pages.plot import PAST, plot
from api.pages.render import page
from api.pages.session import Viewer
from api.paging import Cursor, Id, decode
from api.paging import page as page_of
from api.services import Wired
from ingest.advice import advice
from ledger.views import happenings, orders, places, quarantine, slots
from ledger.views.rows import from_iso, iso
from ledger.why import why_order, why_slot
from models.orders import PRE_PLACED, OrderState

router = APIRouter(include_in_schema=False)
SHOWN = 50
REASONS = 3
MOST_COUNTED = 500
MAY_CANCEL = PRE_PLACED | {OrderState.PLACED, OrderState.ACKNOWLEDGED}


@router.get("/")
def home(
    request: Request,
    wired: Wired,
    viewer: Viewer,
    site: Annotated[int | None, Query(ge=1)] = None,
    cursor: Cursor = None,
) -> HTMLResponse:
    """What needs a person, then the slots that run empty first."""
    scope, now = viewer.caller.scope, wired.now()
    position = decode(cursor, int, int)
    with wired.ledger.read() as tx:
        rows = slots.slots(tx, scope, now, sort="empty_at", site=site, position=position, limit=SHOWN + 1)
        awaiting = orders.orders(tx, scope, state=OrderState.AWAITING, site=site, limit=20)
        tasks = [t for t in happenings.tasks(tx, scope, state="open", site=site, limit=40) if t["kind"] != "approval"]
        where = places.site(tx, scope, site) if site else None
        counts = quarantine.counts(tx, scope, most=MOST_COUNTED) if not (site or cursor) else quarantine.NONE
    risky = page_of(rows, SHOWN, lambda row: [from_iso(row["empty_at"]), row["id"]])
    return page(
        request,
        "home.html",
        viewer,
        risky=risky,
        awaiting=awaiting,
        tasks=tasks,
        counts=counts,
        held=[(advice(code).means, count) for code, count in counts.by_code[:REASONS]],
        site=where,
        now=iso(now),
        first=not cursor,
    )


@router.get("/orders")
def order_list(
    request: Request, wired: Wired, viewer: Viewer, state: OrderState | None = None, cursor: Cursor = None
) -> HTMLResponse:
    """All orders, newest first."""
    with wired.ledger.read() as tx:
        rows = orders.orders(tx, viewer.caller.scope, state=state, position=decode(cursor, int), limit=SHOWN + 1)
    return page(request, "orders.html", viewer, found=page_of(rows, SHOWN, lambda row: [row["id"]]), state=state)


@router.get("/orders/{order_id}")
def order(request: Request, wired: Wired, viewer: Viewer, order_id: Id) -> HTMLResponse:
    """An order: what may be decided, alternatives, and the receipt as a text."""
    with wired.ledger.read() as tx:
        found = orders.order(tx, viewer.caller.scope, order_id)
        why = why_order(tx, viewer.caller.scope, order_id, wired.now())
        obstacle = orders.obstacle(tx, order_id, viewer.caller.person_id, wired.now())
    return page(
        request,
        "order.html",
        viewer,
        order=found,
        why=why,
        text=why.text(),
        zone=why.time_zone,
        awaiting=found["state"] == OrderState.AWAITING,
        obstacle=obstacle,
        cancellable=found["state"] in MAY_CANCEL,
    )


@router.get("/slots/{slot_id}")
def slot(request: Request, wired: Wired, viewer: Viewer, slot_id: Id) -> HTMLResponse:
    """A slot: its history and forecast as a plot, why (not), what may be done."""
    scope, now = viewer.caller.scope, wired.now()
    with wired.ledger.read() as tx:
        found = slots.slot(tx, scope, now, slot_id)
        standing = slots.standing(tx, scope, slot_id)
        refills = slots.refills(tx, slot_id, 20)
        why = why_slot(tx, scope, slot_id)
        needs = orders.needs(tx, scope, slot=slot_id, limit=500)
        shelf = {row["sku"]: row["on_hand"] for row in places.spares(tx, scope, found["site_id"])}
    buckets = wired.series.buckets(slot_id, now - PAST, now + 1)
    times = [from_iso(refill["refilled_at"]) for refill in refills if refill["reversed_at"] is None]
    drawn: dict[str, Any] = plot(standing, buckets, times, now, found["time_zone"])
    return page(
        request,
        "slot.html",
        viewer,
        slot=found,
        plot=drawn,
        refills=refills,
        why=why,
        text=why.text(),
        needs=needs[:-11:-1],
        shelf=shelf.get(found["sku"]),
        zone=found["time_zone"],
    )
