"""Who changed what: one row per change a person or program asked for, with how it was before and after."""

from typing import Any

import msgspec
from sqlalchemy import Connection, select

from ledger.registry.common import PAGE, views
from ledger.scope import Scope
from ledger.tables import audit

SECRET = frozenset({"secret", "credential", "token", "hash", "password"})


class Entry(msgspec.Struct, frozen=True):
    id: int
    ts: int
    by: str
    account_id: int | None
    action: str
    subject: str
    before: Any
    after: Any


def record(
    tx: Connection,
    by: str,
    action: str,
    subject: str,
    ts: int,
    *,
    account_id: int | None = None,
    before: Any = None,
    after: Any = None,
) -> None:
    """In the transaction of the change; `ts` is real time. What is secret is named, its value is left out."""
    row = {"ts": ts, "by": by, "account_id": account_id, "action": action, "subject": subject}
    tx.execute(audit.insert().values(row | {"before": _clean(before), "after": _clean(after)}))


def list_entries(
    tx: Connection,
    scope: Scope,
    *,
    before: int | None = None,
    limit: int = PAGE,
    subject: str | None = None,
    by: str | None = None,
) -> list[Entry]:
    """Newest first; `before` is the id to go on from."""
    query = select(audit).where(scope.where(audit.c.account_id)).order_by(audit.c.id.desc()).limit(limit)
    for column, wanted in ((audit.c.subject, subject), (audit.c.by, by)):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(audit.c.id < before)
    return views(Entry, tx.execute(query))


def _clean(value: Any) -> Any:
    value = msgspec.to_builtins(value)
    if isinstance(value, dict):
        return {name: "(secret)" if name in SECRET else _clean(part) for name, part in value.items()}
    return [_clean(part) for part in value] if isinstance(value, list) else value
