"""What a replay of the journal is compared with."""

from dataclasses import fields

import msgspec
from sqlalchemy import Connection, select

from ledger.tables import outbox, partition_owner, site, slot_view
from models.effects import SlotView
from models.facts import AnyFact, NeedFact
from models.outbox import Kind

_decoder: msgspec.msgpack.Decoder[AnyFact] = msgspec.msgpack.Decoder(AnyFact)
_FIELDS = [
    slot_view.c.slot_id.label("slot") if field.name == "slot" else slot_view.c[field.name] for field in fields(SlotView)
]


def written_views(tx: Connection, partition: int, partitions: int) -> dict[int, SlotView]:
    """The last view of every slot of a partition, by slot."""
    query = (
        select(*_FIELDS)
        .join(site, site.c.id == slot_view.c.site_id)
        .where(site.c.shard % partitions == partition)
        .order_by(slot_view.c.slot_id)
    )
    views = (SlotView(**(dict(row) | {"quantiles": tuple(row["quantiles"])})) for row in tx.execute(query).mappings())
    return {view.slot: view for view in views}


def reached(tx: Connection, partition: int) -> int:
    """The journal offset below which the ledger has applied everything; 0: nothing yet."""
    query = select(partition_owner.c.offset).where(partition_owner.c.partition == partition)
    return tx.execute(query).scalar_one_or_none() or 0


def untold_needs(tx: Connection) -> set[tuple[int, int, int]]:
    """(slot, cycle, attempt) of needs whose newest state still waits to get into the journal."""
    query = select(outbox.c.payload).where(outbox.c.kind == Kind.FACT, outbox.c.state != "done")
    facts = (_decoder.decode(payload) for payload in tx.scalars(query))
    return {(fact.slot, fact.cycle, fact.attempt) for fact in facts if isinstance(fact, NeedFact)}
