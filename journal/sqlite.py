"""The journal in one SQLite file that several processes append to and read.

A record's key is partition << 40 | offset: the table is its own index, offsets of a partition are one key range. Each
commit takes its offsets inside BEGIN IMMEDIATE, so they have no gap whoever else writes.
"""

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from models.stores import Record, StoreError
from models.urls import sqlite_path
from sqlitefile.connection import Damaged, connect, sync_folder, transaction, translated
from sqlitefile.format import Format, prepare
from sqlitefile.patience import is_busy, retried
from sqlitefile.writer_lock import WriterLock

PAGE = 8192
BITS = 40  # of an offset
GAP_S = 0.001  # between two commits of one process, or its neighbours starve
WAL_PAGES = 1000  # SQLite copies the log into the file beyond this
WAL_MOST = 64 << 20  # bytes; beyond this the log is also cut, as soon as no reader needs it
CUT_PATIENCE_S = 0.05
CUT_EVERY_S = 0.2
CHECK_ALL = 64 << 20  # bytes; up to this size a start checks every page

FORMAT = Format(
    what="journal",
    application=0x554C4A31,  # "ULJ1"
    version=1,
    page_size=PAGE,
    schema="""
CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    journal TEXT NOT NULL,
    partitions INTEGER NOT NULL,
    created INTEGER NOT NULL
);
-- time is the append time in ms: for retention only, no decision sees it
CREATE TABLE record (key INTEGER PRIMARY KEY, time INTEGER NOT NULL, value BLOB NOT NULL);
-- where a partition begins: remembered when nothing is left of it
CREATE TABLE floor (partition INTEGER PRIMARY KEY, earliest INTEGER NOT NULL)
""",
)


class Extents(NamedTuple):
    """What a journal file holds."""

    journal: str  # id
    extents: list[tuple[int, int]]  # (earliest, end) of each partition


class Truncated(StoreError):
    """The records asked for were dropped already."""


def open_url(url: str, *, partitions: int = 4) -> "SqliteJournal":
    return SqliteJournal(Path(sqlite_path(url)), partitions=partitions)


