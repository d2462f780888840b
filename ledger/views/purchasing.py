"""Limits, budgets and delegations, as the API shows them."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from ledger import tables as t
from ledger.delegation import Delegation
from ledger.limits import Limit
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, iso, money, shown
from models.units import DAY

_BUDGET = "id account_id cost_centre month currency amount reserved spent"
_BUDGETS: Final = Query(
    lambda: select(*columns(t.budget, _BUDGET)),
    owner=t.budget.c.account_id,
    keys=[t.budget.c.id],
    newest_first=True,
    id=t.budget.c.id,
    account=t.budget.c.account_id,
    month=t.budget.c.month,
)


def budgets(
    tx: Connection,
    scope: Scope,
    *,
    id: int | None = None,  # noqa: A002 - as the column
    account: int | None = None,
    month: str | None = None,
    position: Sequence[Any] | None = None,
    limit: int = 100,
) -> list[Dict]:
    """Newest first, behind `position` = (id,)."""
    return shown(_BUDGETS.run(tx, scope, position=position, limit=limit, id=id, account=account, month=month))


def limit(found: Limit) -> Dict:
    row = msgspec.structs.asdict(found)
    span = row.pop("span_ms")
    amounts = {name: None if row[name] is None else money(row[name]) for name in ("per_order", "per_span")}
    return row | amounts | {"span_days": None if span is None else span / DAY}


def delegation(found: Delegation) -> Dict:
    row = msgspec.structs.asdict(found)
    starts, ends = row.pop("starts"), row.pop("ends")
    return row | {"starts_at": iso(starts), "ends_at": iso(ends)}
