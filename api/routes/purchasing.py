"""Who may spend how much: limits, budgets, delegations; and what orders carry for the buyer's books."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import shapes
from api.answer import Answer
from api.auth import Admin, Approver, Caller, Reader
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.problems import Problem
from api.services import Services, Wired
from ledger import audit, budget, delegation, limits, people, purchasing
from ledger.registry import accounts
from ledger.roles import Permission, Role
from ledger.views import purchasing as view
from models.units import DAY

router = APIRouter(prefix="/v1", tags=["purchasing"], route_class=OnceRoute)
Amount = Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=4, examples=["500.00"])]
Centre = Annotated[str, Field(max_length=64, pattern=r"^[^\x00-\x1f]*$", examples=["4711"])]


class NewLimit(BaseModel):
    """Of a person, a role, or neither: of automatic orders. Replaces the one of the same subject and cost centre."""

    person_id: int | None = Field(default=None, examples=[4])
    role: Role | None = Field(default=None, examples=[None])
    cost_centre: Centre = ""
    per_order: Amount | None = None
    per_span: Amount | None = None
    span_days: float | None = Field(default=None, gt=0, le=3660, examples=[30])


class NewBudget(BaseModel):
    amount: Amount
    cost_centre: Centre = Field(default="", description="Empty: the account's.")
    month: str | None = Field(
        default=None,
        pattern=r"^20\d\d-(0[1-9]|1[0-2])$",
        description="None: this month and all that come.",
        examples=["2026-11"],
    )


class NewDelegation(BaseModel):
    deputy_id: int
    starts_at: datetime
    ends_at: datetime


class Carried(BaseModel):
    """What is left out stays; an empty text takes it away."""

    reference: str | None = Field(default=None, max_length=128)
    blanket_order: str | None = Field(default=None, max_length=128, examples=["BPO-7"])
    cost_centre: str | None = Field(default=None, max_length=64, examples=["4711"])


class CarriedByAccount(Carried):
    escalate_to: int | None = Field(default=None, ge=0, description="A person; 0: nobody.", examples=[4])


@router.get("/accounts/{account_id}/limits", response_model=shapes.Page[shapes.Limit])
def list_limits(wired: Wired, caller: Reader, account_id: Id, limit: Limit = 100, cursor: Cursor = None) -> Answer:
    """Spending limits of people, roles and automatic orders."""
    after = decode(cursor, int) or [0]
    with wired.ledger.read() as tx:
        found = limits.list_limits(tx, caller.scope, account_id, after=after[0], limit=limit + 1)
    return Answer(page([view.limit(one) for one in found], limit, lambda row: [row["id"]]))


@router.post("/accounts/{account_id}/limits", response_model=shapes.Limit)
def put_limit(wired: Wired, caller: Admin, account_id: Id, body: NewLimit) -> Answer:
    """Per order and per span of days. A person's own limit counts before their role's; a cost centre's before all."""
    span = None if body.span_days is None else round(body.span_days * DAY)
    more: dict[str, Any] = {"cost_centre": body.cost_centre, "per_order": body.per_order, "per_span": body.per_span}
    with wired.ledger.write() as tx:
        accounts.get(tx, caller.scope, account_id)
        subject = _subject(tx, caller, body)
        put = limits.put(tx, caller.scope, account_id, subject, span_ms=span, **more)
        _note(wired, tx, caller, "limit.set", f"limit/{put.id}", account_id, after=put)
    return Answer(view.limit(put))


@router.delete("/limits/{limit_id}", response_model=shapes.Limit)
def remove_limit(wired: Wired, caller: Admin, limit_id: Id) -> Answer:
    """From now on it limits nothing."""
    with wired.ledger.write() as tx:
        gone = limits.remove(tx, caller.scope, limit_id)
        _note(wired, tx, caller, "limit.removed", f"limit/{limit_id}", gone.account_id, before=gone)
    return Answer(view.limit(gone))


