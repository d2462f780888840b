"""Input that was set aside: acknowledged, but it cannot be used. Looked at, replayed or discarded, one and many."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, Field, model_validator

from api import shapes
from api.answer import Answer
from api.auth import Caller, Operator, Reader
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Services, Wired
from ingest.advice import advice
from ingest.fix import Fix
from ingest.release import Actor, Chosen
from ingest.unpack import parts, text_of
from ledger.directory import LedgerDirectory
from ledger.scope import Scope
from ledger.views import quarantine as view

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"], route_class=OnceRoute)
MOST_IDS = 500


class Note(BaseModel):
    reason: str = Field(default="", max_length=1000, description="Why, for whoever looks at it later.")


class Correction(Note):
    fix: dict[str, Any] | None = Field(
        default=None,
        description="A JSON merge patch (RFC 7396) of what was received; null removes a key.",
        examples=[{"supplies": {"black": {"level": 0.42}}}],
    )


class Message(Correction):
    message: dict[str, Any] | None = Field(
        default=None, description="A whole message in place of what was received.", examples=[None]
    )

    def as_fix(self) -> Fix:
        return Fix(None if self.message is None else json.dumps(self.message).encode(), self.fix)


class Choice(BaseModel):
    ids: list[int] = Field(default=[], max_length=MOST_IDS, examples=[[5, 7]])
    device: int | None = None
    code: str | None = Field(default=None, max_length=64, examples=[None])

    @model_validator(mode="after")
    def something(self) -> "Choice":
        if bool(self.ids) == self.filters():
            raise ValueError("say which: either ids, or what chooses them")
        return self

    def filters(self) -> bool:
        return self.device is not None or self.code is not None

    def chosen(self) -> Chosen:
        return Chosen(tuple(self.ids), self.device, self.code)


class ReplayMany(Choice, Correction):
    released: bool = Field(default=False, description="All that waits and can be used by now.")

    def filters(self) -> bool:
        return self.released or super().filters()


class DiscardMany(Choice):
    reason: str = Field(min_length=1, max_length=1000, examples=["a test of the workshop"])


@router.get("", response_model=shapes.Page[shapes.Held])
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
    return Answer(page(advised(wired, caller.scope, rows), limit, lambda row: [row["id"]]))


@router.get("/{held_id}", response_model=shapes.HeldDetail)
def show_held(wired: Wired, caller: Reader, held_id: Id) -> Answer:
    """With what was received, and what of it would be taken today."""
    return Answer(detail(wired, caller.scope, held_id))


@router.post("/replay", response_model=shapes.ReplayedMany)
def replay_many(wired: Wired, caller: Operator, body: ReplayMany) -> Answer:
    """Take them again, as they would be taken today or corrected; each once. What is refused still stays."""
    outcome = wired.quarantine.replay(
        caller.scope, body.chosen(), actor(wired, caller, body.reason), Fix(patch=body.fix)
    )
    return Answer(outcome.as_json())


@router.post("/discard", response_model=shapes.DiscardedMany)
def discard_many(wired: Wired, caller: Operator, body: DiscardMany) -> Answer:
    """They will not be looked at again, but stay on record."""
    return Answer(
        {"discarded": wired.quarantine.discard(caller.scope, body.chosen(), actor(wired, caller, body.reason))}
    )


@router.post("/{held_id}/replay", response_model=shapes.HeldDetail)
def replay(
    wired: Wired, caller: Operator, held_id: Id, body: Annotated[Message, Body(default_factory=Message)]
) -> Answer:
    """Take it again, as it would be taken today or corrected: it becomes a reading, once."""
    wired.quarantine.replay_one(caller.scope, held_id, actor(wired, caller, body.reason), body.as_fix())
    return Answer(detail(wired, caller.scope, held_id))


@router.post("/{held_id}/discard", response_model=shapes.HeldDetail)
def discard(wired: Wired, caller: Operator, held_id: Id, body: Annotated[Note, Body(default_factory=Note)]) -> Answer:
    """It will not be looked at again, but stays on record."""
    wired.quarantine.discard(caller.scope, Chosen((held_id,)), actor(wired, caller, body.reason))
    return Answer(detail(wired, caller.scope, held_id))


def actor(wired: Services, caller: Caller, note: str = "") -> Actor:
    return Actor(caller.person, wired.now(), note)


def advised(wired: Services, scope: Scope, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the view, with what their codes mean, what to do, and whether the cause is gone."""
    usable = wired.quarantine.usable(scope, [row["id"] for row in rows])
    return [row | advice(row["code"])._asdict() | {"usable": row["id"] in usable} for row in rows]


def detail(wired: Services, scope: Scope, held_id: int) -> dict[str, Any]:
    """One, decoded as far as it can be. Raises NotFound."""
    with wired.ledger.read() as tx:
        found = view.one(tx, scope, held_id)
    raw, fixed, device = found["raw"], found["fixed"], found["device_id"]
    identity = None if device is None else LedgerDirectory(wired.ledger).numbered(device)
    (row,) = advised(wired, scope, [found])
    return row | {
        "raw": text_of(raw),
        "fixed": None if fixed is None else text_of(fixed),
        "parts": [part._asdict() for part in parts(raw, identity)],
    }
