"""How a need stands, and what a person said about a refill. Both are versioned by their slot."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from ledger import meta
from ledger.facts.outgoing import put_facts
from ledger.tables import site, slot
from models.facts import NeedFact, NeedState, RefillVerdictFact


def enqueue_need(tx: Connection, row: Row[Any]) -> None:
    """`row` of table need, as this transaction leaves it (slot_id, cycle, attempt, state, reason, released)."""
    state = NeedState(row.state)
    tell_need(tx, row.slot_id, row.cycle, row.attempt, state, row.reason, released=row.released)


def tell_need(
    tx: Connection, slot_id: int, cycle: int, attempt: int, state: NeedState, reason: str, *, released: bool = False
) -> None:
    """Also of a need that has no row: what cannot be written is answered."""
    version, incarnation, partition = _next(tx, slot_id)
    fact = NeedFact(
        version=version,
        incarnation=incarnation,
        slot=slot_id,
        cycle=cycle,
        attempt=attempt,
        state=state,
        reason=reason,
        released=released,
    )
    put_facts(tx, [(f"needs/{slot_id}", partition, fact)])


def enqueue_verdict(tx: Connection, slot_id: int, cycle: int) -> None:
    """A person reversed the refill that closed `cycle`."""
    version, incarnation, partition = _next(tx, slot_id)
    fact = RefillVerdictFact(version=version, incarnation=incarnation, slot=slot_id, cycle=cycle)
    put_facts(tx, [(f"needs/{slot_id}", partition, fact)])


def _next(tx: Connection, slot_id: int) -> tuple[int, int, int]:
    """The slot's next need version, the incarnation, the partition of its site."""
    version, site_id = tx.execute(
        update(slot)
        .where(slot.c.id == slot_id)
        .values(need_version=slot.c.need_version + 1)
        .returning(slot.c.need_version, slot.c.site_id)
    ).one()
    incarnation, partitions = meta.layout(tx)
    shard = tx.execute(select(site.c.shard).where(site.c.id == site_id)).scalar_one()
    return version, incarnation, shard % partitions
