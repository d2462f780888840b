"""What was sent to subscribers."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, literal_column, select

from ledger import tables as t
from ledger.notices import subscriptions
from ledger.notices.collect import message_id
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, shown

_SENT: Final = "id key state attempts last_error created=created_at settled_at"

NOTICE: Final[ColumnElement[bool]] = literal_column("kind = 'webhook'")  # so that the partial index is taken


def _sent() -> Select[tuple[object, ...]]:
    return select(*columns(t.outbox, _SENT)).where(NOTICE, t.outbox.c.target == bindparam("target"))


_QUERY: Final = Query(_sent, owner=None, keys=[t.outbox.c.id], newest_first=True)


def sent(tx: Connection, scope: Scope, number: int, *, position: Sequence[int] | None = None, limit: int) -> list[Dict]:
    """Messages of one subscription, newest first. Raises NotFound."""
    subscriptions.get(tx, scope, number)
    rows = shown(_QUERY.run(tx, scope, position=position, limit=limit, own={"target": f"subscription/{number}"}))
    return [{"message_id": message_id(row.pop("key")), **row} for row in rows]
