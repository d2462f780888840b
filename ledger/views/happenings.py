"""What somebody should look at: alerts and tasks."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, shown

_ALERT = "id account_id site_id code subject text raised=raised_at cleared=cleared_at"
_TASK = "id account_id site_id kind subject text state opened=opened_at closed=closed_at closed_by"


def _alerts() -> Select[Any]:
    return select(*columns(t.alert, _ALERT))


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