@router.get("/accounts/{account_id}/budgets", response_model=shapes.Page[shapes.Budget])
def list_budgets(
    wired: Wired,
    caller: Reader,
    account_id: Id,
    month: Annotated[str | None, Query(max_length=7, examples=["2026-11"])] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Answer:
    """By cost centre and month, the newest first: what there is, reserved and spent."""
    with wired.ledger.read() as tx:
        accounts.get(tx, caller.scope, account_id)
        rows = view.budgets(
            tx, caller.scope, account=account_id, month=month, position=decode(cursor, int), limit=limit + 1
        )
    return Answer(page(rows, limit, lambda row: [row["id"]]))


@router.post("/accounts/{account_id}/budgets", response_model=shapes.Budget)
def set_budget(wired: Wired, caller: Admin, account_id: Id, body: NewBudget) -> Answer:
    """A cost centre with a budget spends its own, the others the account's."""
    month = body.month or budget.month_of(wired.now())
    with wired.ledger.write() as tx:
        accounts.get(tx, caller.scope, account_id)
        if body.month is None:
            budget.set_monthly(tx, account_id, body.cost_centre, body.amount)
        kept = budget.set_amount(tx, account_id, month, body.cost_centre, body.amount)
        told = body.model_dump(mode="json")
        _note(wired, tx, caller, "budget.set", f"budget/{kept.id}", account_id, after=told)
        (row,) = view.budgets(tx, caller.scope, id=kept.id)
    return Answer(row)


@router.get("/accounts/{account_id}/purchasing", response_model=shapes.AccountPurchasing)
def show_account_purchasing(wired: Wired, caller: Reader, account_id: Id) -> Answer:
    """What new orders of the account carry."""
    with wired.ledger.read() as tx:
        return Answer(purchasing.of_account(tx, caller.scope, account_id))


@router.post("/accounts/{account_id}/purchasing", response_model=shapes.AccountPurchasing)
def set_account_purchasing(wired: Wired, caller: Admin, account_id: Id, body: CarriedByAccount) -> Answer:
    """Reference, blanket purchase order and cost centre of new orders; who is asked when nobody approved in time."""
    with wired.ledger.write() as tx:
        before = purchasing.of_account(tx, caller.scope, account_id)
        after = purchasing.set_account(tx, caller.scope, account_id, **body.model_dump())
        _note(wired, tx, caller, "purchasing.set", f"account/{account_id}", account_id, before=before, after=after)
    return Answer(after)


@router.get("/sites/{site_id}/purchasing", response_model=shapes.Purchasing)
def show_site_purchasing(wired: Wired, caller: Reader, site_id: Id) -> Answer:
    """What new orders of the site carry; empty: what the account's carry."""
    with wired.ledger.read() as tx:
        return Answer(purchasing.of_site(tx, caller.scope, site_id))


@router.post("/sites/{site_id}/purchasing", response_model=shapes.Purchasing)
def set_site_purchasing(wired: Wired, caller: Admin, site_id: Id, body: Carried) -> Answer:
    """Reference, blanket purchase order and cost centre of new orders; an empty one is the account's again."""
    with wired.ledger.write() as tx:
        before = purchasing.of_site(tx, caller.scope, site_id)
        after = purchasing.set_site(tx, caller.scope, site_id, **body.model_dump())
        _note(wired, tx, caller, "purchasing.set", f"site/{site_id}", None, before=before, after=after)
    return Answer(after)


@router.get("/delegations", response_model=shapes.Page[shapes.Delegation])
def list_delegations(wired: Wired, caller: Reader, limit: Limit = 100, cursor: Cursor = None) -> Answer:
    """Those that you gave or were given; for an administrator those of their accounts. Also past ones, newest first."""
    position = decode(cursor, int)
    mine = None if caller.may(Permission.ADMINISTER) else caller.person_id or 0
    with wired.ledger.read() as tx:
        before = None if position is None else position[0]
        found = delegation.list_delegations(tx, caller.scope, of=mine, before=before, limit=limit + 1)
    return Answer(page([view.delegation(one) for one in found], limit, lambda row: [row["id"]]))


@router.post("/delegations", response_model=shapes.Delegation)
def delegate(wired: Wired, caller: Approver, body: NewDelegation) -> Answer:
    """Somebody approves in your name, from - until, within your limits. Only you delegate what is yours."""
    for moment in (body.starts_at, body.ends_at):
        if moment.tzinfo is None:
            raise Problem(422, "invalid", f"{moment.isoformat()}: say the time zone: 2026-11-21T09:30:00Z")
    starts, ends = (round(moment.timestamp() * 1000) for moment in (body.starts_at, body.ends_at))
    with wired.ledger.write() as tx:
        made = delegation.delegate(tx, caller.scope, caller.person_id or 0, body.deputy_id, starts, ends)
        _note(wired, tx, caller, "delegation.created", f"delegation/{made.id}", _only(caller), after=made)
    return Answer(view.delegation(made))


@router.delete("/delegations/{delegation_id}", response_model=shapes.Delegation)
def end_delegation(wired: Wired, caller: Approver, delegation_id: Id) -> Answer:
    """Yours, or as an administrator any of your accounts. What was approved by it stays."""
    with wired.ledger.write() as tx:
        found = delegation.get(tx, caller.scope, delegation_id)
        if found.person_id != caller.person_id:
            caller.must(Permission.ADMINISTER)
        delegation.end(tx, delegation_id)
        _note(wired, tx, caller, "delegation.ended", f"delegation/{delegation_id}", _only(caller), before=found)
    return Answer(view.delegation(found))


def _subject(tx: Connection, caller: Caller, body: NewLimit) -> str:
    if body.person_id is not None and body.role is not None:
        raise Problem(422, "invalid", "say whose limit it is: a person's or a role's, or of automatic orders")
    if body.person_id is not None:
        return f"person/{people.get(tx, caller.scope, body.person_id).id}"
    return limits.AUTOMATIC if body.role is None else f"role/{body.role}"


def _only(caller: Caller) -> int | None:
    accounts = caller.scope.accounts or frozenset()
    return next(iter(accounts)) if len(accounts) == 1 else None


def _note(
    wired: Services, tx: Connection, caller: Caller, action: str, subject: str, account_id: int | None, **told: Any
) -> None:
    audit.record(tx, caller.by, action, subject, wired.real_now(), account_id=account_id, **told)