class SqliteJournal:
    """See models.stores.Journal. Safe to use from several threads and by several processes."""

    def __init__(self, path: Path, *, partitions: int = 4) -> None:
        """Open or make the file. Raises OtherFile, OtherVersion, Damaged, Unavailable."""
        if not 0 < partitions <= 4096:
            raise ValueError(f"{partitions} partitions: use 1..4096")
        self.path = path.absolute()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._write_lock = threading.Lock()
        self._read_lock = threading.Lock()
        self._committed = 0.0
        self._cut_again = 0.0
        self._writers = WriterLock(self.path)
        try:
            self._writer = connect(self.path)
        except BaseException:
            self._writers.close()
            raise
        try:
            with translated(self.path), self._writers:
                retried(lambda: self._prepare(partitions))  # whoever closes the file last locks it for a moment
                self._reader = connect(self.path)
        except BaseException:
            self._writer.close()
            self._writers.close()
            raise

    @property
    def id(self) -> str:
        return self._id

    @property
    def partitions(self) -> int:
        return self._partitions

    def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        if not records:
            return []
        for partition, _ in records:
            self._known(partition)
        with self._write_lock, translated(self.path):
            self._leave_a_gap()
            with self._writers:
                try:
                    with transaction(self._writer):
                        offsets = self._insert(records, _now())
                finally:
                    self._committed = time.monotonic()
                self._bound_wal()
        return offsets

    def read(self, partition: int, offset: int, limit: int = 1000, max_bytes: int = 4 << 20) -> list[Record]:
        self._known(partition)
        base = partition << BITS
        records: list[Record] = []
        with self._read_lock, translated(self.path):
            cursor = retried(
                lambda: self._reader.execute(
                    "SELECT key, value FROM record WHERE key >= ? AND key < ? ORDER BY key LIMIT ?",
                    (base + offset, base + (1 << BITS), limit),
                )
            )
            left = max_bytes
            for key, value in cursor:
                left -= len(value)
                if records and left < 0:
                    break
                records.append(Record(key - base, value))
            cursor.close()  # ends the read transaction: a long one would keep the log from being cut
        if not records or records[0].offset != offset:
            self._explain_missing(partition, offset, bool(records))
        elif records[-1].offset - offset + 1 != len(records):
            raise Damaged(f"{self.path}: partition {partition} has a gap after offset {offset}; restore from a backup")
        return records

    def earliest(self, partition: int) -> int:
        self._known(partition)
        with self._read_lock, translated(self.path):
            return retried(lambda: _floor(self._reader, partition))

    def end(self, partition: int) -> int:
        self._known(partition)
        with self._read_lock, translated(self.path):
            return retried(lambda: _end(self._reader, partition))

    def truncate(self, partition: int, before: int) -> int:
        """Freed space is used again; the file does not shrink. Deletes in steps, so that writers get their turn."""
        self._known(partition)
        dropped = 0
        while True:
            with self._write_lock, translated(self.path):
                self._leave_a_gap()
                with self._writers:
                    with transaction(self._writer):
                        step = _drop(self._writer, partition, before)
                    self._committed = time.monotonic()
                    self._bound_wal()
            dropped += step
            if step == 0:
                return dropped

    def offset_at(self, partition: int, at: int) -> int:
        """The first offset appended at or after `at` (ms): where to truncate by age. Append times may step back a
        little when the clock is set; the result is then off by as much."""
        low, high = self.earliest(partition), self.end(partition)
        base = partition << BITS
        while low < high:
            middle = (low + high) // 2
            with self._read_lock, translated(self.path):
                row = retried(
                    lambda key=base + middle: self._reader.execute(  # type: ignore[misc]  # a default binds the loop's value
                        "SELECT time FROM record WHERE key = ?", (key,)
                    ).fetchone()
                )
            if row is not None and row[0] >= at:
                high = middle
            else:
                low = middle + 1
        return low

    def size_bytes(self) -> int:
        """Bytes on disk that records take, without those free for reuse; with the write-ahead log."""
        with self._read_lock, translated(self.path):
            pages = retried(lambda: self._reader.execute("PRAGMA page_count").fetchone()[0])
            free = retried(lambda: self._reader.execute("PRAGMA freelist_count").fetchone()[0])
        return int(pages - free) * PAGE + self.wal_bytes()

    def wal_bytes(self) -> int:
        try:
            return os.stat(f"{self.path}-wal").st_size  # noqa: PTH116  # on every commit: a Path costs more than the call
        except FileNotFoundError:
            return 0

    def close(self) -> None:
        with self._write_lock, self._read_lock:
            self._reader.close()
            self._writer.close()
            self._writers.close()

    def _known(self, partition: int) -> None:
        if not 0 <= partition < self._partitions:
            raise StoreError(f"{self.path} has partitions 0..{self._partitions - 1}, not {partition}")

    def _insert(self, records: Sequence[tuple[int, bytes]], now: int) -> list[int]:
        ends: dict[int, int] = {}
        offsets: list[int] = []
        rows: list[tuple[int, int, bytes]] = []
        for partition, value in records:
            offset = ends.get(partition)
            if offset is None:
                offset = _end(self._writer, partition)
            ends[partition] = offset + 1
            offsets.append(offset)
            rows.append((partition << BITS | offset, now, value))
        self._writer.executemany("INSERT INTO record (key, time, value) VALUES (?, ?, ?)", rows)
        return offsets

    def _leave_a_gap(self) -> None:
        wait = self._committed + GAP_S - time.monotonic()
        if wait > 0:
            time.sleep(wait)

    def _bound_wal(self) -> None:
        """SQLite copies the log back by itself, but readers that come one after another keep it from starting anew.

        So beyond WAL_MOST a gap between two readers is looked for. What was appended is durable whether one is found
        or not; then the next commit after CUT_EVERY_S tries again."""
        now = time.monotonic()
        if now < self._cut_again or self.wal_bytes() <= WAL_MOST:
            return
        while time.monotonic() < now + CUT_PATIENCE_S:
            try:
                busy, _, _ = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            except sqlite3.Error as error:
                if not is_busy(error):
                    break  # what was appended stays appended; a full disk shows itself at the next append
                busy = 1
            if not busy:
                return
            time.sleep(0.0002)
        self._cut_again = time.monotonic() + CUT_EVERY_S

    def _explain_missing(self, partition: int, offset: int, found_later: bool) -> None:
        earliest = self.earliest(partition)
        if offset < earliest:
            raise Truncated(
                f"{self.path}: offset {offset} of partition {partition} was dropped, the earliest is {earliest}; "
                "a checkpoint is older than the retention allows, or from another journal"
            )
        if found_later:
            raise Damaged(f"{self.path}: offset {offset} of partition {partition} is missing; restore from a backup")

    def _prepare(self, partitions: int) -> None:
        header = (secrets.token_hex(16), partitions, _now())
        prepare(self._writer, self.path, FORMAT, ("INSERT INTO meta VALUES (1, ?, ?, ?)", header))
        sync_folder(self.path.parent)
        self._writer.execute(f"PRAGMA wal_autocheckpoint={WAL_PAGES}")
        self._writer.execute(f"PRAGMA journal_size_limit={WAL_MOST}")
        row = retried(lambda: self._writer.execute("SELECT journal, partitions FROM meta").fetchone())
        if row is None:
            raise Damaged(f"{self.path}: the journal's header row is missing; restore from a backup")
        self._id: str = row[0]
        self._partitions: int = row[1]
        self._check()

    def _check(self) -> None:
        """Every page of a small file; of a large one the newest record of each partition (a torn end)."""
        if self.path.stat().st_size <= CHECK_ALL:
            said = self._writer.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                raise Damaged(f"{self.path} is damaged: {said}; restore it from a backup")
            return
        for partition in range(self._partitions):
            last = _end(self._writer, partition) - 1
            self._writer.execute("SELECT value FROM record WHERE key = ?", (partition << BITS | last,)).fetchone()


