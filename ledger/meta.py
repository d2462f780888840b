"""What the ledger remembers about itself: incarnation, number of partitions, the directory's change counter."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.engine import insert_new, upsert
from ledger.tables import counter, meta
from models.stores import StoreError

INCARNATION = "incarnation"
PARTITIONS = "partitions"


class Layout(NamedTuple):
    incarnation: int  # grows when the ledger is restored from a backup: then its facts count as newer
    partitions: int


class WrongLayout(StoreError):
    """The ledger belongs to a journal with another number of partitions."""


def get(tx: Connection, key: str) -> str | None:
    return tx.scalar(select(meta.c.value).where(meta.c.key == key))


def put(tx: Connection, key: str, value: str) -> None:
    upsert(tx, meta, [{"key": key, "value": value}], on=["key"])


def settle_partitions(tx: Connection, partitions: int) -> None:
    """Remember P, once and for ever. Raises WrongLayout if the ledger knows another one."""
    insert_new(tx, meta, {"key": PARTITIONS, "value": str(partitions)})
    known = get(tx, PARTITIONS)
    if known != str(partitions):
        raise WrongLayout(
            f"ledger: made for {known} partitions, the journal has {partitions}: use the journal it was made with"
        )


def layout(tx: Connection) -> Layout:
    """Incarnation (1 at first) and P (4 unless `settle_partitions` said otherwise)."""
    found = dict(tx.execute(select(meta.c.key, meta.c.value).where(meta.c.key.in_([INCARNATION, PARTITIONS]))).all())
    return Layout(int(found.get(INCARNATION, 1)), int(found.get(PARTITIONS, 4)))


def new_incarnation(tx: Connection) -> int:
    """After a restore: what this ledger says from now on counts as newer than all that the journal has of it."""
    number = layout(tx).incarnation + 1
    put(tx, INCARNATION, str(number))
    return number


def count(tx: Connection, name: str) -> int:
    """The next number of a named counter, from 1."""
    insert_new(tx, counter, {"name": name, "value": 0})
    statement = counter.update().where(counter.c.name == name).values(value=counter.c.value + 1)
    return int(tx.execute(statement.returning(counter.c.value)).scalar_one())
