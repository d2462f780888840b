"""Orders: list, show, receipt; approve, reject, cancel, lost."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, Field

from api import shapes
from api.answer import Answer
from api.auth import Approver, Buyer, Reader
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.routes.purchasing import Carried
from api.services import Wired
from api.threads import quick
from ledger.views import orders as view
from ledger.views.rows import iso
from ledger.why import why_order
from models.orders import OrderState

router = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=OnceRoute)
State = Annotated[OrderState | None, Query(description="Only orders in this state.")]


class Reason(BaseModel):
    reason: str = Field(default="", max_length=1000)


class MustReason(BaseModel):
    reason: str = Field(min_length=1, max_length=1000, examples=["we have two in the cellar"])


class Lost(Reason):
    lines: list[int] = Field(default=[], max_length=500, description="None: all lines that are under way.")


Why = Annotated[Reason, Body(default_factory=Reason)]


@router.get("", response_model=shapes.Page[shapes.Order])
def list_orders(
    wired: Wired,
    caller: Reader,
    state: State = None,
    account: int | None = None,
    site: int | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """Newest first."""
    with wired.ledger.read() as tx:
        rows = view.orders(
            tx, caller.scope, state=state, account=account, site=site, position=decode(cursor, int), limit=limit + 1
        )
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.get("/{order_id}", response_model=shapes.OrderDetail)
@quick
def show_order(wired: Wired, caller: Reader, order_id: Id) -> Answer:
    """With lines, the needs that they answer, purchase orders and approvals."""
    with wired.ledger.read() as tx:
        return Answer(view.order(tx, caller.scope, order_id))


@router.get("/{order_id}/receipt", response_model=shapes.Receipt)
@quick
def show_receipt(wired: Wired, caller: Reader, order_id: Id) -> Answer:
    """Why it was ordered, frozen when it was placed: readings, forecast, alternatives, price, budget, approval.

    Inside `receipt` figures stand as they were used: times in ms, levels in per cent."""
    with wired.ledger.read() as tx:
        why = why_order(tx, caller.scope, order_id, wired.now())
        frozen = msgspec.to_builtins(why.receipt)
    return Answer(
        {"order_id": order_id, "frozen_at": iso(why.receipt.frozen_at), "text": why.text(), "receipt": frozen}
    )


@router.post("/{order_id}/approve", response_model=shapes.Approved)
def approve(wired: Wired, caller: Approver, order_id: Id, body: Why) -> Answer:
    """Price, limits and budget are checked again first. `price_changed`: look at the new total, then approve again.

    Who is somebody's deputy approves in that name where their own limits do not suffice."""
    done = wired.orders.approve(
        caller.scope,
        order_id,
        by=caller.person,
        now=wired.now(),
        reason=body.reason,
        person_id=caller.person_id,
    )
    return Answer({"outcome": done.code, "text": done.text, "state": done.state})


@router.post("/{order_id}/details", response_model=shapes.OrderDetail)
def carry(wired: Wired, caller: Buyer, order_id: Id, body: Carried) -> Answer:
    """Reference, blanket purchase order, cost centre; until it is approved. A cost centre spends its own budget."""
    wired.orders.carry(caller.scope, order_id, by=caller.person, now=wired.now(), **body.model_dump())
    with wired.ledger.read() as tx:
        return Answer(view.order(tx, caller.scope, order_id))


@router.post("/{order_id}/reject", response_model=shapes.State)
def reject(wired: Wired, caller: Approver, order_id: Id, body: MustReason) -> Answer:
    """Its needs are refused: these slots are not ordered for until a new cycle begins or somebody releases the need."""
    return Answer(
        {"state": wired.orders.reject(caller.scope, order_id, by=caller.person, now=wired.now(), reason=body.reason)}
    )


@router.post("/{order_id}/cancel", response_model=shapes.State)
def cancel(wired: Wired, caller: Buyer, order_id: Id, body: Why) -> Answer:
    """At once before it is placed; afterwards the supplier is asked (`cancel_requested`)."""
    return Answer(
        {"state": wired.orders.cancel(caller.scope, order_id, by=caller.person, now=wired.now(), reason=body.reason)}
    )


@router.post("/{order_id}/lost", response_model=shapes.State)
def lost(wired: Wired, caller: Buyer, order_id: Id, body: Annotated[Lost, Body(default_factory=Lost)]) -> Answer:
    """A person says that the goods will not come: the needs fail and are ordered again."""
    state = wired.orders.lost(
        caller.scope, order_id, by=caller.person, now=wired.now(), lines=body.lines, reason=body.reason
    )
    return Answer({"state": state})
