"""The supplier's and the receiver's side of an order: acknowledge, ship, deliver, per line."""

import hashlib
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, Field

from api import shapes
from api.answer import Answer
from api.auth import AnyReader, Partner, Supplier
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Wired
from api.threads import quick
from ledger.orders.acknowledge import Answer as LineAnswered
from ledger.views import orders as view

router = APIRouter(prefix="/v1/purchase-orders", tags=["purchase orders"], route_class=OnceRoute)
Key = Annotated[str, Header(alias="Idempotency-Key", max_length=128, include_in_schema=False)]


class LineAnswer(BaseModel):
    line: int = Field(ge=1)
    accepted: bool = True
    reason: str | None = Field(default=None, max_length=1000)


class Answers(BaseModel):
    lines: list[LineAnswer] = Field(min_length=1, max_length=500)


class LineQuantity(BaseModel):
    line: int = Field(ge=1)
    quantity: int = Field(ge=1, le=1_000_000, description="Packs.")


class Quantities(BaseModel):
    lines: list[LineQuantity] = Field(min_length=1, max_length=500)

    def by_line(self) -> dict[int, int]:
        out: dict[int, int] = {}
        for line in self.lines:
            out[line.line] = out.get(line.line, 0) + line.quantity
        return out


class Granted(BaseModel):
    granted: bool


@router.get("", response_model=shapes.Page[shapes.PurchaseOrder])
def list_purchase_orders(
    wired: Wired, caller: AnyReader, state: str | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Answer:
    """Newest first; a supplier sees its own."""
    position = decode(cursor, int)
    with wired.ledger.read() as tx:
        rows: list[dict[str, Any]] = view.purchase_orders(
            tx, caller.scope, supplier=caller.supplier_id, state=state, position=position, limit=limit + 1
        )
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.get("/{number}", response_model=shapes.PurchaseOrderDetail)
@quick
def show_purchase_order(wired: Wired, caller: AnyReader, number: Id) -> Answer:
    """One with its lines."""
    with wired.ledger.read() as tx:
        return Answer(view.purchase_order(tx, caller.scope, number, caller.supplier_id))


@router.post("/{number}/acknowledge", response_model=shapes.State)
def acknowledge(wired: Wired, caller: Supplier, number: Id, body: Answers) -> Answer:
    """The supplier accepts or refuses, line by line."""
    answers = {a.line: LineAnswered(a.accepted, a.reason or "") for a in body.lines}
    state = wired.orders.acknowledge(
        caller.scope, number, answers, by=caller.by, now=wired.now(), supplier_id=caller.supplier_id
    )
    return Answer({"state": state})


@router.post("/{number}/answer-cancel", response_model=shapes.State)
def answer_cancel(wired: Wired, caller: Supplier, number: Id, body: Granted) -> Answer:
    """The supplier's yes or no to a cancellation that was asked for."""
    state = wired.orders.answer_cancel(
        caller.scope, number, granted=body.granted, by=caller.by, now=wired.now(), supplier_id=caller.supplier_id
    )
    return Answer({"state": state})


@router.post("/{number}/ship", response_model=shapes.State)
def ship(wired: Wired, caller: Supplier, number: Id, body: Quantities, key: Key = "") -> Answer:
    """The supplier has sent so many packs."""
    state = wired.orders.ship(
        caller.scope,
        number,
        body.by_line(),
        by=caller.by,
        now=wired.now(),
        key=_own(caller.token_id, key),
        supplier_id=caller.supplier_id,
    )
    return Answer({"state": state})


@router.post("/{number}/deliver", response_model=shapes.State)
def deliver(wired: Wired, caller: Partner, number: Id, body: Quantities, key: Key = "") -> Answer:
    """So many packs have arrived: they are on the shelf from now on."""
    state = wired.orders.deliver(
        caller.scope,
        number,
        body.by_line(),
        by=caller.by,
        now=wired.now(),
        key=_own(caller.token_id, key),
        supplier_id=caller.supplier_id,
    )
    return Answer({"state": state})


def _own(token_id: int, key: str) -> str:
    """Keys are a caller's own: two callers may use the same one."""
    return hashlib.sha256(f"{token_id}/{key}".encode()).hexdigest()[:32] if key else ""
