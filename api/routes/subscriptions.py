"""Notices: who is told of which events, by webhook or e-mail."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api import shapes
from api.answer import Answer
from api.auth import Admin, Caller
from api.once import OnceRoute
from api.paging import Cursor, Id, Limit, decode, page
from api.services import Wired
from api.threads import quick, writing
from ledger import audit
from ledger.notices import subscriptions
from ledger.notices.collect import sample
from ledger.notices.subscriptions import DEFAULT_KINDS, Subscription
from ledger.registry import accounts
from ledger.views import notices as view
from ledger.views.rows import iso
from models.units import MINUTE

router = APIRouter(prefix="/v1/subscriptions", tags=["notices"], route_class=OnceRoute)
Kinds = Annotated[
    list[str],
    Field(
        min_length=1,
        max_length=50,
        description="Kinds of events: `order.placed`, `order.*` or `*`.",
        examples=[["order.*", "task.opened"]],
    ),
]
Digest = Annotated[int, Field(ge=0, le=44_640, description="Minutes of a digest, 5 or more; 0: each event at once.")]


class NewSubscription(BaseModel):
    name: str = Field(max_length=64, examples=["ERP"])
    channel: Literal["webhook", "email"]
    target: str = Field(max_length=512, examples=["https://example.com/ullage"])
    account: str | None = Field(default=None, max_length=64, description="Without one: of all accounts (operators).")
    kinds: Kinds = list(DEFAULT_KINDS)
    digest_minutes: Digest = 0


class SubscriptionChange(BaseModel):
    """What is null stays as it is."""

    kinds: Kinds | None = None
    digest_minutes: Digest | None = None
    paused: bool | None = None


class Again(BaseModel):
    after: int = Field(ge=0, le=(1 << 63) - 1, description="Tell the events above this id again.", examples=[117])


@router.get("", response_model=shapes.Page[shapes.Subscription])
def list_subscriptions(wired: Wired, caller: Admin, limit: Limit = 100, cursor: Cursor = None) -> Answer:
    """Without their secrets."""
    position: Sequence[int] = decode(cursor, int) or (0,)
    with wired.ledger.read() as tx:
        found = subscriptions.list_subscriptions(tx, caller.scope, after=position[0], limit=limit + 1)
    return Answer(page([_shown(one) for one in found], limit, lambda row: [row["id"]]))


@router.post("", response_model=shapes.SubscriptionMade)
def subscribe(wired: Wired, caller: Admin, body: NewSubscription) -> Answer:
    """Tells what happens from now on. The secret of a webhook is shown this once."""
    with wired.ledger.write() as tx:
        account = None if body.account is None else accounts.find(tx, caller.scope, body.account).id
        made = subscriptions.create(
            tx,
            caller.scope,
            body.name,
            body.channel,
            body.target,
            wired.now(),
            account_id=account,
            kinds=body.kinds,
            digest_ms=body.digest_minutes * MINUTE or None,
        )
        _note(tx, wired, caller, "subscription.created", made.subscription, after=made.subscription)
    return Answer(_shown(made.subscription) | {"secret": made.secret})


@router.get("/{subscription_id}", response_model=shapes.Subscription)
@quick
def show_subscription(wired: Wired, caller: Admin, subscription_id: Id) -> Answer:
    """One subscription, without its secret."""
    with wired.ledger.read() as tx:
        return Answer(_shown(subscriptions.get(tx, caller.scope, subscription_id)))


@router.patch("/{subscription_id}", response_model=shapes.Subscription)
@writing
def change_subscription(wired: Wired, caller: Admin, subscription_id: Id, body: SubscriptionChange) -> Answer:
    """Pause, resume, other kinds, another digest. What happens while it is paused is not told later."""
    digest = None if body.digest_minutes is None else body.digest_minutes * MINUTE
    with wired.ledger.write() as tx:
        before = subscriptions.get(tx, caller.scope, subscription_id)
        after = subscriptions.change(
            tx, caller.scope, subscription_id, wired.now(), paused=body.paused, kinds=body.kinds, digest_ms=digest
        )
        _note(tx, wired, caller, "subscription.changed", after, before=before, after=after)
    return Answer(_shown(after))


@router.delete("/{subscription_id}", response_model=shapes.Subscription)
@writing
def unsubscribe(wired: Wired, caller: Admin, subscription_id: Id) -> Answer:
    """What still waits for it is not delivered."""
    with wired.ledger.write() as tx:
        before = subscriptions.get(tx, caller.scope, subscription_id)
        subscriptions.remove(tx, caller.scope, subscription_id)
        _note(tx, wired, caller, "subscription.removed", before, before=before)
    return Answer(_shown(before))


@router.post("/{subscription_id}/secret", response_model=shapes.SubscriptionMade)
def rotate_secret(wired: Wired, caller: Admin, subscription_id: Id) -> Answer:
    """A new secret, shown this once; messages are signed with it from now on."""
    with wired.ledger.write() as tx:
        made = subscriptions.rotate(tx, caller.scope, subscription_id)
        _note(tx, wired, caller, "subscription.secret_rotated", made.subscription)
    return Answer(_shown(made.subscription) | {"secret": made.secret})


@router.post("/{subscription_id}/test", response_model=shapes.TestSent)
def send_test(wired: Wired, caller: Admin, subscription_id: Id) -> Answer:
    """Send a message of type `test`; whether it arrived is in the list of what was sent."""
    with wired.ledger.write() as tx:
        found = subscriptions.get(tx, caller.scope, subscription_id)
        name = sample(tx, found.id, wired.now(), wired.real_now())
        _note(tx, wired, caller, "subscription.tested", found)
    return Answer({"message_id": name})


@router.post("/{subscription_id}/replay", response_model=shapes.Subscription)
def tell_again(wired: Wired, caller: Admin, subscription_id: Id, body: Again) -> Answer:
    """Tell again what happened: with the same message ids, so that who has a message already knows it."""
    with wired.ledger.write() as tx:
        before = subscriptions.get(tx, caller.scope, subscription_id)
        after = subscriptions.replay(tx, caller.scope, subscription_id, body.after)
        _note(tx, wired, caller, "subscription.replayed", after, before=before, after=after)
    return Answer(_shown(after))


@router.get("/{subscription_id}/sent", response_model=shapes.Page[shapes.Sent])
def list_sent(wired: Wired, caller: Admin, subscription_id: Id, limit: Limit = 100, cursor: Cursor = None) -> Answer:
    """What was sent and what waits, newest first."""
    with wired.ledger.read() as tx:
        rows = view.sent(tx, caller.scope, subscription_id, position=decode(cursor, int), limit=limit + 1)
    return Answer(page(rows, limit, lambda row: [row["id"]]))


def _shown(one: Subscription) -> dict[str, Any]:
    return {
        "id": one.id,
        "account_id": one.account_id,
        "name": one.name,
        "channel": one.channel,
        "target": one.target,
        "kinds": one.kinds,
        "digest_minutes": None if one.digest_ms is None else one.digest_ms // MINUTE,
        "position": one.position,
        "paused": one.paused,
        "created_at": iso(one.created),
    }


def _note(tx: Any, wired: Wired, caller: Caller, action: str, one: Subscription, **more: Any) -> None:
    subject = f"subscription/{one.id}"
    audit.record(tx, caller.by, action, subject, wired.real_now(), account_id=one.account_id, **more)
