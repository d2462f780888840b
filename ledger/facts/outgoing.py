"""Versions and rows: what all facts have in common."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, update

from ledger import outbox
from models.facts import AnyFact
from models.outbox import Kind

CHUNK = 5_000  # ids in one statement: PostgreSQL and SQLite take at most 32,766

_encode = msgspec.msgpack.Encoder().encode


def put_facts(tx: Connection, facts: Iterable[tuple[str, int, AnyFact]]) -> None:
    """Write (aggregate, partition, fact) into the outbox."""
    outbox.put_many(
        tx,
        Kind.FACT,
        (
            (aggregate, _encode(fact), f"{aggregate}@{fact.incarnation}.{fact.version}", partition)
            for aggregate, partition, fact in facts
        ),
    )


def bump(tx: Connection, table: Table, ids: Sequence[int]) -> None:
    """A new version for each row; also locks it, so that versions are given in the order of the commits."""
    for chunk in chunks(ids):
        tx.execute(update(table).where(table.c.id.in_(chunk)).values(version=table.c.version + 1))


def chunks(ids: Iterable[Any]) -> Iterator[list[Any]]:
    source = iter(ids)
    while chunk := list(islice(source, CHUNK)):
        yield chunk
