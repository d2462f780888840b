"""API tokens. A secret is in one answer only: so an Idempotency-Key is not kept where one is made."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api import shapes
from api.answer import Answer
from api.auth import Admin, AnyReader, Caller
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Services, Wired
from api.tables import TableRoute
from api.threads import writing
from ledger import audit, tokens
from ledger.roles import Permission, Role
from ledger.scope import Scope
from ledger.tokens import Made, Token
from ledger.views import access as view
from models.units import DAY, SECOND

router = APIRouter(prefix="/v1/tokens", tags=["people"], route_class=TableRoute)
LONGEST_DAYS = 3650


class NewToken(BaseModel):
    """Of a person (`person_id`), whose role and accounts it has; or of a service, which has its own."""

    name: str = Field(min_length=1, max_length=64, examples=["nightly report"])
    person_id: int | None = Field(default=None, examples=[4])
    role: Role | None = Field(default=None, description="Of a service.", examples=[None])
    accounts: list[int] | None = Field(
        default=[], max_length=1000, description="Of a service; null: all.", examples=[[]]
    )
    supplier_id: int | None = Field(default=None, examples=[None])
    scopes: list[Permission] = Field(default=[], description="Less than its role; none: all of it.", max_length=20)
    expires_in_days: int | None = Field(default=None, ge=1, le=LONGEST_DAYS, examples=[90])


class Rotation(BaseModel):
    overlap_s: int = Field(
        default=tokens.OVERLAP // SECOND, ge=0, le=30 * DAY // SECOND, description="The old one lives on so long."
    )


@router.get("", response_model=shapes.Page[shapes.Token])
def list_tokens(wired: Wired, caller: Admin, limit: Limit = 100, cursor: Cursor = None) -> Answer:
    """Those whose accounts are all yours, without their secrets; also the revoked ones."""
    after = decode(cursor, int) or [0]
    with wired.ledger.read() as tx:
        found = tokens.list_tokens(tx, scope=caller.scope, after=after[0], limit=limit + 1)
    return Answer(page([view.token(one) for one in found], limit, lambda row: [row["id"]]))


@router.get("/{token_id}", response_model=shapes.Token)
def show_token(wired: Wired, caller: Admin, token_id: Id) -> Answer:
    """One, without its secret."""
    with wired.ledger.read() as tx:
        return Answer(view.token(tokens.get(tx, token_id, caller.scope)))


@router.post("", response_model=shapes.MadeToken)
@writing
def create_token(wired: Wired, caller: Admin, body: NewToken) -> Answer:
    """Its secret is shown this once. Only the person itself makes one that approves: for others leave it out."""
    now = wired.real_now()
    more: dict[str, Any] = {"giver": caller.giver, "scopes": body.scopes}
    if body.expires_in_days is not None:
        more["expires"] = now + body.expires_in_days * DAY
    with wired.ledger.write() as tx:
        if body.person_id is not None:
            made = tokens.create_for(tx, body.name, body.person_id, now, **more)
        else:
            more |= {"accounts": body.accounts, "supplier_id": body.supplier_id}
            made = tokens.create(tx, body.name, body.role or Role.VIEWER, now, **more)
        _note(wired, tx, caller, "token.created", None, made.token)
    return _shown(made)


@router.post("/{token_id}/rotate", response_model=shapes.MadeToken)
@writing
def rotate_token(wired: Wired, caller: AnyReader, token_id: Id, body: Rotation) -> Answer:
    """A new secret, shown this once; the old one lives on for `overlap_s`. People rotate their own themselves."""
    now = wired.real_now()
    with wired.ledger.write() as tx:
        before = tokens.get(tx, token_id)
        own = caller.person_id is not None and before.person_id == caller.person_id
        if not own:
            tokens.get(tx, token_id, caller.scope if caller.may(Permission.ADMINISTER) else Scope())
        made = tokens.rotate(tx, token_id, now, giver=caller.giver, overlap_ms=body.overlap_s * SECOND)
        _note(wired, tx, caller, "token.rotated", before, tokens.get(tx, token_id))
        _note(wired, tx, caller, "token.created", None, made.token)
    return _shown(made)


@router.post("/{token_id}/revoke", response_model=shapes.Token)
@writing
def revoke_token(wired: Wired, caller: Admin, token_id: Id) -> Answer:
    """At once and for ever."""
    with wired.ledger.write() as tx:
        before = tokens.get(tx, token_id, caller.scope)
        after = tokens.revoke(tx, token_id, wired.real_now(), caller.scope)
        _note(wired, tx, caller, "token.revoked", before, after)
    return Answer(view.token(after))


def _shown(made: Made) -> Answer:
    return Answer(view.token(made.token) | {"secret": made.secret})


def _note(wired: Services, tx: Connection, caller: Caller, action: str, before: Token | None, after: Token) -> None:
    changed: dict[str, Any] = {"before": None if before is None else view.told(before), "after": view.told(after)}
    account_id = after.accounts[0] if after.accounts and len(after.accounts) == 1 else None
    audit.record(tx, caller.by, action, f"token/{after.id}", wired.real_now(), account_id=account_id, **changed)
