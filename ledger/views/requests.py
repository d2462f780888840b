"""What people and programs asked of Ullage, and what came of it."""

from sqlalchemy import Connection, select

from ledger import tables as t
from ledger.scope import Scope
from ledger.views.rows import Dict, columns, one

_NAMES = "id kind account_id site_id slot_id by outcome reason cycle attempt created=created_at answered=answered_at"


def request(tx: Connection, scope: Scope, request_id: str) -> Dict:
    """`outcome` None: not answered yet. Raises NotFound."""
    r, n = t.request.c, t.need.c
    found = one(
        tx,
        select(*columns(t.request, _NAMES), n.id.label("need_id"), t.order_line.c.order_id, r.evidence)
        .outerjoin(
            t.need,
            (n.slot_id == r.slot_id) & (n.cycle == r.cycle) & (n.attempt == r.attempt) & (r.attempt > 0),
        )
        .outerjoin(t.order_line, t.order_line.c.id == n.order_line_id)
        .where(r.id == request_id, scope.where(r.account_id)),
        f"request {request_id}",
    )
    evidence = found.pop("evidence")
    found["probability"] = None if evidence is None else round(evidence["probability"], 6)
    found["threshold"] = None if evidence is None else round(evidence["threshold"], 6)
    found["outcome"] = found["outcome"] or None
    return found


def answered(tx: Connection, request_id: str) -> bool:
    return tx.scalar(select(t.request.c.answered).where(t.request.c.id == request_id)) is not None
