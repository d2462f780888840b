"""What people and programs asked of Ullage, and what came of it."""

from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.query import Query
from ledger.views.rows import Dict, columns, only, shown

_NAMES = "id kind account_id site_id slot_id by outcome reason cycle attempt created=created_at answered=answered_at"


def _requests() -> Select[Any]:
    r, n = t.request.c, t.need.c
    return (
        select(*columns(t.request, _NAMES), n.id.label("need_id"), t.order_line.c.order_id, r.evidence)
        .outerjoin(
            t.need,
            (n.slot_id == r.slot_id) & (n.cycle == r.cycle) & (n.attempt == r.attempt) & (r.attempt > 0),
        )
        .outerjoin(t.order_line, t.order_line.c.id == n.order_line_id)
    )


_REQUESTS: Final = Query(_requests, owner=t.request.c.account_id, keys=[t.request.c.id], id=t.request.c.id)
_ANSWERED: Final = select(t.request.c.answered).where(t.request.c.id == bindparam("id"))


def request(tx: Connection, scope: Scope, request_id: str) -> Dict:
    """`outcome` None: not answered yet. Raises NotFound."""
    found = only(shown(_REQUESTS.run(tx, scope, id=request_id)), f"request {request_id}")
    evidence = found.pop("evidence")
    found["probability"] = None if evidence is None else round(evidence["probability"], 6)
    found["threshold"] = None if evidence is None else round(evidence["threshold"], 6)
    found["outcome"] = found["outcome"] or None
    return found


def answered(tx: Connection, request_id: str) -> bool:
    return tx.scalar(_ANSWERED, {"id": request_id}) is not None
