"""What the SQLite files have in common: turns, transactions, and what an error means."""

import fcntl
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from models.stores import StoreError, Unavailable
from sqlitefile import patience
from sqlitefile.connection import Damaged, connect, transaction, translated
from sqlitefile.format import Format, OtherVersion, prepare
from sqlitefile.writer_lock import WriterLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path)) as opened:
        opened.execute("CREATE TABLE kept (value INTEGER)")
        yield opened


def kept(connection: sqlite3.Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT value FROM kept ORDER BY value")]


def test_a_lock_has_one_holder_and_goes_to_the_next(path: Path) -> None:
    with closing(WriterLock(path)) as one, closing(WriterLock(path)) as two:
        one.acquire(time.monotonic())
        with pytest.raises(Unavailable, match="locked, another process writes: nothing was written"):
            two.acquire(time.monotonic())
        one.release()
        with two, pytest.raises(Unavailable):
            one.acquire(time.monotonic())


def test_who_waits_is_not_overtaken_by_who_comes_again(path: Path) -> None:
    took: list[str] = []
    with closing(WriterLock(path)) as one, closing(WriterLock(path)) as two:

        def wait() -> None:
            two.acquire(time.monotonic() + 30)
            took.append("two")
            two.release()

        one.acquire(time.monotonic())
        waiter = threading.Thread(target=wait)
        waiter.start()
        while turnstile_is_free(path):
            patience.pause()
        one.release()
        one.acquire(time.monotonic() + 30)
        took.append("one")
        waiter.join()
    assert took == ["two", "one"]


def turnstile_is_free(path: Path) -> bool:
    with path.with_name(f"{path.name}-turn").open() as turnstile:
        try:
            fcntl.flock(turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_a_closed_lock_says_so(path: Path) -> None:
    lock = WriterLock(path)
    lock.close()
    lock.close()
    with pytest.raises(StoreError, match="closed already"):
        lock.acquire(time.monotonic())


def test_a_lock_where_nothing_can_be_written_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nothing was written"):
        WriterLock(tmp_path / "no-folder" / "some.db")


def test_a_transaction_is_whole_or_not_at_all(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        connection.execute("INSERT INTO kept VALUES (1)")

    def fail() -> None:
        with transaction(connection):
            connection.execute("INSERT INTO kept VALUES (2)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert kept(connection) == [1]
    assert not connection.in_transaction


def test_what_is_busy_is_tried_again(connection: sqlite3.Connection, path: Path) -> None:
    """The neighbour goes on as soon as it was met."""
    with closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        tries = []

        def call() -> int:
            tries.append(1)
            try:
                return connection.execute("INSERT INTO kept VALUES (3)").rowcount
            finally:
                if len(tries) == 2:
                    other.execute("ROLLBACK")

        assert patience.retried(call) == 1
    assert len(tries) == 3
    assert kept(connection) == [3]


def test_what_is_wrong_is_not_tried_again(connection: sqlite3.Connection) -> None:
    tries = []

    def call() -> None:
        tries.append(1)
        connection.execute("SELECT * FROM nowhere")

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        patience.retried(call)
    assert len(tries) == 1


def test_errors_say_which_file_and_what_to_do(path: Path) -> None:
    path.write_bytes(b"no database" * 1000)

    def read(cure: str) -> None:
        with translated(path, cure), closing(sqlite3.connect(path)) as opened:
            opened.execute("SELECT * FROM sqlite_schema")

    with pytest.raises(Damaged, match=r"some\.db is damaged or no SQLite file: .*; remove it"):
        read("remove it")


def test_a_number_that_sqlite_cannot_keep_is_an_error_of_the_store(connection: sqlite3.Connection, path: Path) -> None:
    with pytest.raises(StoreError, match="64 bits"), translated(path):
        connection.execute("INSERT INTO kept VALUES (?)", (1 << 63,))
    assert kept(connection) == []


def test_another_version_is_told(connection: sqlite3.Connection, path: Path, tmp_path: Path) -> None:
    made = Format("thing", application=77, version=1, page_size=4096, schema="CREATE TABLE a (b)")
    with closing(connect(tmp_path / "new.db")) as new:
        prepare(new, tmp_path / "new.db", made)
        prepare(new, tmp_path / "new.db", made)  # is harmless
        later = Format("thing", application=77, version=2, page_size=4096, schema="CREATE TABLE a (b, c)")
        with pytest.raises(OtherVersion, match="a thing of version 1; this program uses version 2"):
            prepare(new, tmp_path / "new.db", later)


def test_opening_waits_for_who_is_just_making_the_file(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE one (x)")
        other.execute("BEGIN EXCLUSIVE")
        timer = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
        timer.start()
        with closing(connect(path)) as connection:
            assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
        timer.join()
