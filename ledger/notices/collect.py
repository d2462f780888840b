"""Events into the outbox: one row per event and subscription, or per digest. Positions move in the same transaction."""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, and_, func, or_, select, update

from ledger import events, outbox
from ledger.engine import Ledger
from ledger.events import Event
from ledger.notices.sandbox import of_sandbox
from ledger.notices.subscriptions import matches
from ledger.notices.words import sentence
from ledger.scope import Scope
from ledger.tables import event, subscription
from ledger.views.rows import iso
from models.outbox import Kind

PAGE: Final = 200
"""Events that one transaction looks at."""
DIGEST_MOST: Final = 500
"""Events in a digest; of more it tells how many were left out."""

encode = msgspec.json.Encoder().encode


def collect(ledger: Ledger, now: int) -> int:
    """Put into the outbox what subscribers are to be told; how many messages. `now` is domain time. Raises Unavailable.

    A short transaction per subscription and page: others write in between."""
    made = 0
    with ledger.read() as tx:
        waiting = [int(number) for number in tx.scalars(_waiting(now))]
    for number in waiting:
        more = True
        while more:
            with ledger.write() as tx:
                told, more = _collect(tx, number, now)
            made += told
    return made


def _waiting(now: int) -> Any:
    newest = select(func.coalesce(func.max(event.c.id), 0)).scalar_subquery()
    at_once = and_(subscription.c.digest_ms.is_(None), subscription.c.position < newest)
    return select(subscription.c.id).where(
        subscription.c.paused.is_(False), or_(at_once, subscription.c.digest_at <= now)
    )


def _collect(tx: Connection, number: int, now: int) -> tuple[int, bool]:
    """(messages, is there more) of one subscription."""
    mine = select(subscription).where(subscription.c.id == number, subscription.c.paused.is_(False))
    found = tx.execute(mine.with_for_update()).one_or_none()  # another deliverer may be at it
    if found is None:
        return 0, False
    return _at_once(tx, found) if found.digest_ms is None else _digest(tx, found, now)


def _at_once(tx: Connection, found: Row[Any]) -> tuple[int, bool]:
    seen = events.read(tx, _scope(found), after=found.position, limit=PAGE)
    wanted = [one for one in seen if _wanted(tx, found, one)]
    for one in wanted:
        _put(tx, found, one.subject, f"{one.id}", message(tx, one))
    # beyond a short page there is nothing of this account: go on from the newest event
    _move(tx, found, seen[-1].id if len(seen) == PAGE else max(events.last_id(tx), found.position))
    return len(wanted), len(seen) == PAGE


def _digest(tx: Connection, found: Row[Any], now: int) -> tuple[int, bool]:
    if found.digest_at is None or found.digest_at > now:
        return 0, False
    wanted: list[Event] = []
    position, left_out = found.position, 0
    while seen := events.read(tx, _scope(found), after=position, limit=PAGE):
        fits = [one for one in seen if _wanted(tx, found, one)]
        room = DIGEST_MOST - len(wanted)
        wanted, left_out = wanted + fits[:room], left_out + max(len(fits) - room, 0)
        position = seen[-1].id
    if wanted:
        body = {
            "type": "digest",
            "timestamp": iso(now),
            "data": {"events": [_content(tx, one) for one in wanted], "left_out": left_out},
        }
        _put(tx, found, f"digest/{position}", f"digest-{position}", body)
    _move(tx, found, position, digest_at=now + found.digest_ms)
    return min(len(wanted), 1), False


def _wanted(tx: Connection, found: Row[Any], one: Event) -> bool:
    return matches(found.kinds, one.kind) and not of_sandbox(tx, one.subject)


def message(tx: Connection, one: Event) -> dict[str, Any]:
    """The body of one event, as Standard Webhooks recommends: type, timestamp, data."""
    return {"type": one.kind, "timestamp": iso(one.ts), "data": _content(tx, one)}


def _content(tx: Connection, one: Event) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "subject": one.subject,
        "account_id": one.account_id,
        "happened_at": iso(one.ts),
        "text": sentence(tx, one),
        "data": one.data,
    }


def _scope(found: Row[Any]) -> Scope:
    return Scope.all() if found.account_id is None else Scope.of(found.account_id)


def _put(tx: Connection, found: Row[Any], subject: str, name: str, body: dict[str, Any]) -> None:
    """`name` is the same when the event is told again; the row's key then has another round."""
    target = f"subscription/{found.id}"
    key = message_key(found.id, name, found.round)
    outbox.put(tx, Kind.WEBHOOK, f"{target}/{subject}"[:128], encode(body), key=key, target=target)


def message_key(number: int, name: str, around: int) -> str:
    return f"msg_{number}_{name}/{around}"


def message_id(key: str) -> str:
    """What the receiver knows a message by: the outbox row's key without its round."""
    return key.partition("/")[0]


def _move(tx: Connection, found: Row[Any], position: int, **more: Any) -> None:
    tx.execute(update(subscription).where(subscription.c.id == found.id).values(position=position, **more))


def sample(tx: Connection, number: int, now: int, real_now: int) -> str:
    """Put a message that says nothing but that it arrives; its id. `real_now` makes it another one each time."""
    name = f"test-{real_now}"
    body = {"type": "test", "timestamp": iso(now), "data": {"text": "Ullage reaches you.", "subscription": number}}
    key, target = message_key(number, name, 0), f"subscription/{number}"
    outbox.put(tx, Kind.WEBHOOK, f"{target}/test", encode(body), key=key, target=target)
    return message_id(key)
