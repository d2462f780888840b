"""The series in one SQLite file: a row per slot and bucket, a row per point, ordered as they are asked for."""

import math
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from models.stores import Bucket, Point
from models.urls import sqlite_path
from sqlitefile.connection import connect, transaction, translated
from sqlitefile.format import Format, prepare
from sqlitefile.patience import retried
from sqlitefile.writer_lock import WriterLock

STEP = 200  # subjects per transaction while expiring: writers get their turn
CURE = "restore it, or remove it to begin a new history"

FORMAT = Format(
    what="series",
    application=0x554C5431,  # "ULT1"
    version=1,
    page_size=8192,
    schema="""
CREATE TABLE source (partition INTEGER PRIMARY KEY, "offset" INTEGER NOT NULL);
-- levels may be NULL: unknown
CREATE TABLE bucket (
    slot INTEGER NOT NULL,
    start INTEGER NOT NULL,
    readings INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    first REAL,
    last REAL,
    low REAL,
    PRIMARY KEY (slot, start)
) WITHOUT ROWID;
-- one line of points, "slot/40" and "refill", as an integer
CREATE TABLE line (id INTEGER PRIMARY KEY, subject TEXT NOT NULL, kind TEXT NOT NULL, UNIQUE (subject, kind));
CREATE TABLE point (
    line INTEGER NOT NULL,
    ts INTEGER NOT NULL,
    key INTEGER NOT NULL,
    value REAL,
    PRIMARY KEY (line, ts, key)
) WITHOUT ROWID
""",
)


def open_url(url: str) -> "SqliteSeries":
    return SqliteSeries(Path(sqlite_path(url)))


class SqliteSeries:
    """See models.stores.Series. Safe to use from several threads and by several processes."""

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises OtherFile, OtherVersion, Damaged, Unavailable."""
        self.path = path.absolute()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._writers = WriterLock(self.path)
        try:
            self._connection = connect(self.path)
        except BaseException:
            self._writers.close()
            raise
        try:
            with self._translated(), self._writers:
                prepare(self._connection, self.path, FORMAT)
                self._connection.execute(f"PRAGMA journal_size_limit={16 << 20}")
        except BaseException:
            self.close()
            raise

    def offset(self, partition: int) -> int:
        with self._lock, self._translated():
            return retried(lambda: self._offset(partition))

    def write(self, partition: int, through: int, buckets: Sequence[Bucket], points: Sequence[Point]) -> None:
        with self._lock, self._translated(), self._writers, transaction(self._connection):
            if through <= self._offset(partition):
                return  # a replay: these rows are there already
            execute, many = self._connection.execute, self._connection.executemany
            many("INSERT OR REPLACE INTO bucket VALUES (?, ?, ?, ?, ?, ?, ?)", buckets)
            lines = self._lines({(p.subject, p.kind) for p in points})
            many(
                "INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?)",
                ((lines[p.subject, p.kind], p.ts, p.key, p.value) for p in points),
            )
            execute("INSERT OR REPLACE INTO source VALUES (?, ?)", (partition, through))

    def buckets(self, slot: int, since: int, until: int, limit: int = 10_000) -> list[Bucket]:
        """Those that start in since <= start < until (ms), in order."""
        rows = self._rows(
            "SELECT slot, start, readings, hash, first, last, low FROM bucket"
            " WHERE slot = ? AND start >= ? AND start < ? ORDER BY start LIMIT ?",
            (slot, since, until, limit),
        )
        return [Bucket._make(row if None not in row else _known(row)) for row in rows]

    def newest_before(self, slot: int, moments: Sequence[int]) -> list[Bucket | None]:
        """Of each moment (ms) the newest bucket that starts before it; one seek each, however many lie between."""
        found = self._each(
            "SELECT slot, start, readings, hash, first, last, low FROM bucket"
            " WHERE slot = ? AND start < ? ORDER BY start DESC LIMIT 1",
            [(slot, moment) for moment in moments],
        )
        return [None if row is None else Bucket._make(_known(row)) for row in found]

    def points(self, subject: str, kind: str, since: int, until: int, limit: int = 10_000) -> list[Point]:
        """Those in since <= ts < until (ms), in order of time and key."""
        rows = self._rows(
            "SELECT ts, value, key FROM point"
            " WHERE line = (SELECT id FROM line WHERE subject = ? AND kind = ?) AND ts >= ? AND ts < ?"
            " ORDER BY ts, key LIMIT ?",
            (subject, kind, since, until, limit),
        )
        return [Point(subject, kind, ts, math.nan if value is None else value, key) for ts, value, key in rows]

    def expire(self, before: int) -> int:
        """Buckets that start and points that are before `before` (ms)."""
        gone = 0
        for table, owner, time in (("bucket", "slot", "start"), ("point", "line", "ts")):
            names = f"SELECT DISTINCT {owner} FROM {table} WHERE {owner} > ? ORDER BY {owner} LIMIT {STEP}"  # noqa: S608  # names of our own
            last = -1
            while owners := [row[0] for row in self._rows(names, (last,))]:
                last = owners[-1]
                delete = f"DELETE FROM {table} WHERE {owner} = ? AND {time} < ?"  # noqa: S608  # names of our own
                gone += self._delete(delete, ((one, before) for one in owners))
        return gone

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            self._writers.close()

    def _rows(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock, self._translated():
            return retried(lambda: self._connection.execute(sql, values).fetchall())

    def _each(self, sql: str, several: Sequence[tuple[object, ...]]) -> list[tuple[Any, ...] | None]:
        """The first row for each set of values."""
        with self._lock, self._translated():
            return retried(lambda: [self._connection.execute(sql, values).fetchone() for values in several])

    def _delete(self, sql: str, rows: Iterable[tuple[int, int]]) -> int:
        with self._lock, self._translated(), self._writers, transaction(self._connection):
            return self._connection.executemany(sql, rows).rowcount

    def _offset(self, partition: int) -> int:
        row = self._connection.execute('SELECT "offset" FROM source WHERE partition = ?', (partition,)).fetchone()
        return int(row[0]) if row else 0

    def _lines(self, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
        self._connection.executemany("INSERT OR IGNORE INTO line (subject, kind) VALUES (?, ?)", sorted(wanted))
        find = "SELECT id FROM line WHERE subject = ? AND kind = ?"
        return {line: self._connection.execute(find, line).fetchone()[0] for line in wanted}

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self.path, CURE)


def offsets(connection: sqlite3.Connection) -> dict[int, int]:
    """Partition -> the next journal offset, read from any connection to the file. Raises sqlite3.Error."""
    return dict(connection.execute('SELECT partition, "offset" FROM source').fetchall())


def _known(row: tuple[Any, ...]) -> list[Any]:
    """NaN where nothing is known, which SQLite cannot store."""
    return [math.nan if value is None else value for value in row]
