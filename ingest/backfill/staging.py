"""Where a file's readings wait: checked, in time order, with how far they are in the journal. One SQLite file each.

So nothing of a file with mistakes is imported by half, any order in the file will do, and a program that was killed
goes on where it was."""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, NamedTuple

from sqlitefile.connection import connect, transaction, translated
from sqlitefile.writer_lock import WriterLock

SCHEMA: Final = """
CREATE TABLE reading (
    device INTEGER NOT NULL, ts INTEGER NOT NULL, line INTEGER NOT NULL, message BLOB NOT NULL,
    UNIQUE (device, ts, message)
);
CREATE TABLE bad (line INTEGER NOT NULL, reason TEXT NOT NULL);
CREATE TABLE queue (id INTEGER PRIMARY KEY, device INTEGER NOT NULL, seq INTEGER NOT NULL, message BLOB NOT NULL);
CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 1), lines INTEGER NOT NULL, done INTEGER NOT NULL)
"""


class Queued(NamedTuple):
    id: int
    device: int
    seq: int  # of the device, from 0, in time order
    message: bytes


class Standing(NamedTuple):
    lines: int  # with something in them
    bad: int
    readings: int  # to be imported: without copies
    done: int


class Staging:
    """For one thread of one process: another one that comes meanwhile is refused."""

    def __init__(self, path: Path) -> None:
        """Raises Unavailable (also while another import of this file runs), StoreError."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._alone = WriterLock(path)
        try:
            self._alone.acquire(time.monotonic())
            self._connection = connect(path)
        except BaseException:
            self._alone.close()
            raise

    def sorted(self) -> bool:
        """Is all of the file in here, and in order?"""
        with self._translated():
            execute = self._connection.execute
            made = execute("SELECT 1 FROM sqlite_schema WHERE name = 'progress'").fetchone()
            return made is not None and execute("SELECT 1 FROM progress").fetchone() is not None

    def begin(self) -> None:
        """Empty, for a file that is read from its beginning."""
        with self._translated():
            for table in ("reading", "bad", "queue", "progress"):
                self._connection.execute(f"DROP TABLE IF EXISTS {table}")
            self._connection.executescript(SCHEMA)

    def add(self, readings: Iterable[tuple[int, int, int, bytes]], bad: Iterable[tuple[int, str]]) -> None:
        """(device, ts, line, message), (line, reason)."""
        with self._translated(), transaction(self._connection):
            self._connection.executemany("INSERT OR IGNORE INTO reading VALUES (?, ?, ?, ?)", readings)
            self._connection.executemany("INSERT INTO bad VALUES (?, ?)", bad)

    def sort(self, lines: int) -> None:
        """All of the file is here: number each device's readings by time, at equal times by line."""
        numbered = (
            "INSERT INTO queue (device, seq, message) SELECT device,"
            " row_number() OVER (PARTITION BY device ORDER BY ts, line) - 1, message FROM reading"
            " ORDER BY device, ts, line"
        )
        with self._translated(), transaction(self._connection):
            self._connection.execute(numbered)
            self._connection.execute("DELETE FROM reading")
            self._connection.execute("INSERT INTO progress VALUES (1, ?, 0)", (lines,))

    def standing(self) -> Standing:
        with self._translated():
            execute = self._connection.execute
            lines, done = execute("SELECT lines, done FROM progress").fetchone()
            (bad,) = execute("SELECT count(*) FROM bad").fetchone()
            (last,) = execute("SELECT coalesce(max(id), 0) FROM queue").fetchone()
        return Standing(lines, bad, last, done)

    def bad(self, limit: int) -> list[tuple[int, str]]:
        with self._translated():
            return self._connection.execute("SELECT line, reason FROM bad ORDER BY line LIMIT ?", (limit,)).fetchall()

    def next(self, after: int, limit: int) -> list[Queued]:
        query = "SELECT id, device, seq, message FROM queue WHERE id > ? ORDER BY id LIMIT ?"
        with self._translated():
            return [Queued(*row) for row in self._connection.execute(query, (after, limit))]

    def done(self, upto: int) -> None:
        """Those up to id `upto` are in the journal."""
        with self._translated(), transaction(self._connection):
            self._connection.execute("UPDATE progress SET done = ?", (upto,))

    def empty(self) -> None:
        """Keep only that the file was imported: what it said is in the journal."""
        with self._translated(), transaction(self._connection):
            last = self._connection.execute("SELECT coalesce(max(id), 0) FROM queue").fetchone()[0]
            self._connection.execute("DELETE FROM queue WHERE id < ?", (last,))
        with self._translated():
            self._connection.execute("VACUUM")

    def close(self) -> None:
        self._connection.close()
        self._alone.close()

    def _translated(self) -> AbstractContextManager[None]:
        return translated(self.path, "remove it: the import begins anew, and counts nothing twice")
