"""Who owns a partition, and up to which journal offset the ledger knows it."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from ledger.clock import real_ms
from ledger.engine import insert_new
from ledger.tables import partition_owner
from models.stores import Claim, Fenced, StoreError


class WrongJournal(StoreError):
    """The ledger's offsets belong to another journal."""


def claim(tx: Connection, partition: int, owner: str, journal: str) -> Claim:
    """Epoch + 1. Raises WrongJournal."""
    insert_new(tx, partition_owner, {"partition": partition, "epoch": 0, "owner": "", "offset": 0, "claimed": 0})
    before = _row(tx, partition)
    if before.journal not in {"", journal}:
        raise WrongJournal(
            f"ledger: partition {partition} belongs to journal {before.journal}, not {journal}: "
            "use the journal that this ledger was made with, or restore both from one backup"
        )
    after = tx.execute(
        update(partition_owner)
        .where(partition_owner.c.partition == partition)
        .values(epoch=partition_owner.c.epoch + 1, owner=owner, journal=journal, claimed=real_ms())
        .returning(partition_owner.c.epoch, partition_owner.c.offset)
    ).one()
    return Claim(after.epoch, after.offset, before.journal)


def advance(tx: Connection, partition: int, epoch: int, through: int) -> bool:
    """Take the offset to `through`; False if it is there already. Raises Fenced. Holds the partition's row until the
    transaction ends, so facts that say which offset they know are made one after the other."""
    mine = partition_owner.c.partition == partition
    moved = tx.execute(
        update(partition_owner)
        .where(mine, partition_owner.c.epoch == epoch, partition_owner.c.offset < through)
        .values(offset=through)
    ).rowcount
    if moved:
        return True
    check(tx, partition, epoch)
    return False


def check(tx: Connection, partition: int, epoch: int) -> None:
    """Raises Fenced unless `epoch` is the partition's."""
    row = _row(tx, partition)
    if row.epoch != epoch:
        raise Fenced(
            f"ledger: partition {partition} belongs to epoch {row.epoch} ({row.owner}), not to {epoch}: "
            "another worker took it over, this one must stop"
        )


def _row(tx: Connection, partition: int) -> Row[Any]:
    query = select(partition_owner).where(partition_owner.c.partition == partition).with_for_update()
    found = tx.execute(query).one_or_none()
    if found is None:
        raise Fenced(f"ledger: nobody has claimed partition {partition}: claim it first")
    return found
