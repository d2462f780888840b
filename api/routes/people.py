"""Who may come in: people, and who I am."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import shapes
from api.answer import Answer
from api.auth import Admin, AnyReader, Caller
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Services, Wired
from api.threads import quick
from ledger import audit, people
from ledger.people import Person
from ledger.roles import Role
from ledger.views import access as view

router = APIRouter(prefix="/v1", tags=["people"], route_class=OnceRoute)
MOST_ACCOUNTS = 1000
ACCOUNTS = Field(description="Ids; null: all (planner, operator).", max_length=MOST_ACCOUNTS, examples=[[1]])


class NewPerson(BaseModel):
    name: str = Field(min_length=1, max_length=128, examples=["Ann"])
    email: str | None = Field(default=None, max_length=254, examples=["ann@example.com"])
    role: Role
    accounts: list[int] | None = ACCOUNTS
    supplier_id: int | None = Field(default=None, description="Of role supplier.", examples=[None])


class ChangedPerson(BaseModel):
    """What is left out stays as it is."""

    name: str | None = Field(default=None, min_length=1, max_length=128)
    email: str | None = Field(default=None, max_length=254, description="Empty: none.", examples=["ann@example.com"])
    role: Role | None = None
    accounts: list[int] | None = Field(default=None, max_length=MOST_ACCOUNTS, examples=[[1, 2]])


@router.get("/me", response_model=shapes.Me)
@quick
def show_me(wired: Wired, caller: AnyReader) -> Answer:  # noqa: ARG001 - every endpoint gets it
    """Whose token this is, and what it may do."""
    accounts = None if caller.scope.accounts is None else sorted(caller.scope.accounts)
    who = {"person": caller.person, "person_id": caller.person_id, "token_id": caller.token_id, "role": caller.role}
    return Answer(who | {"scopes": sorted(caller.permissions), "accounts": accounts, "supplier_id": caller.supplier_id})


@router.get("/people", response_model=shapes.Page[shapes.Person])
def list_people(wired: Wired, caller: Admin, limit: Limit = 100, cursor: Cursor = None) -> Answer:
    """Those whose accounts are all yours; in the order in which they were made, also those who ended."""
    after = decode(cursor, int) or [0]
    with wired.ledger.read() as tx:
        found = people.list_people(tx, caller.scope, after=after[0], limit=limit + 1)
    return Answer(page([view.person(one) for one in found], limit, lambda row: [row["id"]]))


@router.get("/people/{person_id}", response_model=shapes.Person)
def show_person(wired: Wired, caller: Admin, person_id: Id) -> Answer:
    """One."""
    with wired.ledger.read() as tx:
        return Answer(view.person(people.get(tx, caller.scope, person_id)))


@router.post("/people", response_model=shapes.Person)
def create_person(wired: Wired, caller: Admin, body: NewPerson) -> Answer:
    """They come in by a one-time link, by OpenID Connect, or by a token. Nobody gives more than is theirs."""
    with wired.ledger.write() as tx:
        made = people.create(
            tx,
            caller.giver,
            body.name,
            body.role,
            wired.real_now(),
            email=body.email,
            accounts=body.accounts,
            supplier_id=body.supplier_id,
        )
        _note(wired, tx, caller, "person.created", None, made)
    return Answer(view.person(made))


@router.post("/people/{person_id}/change", response_model=shapes.Person)
def change_person(wired: Wired, caller: Admin, person_id: Id, body: ChangedPerson) -> Answer:
    """Another role or other accounts count at once, also for the person's tokens and sessions."""
    with wired.ledger.write() as tx:
        before = people.get(tx, caller.scope, person_id)
        after = people.change(tx, caller.giver, person_id, **body.model_dump())
        _note(wired, tx, caller, "person.changed", before, after)
    return Answer(view.person(after))


@router.post("/people/{person_id}/end", response_model=shapes.Person)
def end_person(wired: Wired, caller: Admin, person_id: Id) -> Answer:
    """They may not come in any more: their tokens, links and sessions end. What they approved stays theirs."""
    with wired.ledger.write() as tx:
        before = people.get(tx, caller.scope, person_id)
        after = people.end(tx, caller.giver, person_id, wired.real_now())
        _note(wired, tx, caller, "person.ended", before, after)
    return Answer(view.person(after))


def _note(wired: Services, tx: Connection, caller: Caller, action: str, before: Person | None, after: Person) -> None:
    changed: dict[str, Any] = {"before": None if before is None else view.told(before), "after": view.told(after)}
    account_id = after.accounts[0] if after.accounts and len(after.accounts) == 1 else None
    audit.record(tx, caller.by, action, f"person/{after.id}", wired.real_now(), account_id=account_id, **changed)
