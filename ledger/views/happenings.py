"""What somebody should look at: alerts, tasks, input that was held back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.rows import Dict, columns, equal, many, one

_ALERT = "id account_id site_id code subject text raised=raised_at cleared=cleared_at"
_TASK = "id account_id site_id kind subject text state opened=opened_at closed=closed_at closed_by"
_HELD = "id account_id device_id ts=received_at code reason state settled_by settled_at"


def alerts(
    tx: Connection,
    scope: Scope,
    *,
    raised: bool = True,
    site: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Newest first, behind `position` = (id,). `raised`: only those that are not cleared."""
    a = t.alert.c
    statement = equal(select(*columns(t.alert, _ALERT)).where(scope.where(a.account_id)), (a.site_id, site))
    if raised:
        statement = statement.where(a.cleared.is_(None))
    if position is not None:
        statement = statement.where(a.id < position[0])
    return many(tx, statement.order_by(a.id.desc()).limit(limit))


def tasks(
    tx: Connection,
    scope: Scope,
    *,
    state: str | None = None,
    site: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Newest first, behind `position` = (id,)."""
    k = t.task.c
    statement = select(*columns(t.task, _TASK)).where(scope.where(k.account_id))
    if position is not None:
        statement = statement.where(k.id < position[0])
    return many(tx, equal(statement, (k.state, state), (k.site_id, site)).order_by(k.id.desc()).limit(limit))


def quarantine(
    tx: Connection,
    scope: Scope,
    *,
    state: str = "held",
    device: int | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Without the raw bytes, newest first, behind `position` = (id,)."""
    q = t.quarantine.c
    chosen = select(*columns(t.quarantine, _HELD), func.length(q.raw).label("size"))
    statement = equal(chosen.where(scope.where(q.account_id), q.state == state), (q.device_id, device))
    if position is not None:
        statement = statement.where(q.id < position[0])
    return many(tx, statement.order_by(q.id.desc()).limit(limit))


def held(tx: Connection, scope: Scope, held_id: int) -> Dict:
    """One with its raw bytes as text. Raises NotFound."""
    q = t.quarantine.c
    chosen = select(*columns(t.quarantine, _HELD), func.length(q.raw).label("size"), q.raw)
    found = one(tx, chosen.where(q.id == held_id, scope.where(q.account_id)), f"held input {held_id}")
    found["raw"] = found["raw"].decode(errors="replace")
    return found
