"""A person releases a refused need: the slot may be ordered for again (attempt + 1)."""

from sqlalchemy import select, update

from ledger import audit, facts
from ledger.change import Change
from ledger.clock import real_ms
from ledger.orders.book import NEED_WORDS
from ledger.scope import NotFound, Scope
from ledger.tables import need
from models.facts import NeedState
from models.stores import StoreError


class NotRefused(StoreError):
    """Only a refused need blocks its slot."""


def release(change: Change, scope: Scope, need_id: int) -> None:
    """Releasing again changes nothing. Raises NotFound, NotRefused."""
    mine = (need.c.id == need_id, scope.where(need.c.account_id))
    row = change.tx.execute(select(need).where(*mine).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(f"there is no need {need_id}")
    if row.state != NeedState.REFUSED:
        raise NotRefused(f"need {need_id} is {NEED_WORDS[NeedState(row.state)]}: there is nothing to release")
    if row.released:
        return
    freed = change.tx.execute(update(need).where(need.c.id == need_id).values(released=True).returning(need)).one()
    facts.enqueue_need(change.tx, freed)
    change.close_tasks(f"need/{need_id}")
    told = {"before": {"released": False}, "after": {"released": True}, "account_id": row.account_id}
    audit.record(change.tx, change.by, "need.released", f"need/{need_id}", real_ms(), **told)
    change.tell(row.account_id, "need.released", f"need/{need_id}", slot=row.slot_id)
