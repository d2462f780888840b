"""Subscriptions: who is told of which events, where, and how often."""

import base64
import re
import secrets
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection, func, select, update

from ledger import events
from ledger.registry.common import PAGE, Invalid, check_account, check_text, missing, single, views
from ledger.scope import Scope
from ledger.tables import subscription
from models.units import DAY, MINUTE

CHANNELS: Final = ("webhook", "email")
MOST: Final = 100
"""Subscriptions of one account."""
SHORTEST_DIGEST: Final = 5 * MINUTE
LONGEST_DIGEST: Final = 31 * DAY
SECRET_MARK: Final = "whsec_"  # noqa: S105 - how Standard Webhooks marks one
DEFAULT_KINDS: Final = ("order.placed", "order.shipped", "order.delivered", "task.opened", "slot.stock_out_risk")
"""Order summary, shipment, delivery, approval asked (a task), stock-out risk."""

_KIND: Final = re.compile(r"\*|[a-z_]{1,32}\.(\*|[a-z_]{1,32})")
_ADDRESS: Final = re.compile(r"[^@\s<>,;:\"\\]{1,64}@[A-Za-z0-9.-]{1,190}")


class Subscription(msgspec.Struct, frozen=True):
    """Without its secret."""

    id: int
    account_id: int | None
    name: str
    channel: str
    target: str
    kinds: list[str]
    digest_ms: int | None
    position: int
    paused: bool
    created: int


class Made(NamedTuple):
    subscription: Subscription
    secret: str  # of a webhook, shown this once; "" of e-mail


def create(
    tx: Connection,
    scope: Scope,
    name: str,
    channel: str,
    target: str,
    now: int,
    *,
    account_id: int | None = None,
    kinds: Sequence[str] = DEFAULT_KINDS,
    digest_ms: int | None = None,
) -> Made:
    """Tells events from now on. `account_id` None: of all accounts, for who may see all. Raises Invalid, NotFound."""
    if account_id is not None or scope.accounts is not None:
        check_account(scope, account_id or 0)
    check_text("subscription's name", name, 64)
    _check_target(channel, target)
    _check_kinds(kinds)
    _check_digest(digest_ms)
    same = subscription.c.account_id == account_id if account_id is not None else subscription.c.account_id.is_(None)
    if (tx.scalar(select(func.count()).select_from(subscription).where(same)) or 0) >= MOST:
        raise Invalid(f"there are {MOST} subscriptions already: remove one first")
    secret = _secret() if channel == "webhook" else ""
    values = {
        "account_id": account_id,
        "name": name,
        "channel": channel,
        "target": target,
        "secret": secret,
        "kinds": list(kinds),
        "digest_ms": digest_ms,
        "digest_at": None if digest_ms is None else now + digest_ms,
        "position": events.last_id(tx),
        "created": now,
    }
    number = tx.execute(subscription.insert().values(values).returning(subscription.c.id)).scalar_one()
    return Made(get(tx, scope, number), secret)


def get(tx: Connection, scope: Scope, number: int) -> Subscription:
    mine = (subscription.c.id == number, scope.where(subscription.c.account_id))
    return single(tx, Subscription, subscription, *mine, called=("subscription", number))


def list_subscriptions(tx: Connection, scope: Scope, *, after: int = 0, limit: int = PAGE) -> list[Subscription]:
    query = select(subscription).where(subscription.c.id > after, scope.where(subscription.c.account_id))
    return views(Subscription, tx.execute(query.order_by(subscription.c.id).limit(limit)))


