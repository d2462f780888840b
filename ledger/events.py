"""What happened, in order: appended in the transaction that did it, read after an id, by whoever may see it."""

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from ledger.registry.common import views
from ledger.scope import Scope
from ledger.tables import event

_APPEND = event.insert()


class Event(msgspec.Struct, frozen=True):
    id: int
    account_id: int | None  # None: for those who see all accounts
    kind: str  # "order.placed"
    subject: str  # "order/17"
    data: dict[str, Any]
    ts: int


def append(tx: Connection, account_id: int | None, kind: str, subject: str, data: dict[str, Any], ts: int) -> None:
    tx.execute(_APPEND, {"account_id": account_id, "kind": kind, "subject": subject, "data": data, "ts": ts})


def read(
    tx: Connection, scope: Scope, *, after: int, limit: int = 500, account_id: int | None = None, subject: str = ""
) -> list[Event]:
    """Events above id `after`, oldest first."""
    query = select(event).where(event.c.id > after, scope.where(event.c.account_id)).order_by(event.c.id).limit(limit)
    if account_id is not None:
        query = query.where(event.c.account_id == account_id)
    if subject:
        query = query.where(event.c.subject == subject)
    return views(Event, tx.execute(query))


def last_id(tx: Connection) -> int:
    return int(tx.scalar(select(func.max(event.c.id))) or 0)


def first_id(tx: Connection) -> int:
    """The oldest that is still there; a reader that resumes below it has missed something."""
    return int(tx.scalar(select(func.min(event.c.id))) or 0)


def expire(tx: Connection, before: int, limit: int = 10_000) -> int:
    """Drop at most `limit` events older than `before` (ms); how many went."""
    old = select(event.c.id).where(event.c.ts < before).order_by(event.c.id).limit(limit)
    return tx.execute(event.delete().where(event.c.id.in_(old))).rowcount