def extents(connection: sqlite3.Connection) -> Extents:
    """Read from any connection to the file: also to a copy that nobody else may touch. Raises sqlite3.Error."""
    journal, partitions = connection.execute("SELECT journal, partitions FROM meta").fetchone()
    return Extents(journal, [(_floor(connection, p), _end(connection, p)) for p in range(partitions)])


def oldest_ms(connection: sqlite3.Connection) -> int | None:
    """When the oldest record was appended (ms, real time), by any connection to the file; None: there is none."""
    keys = [p << BITS | first for p, (first, end) in enumerate(extents(connection).extents) if first < end]
    return min(_times(connection, keys), default=None)


def newest_ms(connection: sqlite3.Connection) -> int | None:
    """The same of the newest one."""
    keys = [p << BITS | (end - 1) for p, (first, end) in enumerate(extents(connection).extents) if first < end]
    return max(_times(connection, keys), default=None)


def _times(connection: sqlite3.Connection, keys: Sequence[int]) -> list[int]:
    rows = (connection.execute("SELECT time FROM record WHERE key = ?", (key,)).fetchone() for key in keys)
    return [row[0] for row in rows if row is not None]  # None: truncated while we look


def _now() -> int:
    return time.time_ns() // 1_000_000


def _floor(connection: sqlite3.Connection, partition: int) -> int:
    row = connection.execute("SELECT earliest FROM floor WHERE partition = ?", (partition,)).fetchone()
    return int(row[0]) if row else 0


def _end(connection: sqlite3.Connection, partition: int) -> int:
    base = partition << BITS
    row = connection.execute(
        "SELECT key FROM record WHERE key >= ? AND key < ? ORDER BY key DESC LIMIT 1", (base, base + (1 << BITS))
    ).fetchone()
    return _floor(connection, partition) if row is None else int(row[0]) - base + 1


def _drop(connection: sqlite3.Connection, partition: int, before: int, step: int = 2000) -> int:
    """Drop at most `step` records below `before`; 0 when there are none left."""
    base = partition << BITS
    floor = _floor(connection, partition)
    upto = min(before, _end(connection, partition), floor + step)
    if upto <= floor:
        return 0
    gone = connection.execute("DELETE FROM record WHERE key >= ? AND key < ?", (base + floor, base + upto)).rowcount
    connection.execute("INSERT OR REPLACE INTO floor VALUES (?, ?)", (partition, upto))
    return gone
