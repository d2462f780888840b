"""A real journal that takes nothing: nothing is read, nothing acknowledged, nothing lost."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import pytest

from journal.codec import encode_refused
from journal.sqlite import SqliteJournal
from models.records import Refused
from models.stores import Unavailable
from sqlitefile.writer_lock import WriterLock
from tests.support.gateway import running, sequences, until
from tests.support.mqtt import Client, reading

Outage = Callable[[SqliteJournal], AbstractContextManager[None]]
MOST = 64 << 20
"""Bytes: far more than all buffers between two sockets hold."""


@contextmanager
def full(journal: SqliteJournal) -> Iterator[None]:
    """SQLite may not make the file larger: what it says then is what it says on a full disk."""
    with journal._write_lock:
        pages = journal._writer.execute("PRAGMA page_count").fetchone()[0]
        journal._writer.execute(f"PRAGMA max_page_count={pages}")
    filler = encode_refused(Refused(device=1, received=0, code="filler", reason="", raw=b""))
    with suppress(Unavailable):
        while True:
            journal.append([(1, filler)])
    yield
    with journal._write_lock:
        journal._writer.execute("PRAGMA max_page_count=1000000")


@contextmanager
def locked(journal: SqliteJournal) -> Iterator[None]:
    """Another program is in a transaction."""
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def held(journal: SqliteJournal) -> Iterator[None]:
    """Another process of ours hangs in a commit."""
    with closing(WriterLock(journal.path)) as lock, lock:
        yield


def until_nobody_reads(client: Client) -> bytes:
    """Send until the socket takes no more; what is left of the last message."""
    message = client.message(b" " * 60_000, qos=0)
    sent = 0
    client.sock.settimeout(0.3)
    try:
        while sent < MOST:
            rest = message
            while rest:
                taken = client.sock.send(rest)
                sent, rest = sent + taken, rest[taken:]
    except TimeoutError:
        return rest
    finally:
        client.sock.settimeout(20)
    raise AssertionError(f"{sent} bytes were read")


@pytest.mark.parametrize("version", [4, 5])
@pytest.mark.parametrize("outage", [full, locked, held])
def test_nothing_is_read_and_nothing_acknowledged_meanwhile(
    outage: Outage, version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sqlitefile.patience.PATIENCE_S", 0.05)
    bounds = {"retry_first": 0.01, "retry_most": 0.02, "bytes_per_second": MOST, "burst_bytes": MOST}
    with closing(SqliteJournal(tmp_path / "journal.db")) as journal, running(journal, **bounds) as gateway:
        client = gateway.client(version)
        with outage(journal):
            client.publish(reading(1), 1)
            until(lambda: gateway.metric("ullage_gateway_paused") == 1)
            rest = until_nobody_reads(client)
            client.quiet()
            assert sequences(journal) == []
        client.sock.sendall(rest + client.message(reading(2), 2))
        client.expect(0x40, b"\0\1")
        client.expect(0x40, b"\0\2")
        assert sequences(journal) == [1, 2]
        assert gateway.metric("ullage_gateway_paused") == 0
