"""What somebody should look at: alerts, tasks, input that was held back."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, only, shown

_ALERT = "id account_id site_id code subject text raised=raised_at cleared=cleared_at"
_TASK = "id account_id site_id kind subject text state opened=opened_at closed=closed_at closed_by"
_HELD = "id account_id device_id ts=received_at code reason state settled_by settled_at"


def _alerts() -> Select[Any]:
    return select(*columns(t.alert, _ALERT))


def _held() -> Select[Any]:
    return select(*columns(t.quarantine, _HELD), func.length(t.quarantine.c.raw).label("size"))


_ALL_ALERTS: Final = Query(
    _alerts, owner=t.alert.c.account_id, keys=[t.alert.c.id], newest_first=True, site=t.alert.c.site_id
)
_RAISED: Final = Query(
    lambda: _alerts().where(t.alert.c.cleared.is_(None)),
    owner=t.alert.c.account_id,
    keys=[t.alert.c.id],
    newest_first=True,
    site=t.alert.c.site_id,
)
_TASKS: Final = Query(
    lambda: select(*columns(t.task, _TASK)),
    owner=t.task.c.account_id,
    keys=[t.task.c.id],
    newest_first=True,
    state=t.task.c.state,
    site=t.task.c.site_id,
)
_QUARANTINE: Final = Query(
    _held,
    owner=t.quarantine.c.account_id,
    keys=[t.quarantine.c.id],
    newest_first=True,
    state=t.quarantine.c.state,
    device=t.quarantine.c.device_id,
)
_RAW: Final = Query(
    lambda: _held().add_columns(t.quarantine.c.raw),
    owner=t.quarantine.c.account_id,
    keys=[t.quarantine.c.id],
    id=t.quarantine.c.id,
)


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
    query = _RAISED if raised else _ALL_ALERTS
    return shown(query.run(tx, scope, position=position, limit=limit, site=site))


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
    return shown(_TASKS.run(tx, scope, position=position, limit=limit, state=state, site=site))


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
    return shown(_QUARANTINE.run(tx, scope, position=position, limit=limit, state=state, device=device))


def held(tx: Connection, scope: Scope, held_id: int) -> Dict:
    """One with its raw bytes as text. Raises NotFound."""
    found = only(shown(_RAW.run(tx, scope, id=held_id)), f"held input {held_id}")
    found["raw"] = found["raw"].decode(errors="replace")
    return found