def change(
    tx: Connection,
    scope: Scope,
    number: int,
    now: int,
    *,
    paused: bool | None = None,
    kinds: Sequence[str] | None = None,
    digest_ms: int | None = None,
) -> Subscription:
    """What is None stays; `digest_ms` 0: each event at once. While it is paused nothing is told, and nothing later
    of what happened meanwhile. Raises Invalid, NotFound."""
    before = get(tx, scope, number)
    values: dict[str, Any] = {}
    if kinds is not None:
        _check_kinds(kinds)
        values["kinds"] = list(kinds)
    if digest_ms is not None:
        _check_digest(digest_ms or None)
        values |= {"digest_ms": digest_ms or None, "digest_at": now + digest_ms if digest_ms else None}
    if paused is not None:
        values["paused"] = paused
        if before.paused and not paused:
            values["position"] = events.last_id(tx)
    if values:
        tx.execute(update(subscription).where(subscription.c.id == number).values(values))
    return get(tx, scope, number)


def rotate(tx: Connection, scope: Scope, number: int) -> Made:
    """A new secret, from the next message on. Raises Invalid for e-mail, NotFound."""
    found = get(tx, scope, number)
    if found.channel != "webhook":
        raise Invalid(f"subscription {number} is of e-mail, which has no secret")
    secret = _secret()
    tx.execute(update(subscription).where(subscription.c.id == number).values(secret=secret))
    return Made(found, secret)


def replay(tx: Connection, scope: Scope, number: int, after: int) -> Subscription:
    """Tell again what happened above event id `after`: with the same message ids, so that who has them knows.

    Raises Invalid for what is not told yet, NotFound."""
    found = get(tx, scope, number)
    if not 0 <= after <= found.position:
        raise Invalid(f"subscription {number} was told events up to {found.position}: use `after` from 0 to that")
    again = {"position": after, "round": subscription.c.round + 1}
    tx.execute(update(subscription).where(subscription.c.id == number).values(again))
    return get(tx, scope, number)


def remove(tx: Connection, scope: Scope, number: int) -> None:
    """What waits for it is not delivered any more. Raises NotFound."""
    get(tx, scope, number)
    tx.execute(subscription.delete().where(subscription.c.id == number))


def target_of(tx: Connection, target: str) -> tuple[Subscription, str]:
    """The subscription that an outbox row's target names, with its secret. Raises NotFound."""
    noun, _, number = target.partition("/")
    row = None
    if noun == "subscription" and number.isdecimal():
        row = tx.execute(select(subscription).where(subscription.c.id == int(number))).one_or_none()
    if row is None:
        raise missing("subscription", target)
    return views(Subscription, [row])[0], str(row.secret)


def matches(kinds: Sequence[str], kind: str) -> bool:
    """Whether a pattern of `kinds` (`*`, `order.*`, `order.placed`) fits."""
    return any(k in {"*", kind} or (k.endswith(".*") and kind.startswith(k[:-1])) for k in kinds)


def _secret() -> str:
    return SECRET_MARK + base64.b64encode(secrets.token_bytes(32)).decode()


def _check_kinds(kinds: Sequence[str]) -> None:
    if not 1 <= len(kinds) <= 50:
        raise Invalid(f"{len(kinds)} kinds of events: name 1 to 50, such as order.placed, order.* or *")
    for kind in kinds:
        if not _KIND.fullmatch(kind):
            raise Invalid(f"kind of events {kind[:60]!r}: use for example order.placed, order.* or *")


def _check_digest(digest_ms: int | None) -> None:
    if digest_ms is not None and not SHORTEST_DIGEST <= digest_ms <= LONGEST_DIGEST:
        raise Invalid(f"digest every {digest_ms} ms: use 5 minutes to 31 days")


def _check_target(channel: str, target: str) -> None:
    if channel not in CHANNELS:
        raise Invalid(f"channel {channel[:20]!r}: use one of {', '.join(CHANNELS)}")
    if channel == "email" and not _ADDRESS.fullmatch(target):
        raise Invalid(f"{target[:100]!r} is no e-mail address")
    if channel == "webhook":
        _check_url(target)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Invalid(f"{url[:200]!r}: {error}") from error
    fine = parts.scheme in {"http", "https"} and parts.hostname and port != 0 and len(url) <= 512 and url.isascii()
    if not fine or parts.username or parts.password or not url.isprintable() or " " in url:
        raise Invalid(f"{url[:200]!r}: use an address such as https://example.com/hook, without a password in it")
