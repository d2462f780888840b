"""Checkpoints in one SQLite file of their own, so that 100 MB being written hold up no other store.

Blocks are compressed: a state of a million slots has 500 MB, mostly alike, and what is written is written twice, into
the log and into the file.
"""

import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError

from models.stores import Checkpoint, Fenced, StoreError
from models.urls import sqlite_path
from sqlitefile.connection import connect, sync_folder, transaction, translated
from sqlitefile.format import Format, prepare
from sqlitefile.patience import retried
from sqlitefile.writer_lock import WriterLock

KEPT = 2
PART = 4 << 20  # bytes of a block per row, before compression: bounds what SQLite holds at once
LEVEL = 1  # of compression: higher ones gain little and take longer than the disk

FORMAT = Format(
    what="state store",
    application=0x554C5331,  # "ULS1"
    version=2,
    page_size=65536,  # rows of megabytes: fewer overflow pages
    schema="""
CREATE TABLE owner (partition INTEGER PRIMARY KEY, epoch INTEGER NOT NULL);
-- number grows by one with each checkpoint of a partition
CREATE TABLE checkpoint (
    partition INTEGER NOT NULL,
    number INTEGER NOT NULL,
    journal TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    time INTEGER NOT NULL,
    logic TEXT NOT NULL,
    PRIMARY KEY (partition, number)
) WITHOUT ROWID;
CREATE TABLE block (
    partition INTEGER NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (partition, number, place)
) WITHOUT ROWID;
-- the bytes of a block, in parts, each compressed (zstd) by itself (row ids keep large values out of inner pages)
CREATE TABLE part (
    id INTEGER PRIMARY KEY,
    partition INTEGER NOT NULL,
    number INTEGER NOT NULL,
    place INTEGER NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX part_of ON part (partition, number, place)
""",
)


class DamagedBlock(StoreError):
    """A checkpoint cannot be used."""


def open_url(url: str) -> "SqliteStateStore":
    return SqliteStateStore(Path(sqlite_path(url)))


class SqliteStateStore:
    """See models.stores.StateStore. Safe to use from several threads and by several processes."""

    def __init__(self, path: Path) -> None:
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
            with translated(self.path), self._writers:
                prepare(self._connection, self.path, FORMAT)
                sync_folder(self.path.parent)
                self._connection.execute("PRAGMA journal_size_limit=0")  # a checkpoint's log is as large as itself
        except BaseException:
            self._connection.close()
            self._writers.close()
            raise

    def claim(self, partition: int, epoch: int) -> None:
        with self._lock, translated(self.path), self._writers, transaction(self._connection):
            known = self._epoch(partition)
            if known > epoch:
                raise Fenced(f"partition {partition} belongs to epoch {known}, not to {epoch}: another worker took it")
            self._connection.execute("INSERT OR REPLACE INTO owner VALUES (?, ?)", (partition, epoch))

    def save(self, partition: int, checkpoint: Checkpoint) -> None:
        with self._lock, translated(self.path), self._writers:
            with transaction(self._connection):
                known = self._epoch(partition)
                if known != checkpoint.epoch:
                    raise Fenced(
                        f"partition {partition}: a checkpoint of epoch {checkpoint.epoch} was not written, "
                        f"the partition belongs to epoch {known}"
                    )
                number = 1 + (self._numbers(partition) or [0])[0]
                self._drop(partition, number - KEPT)
                self._write(partition, number, checkpoint)
            self._copy_back()

    def load(self, partition: int, most: int = KEPT, skip: int = 0) -> list[Checkpoint]:
        """At most `most` of the kept ones, newest first, without the `skip` newest: load(p, 1, 1) is the older one.

        Raises StoreError that names the damaged block; it does not fall back by itself, because an older state with a
        newer ledger needs records that the journal may have dropped."""
        with self._lock, translated(self.path):
            retried(lambda: self._connection.execute("BEGIN"))
            try:
                return [self._read(partition, n) for n in self._numbers(partition)[skip : skip + most]]
            finally:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with self._lock:
            self._connection.close()
            self._writers.close()

    def _epoch(self, partition: int) -> int:
        row = self._connection.execute("SELECT epoch FROM owner WHERE partition = ?", (partition,)).fetchone()
        return int(row[0]) if row else -1

    def _numbers(self, partition: int) -> list[int]:
        rows = self._connection.execute(
            "SELECT number FROM checkpoint WHERE partition = ? ORDER BY number DESC", (partition,)
        )
        return [row[0] for row in rows]

    def _drop(self, partition: int, upto: int) -> None:
        for table in ("checkpoint", "block", "part"):
            self._connection.execute(
                f"DELETE FROM {table} WHERE partition = ? AND number <= ?",  # noqa: S608  # names of our own
                (partition, upto),
            )

    def _write(self, partition: int, number: int, checkpoint: Checkpoint) -> None:
        c = checkpoint
        execute = self._connection.execute
        execute(
            "INSERT INTO checkpoint VALUES (?, ?, ?, ?, ?, ?, ?)",
            (partition, number, c.journal, c.epoch, c.offset, c.time, c.logic),
        )
        for place, (name, value) in enumerate(c.blocks):
            execute(
                "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?)",
                (partition, number, place, name, len(value), zlib.crc32(value)),
            )
            self._connection.executemany(
                "INSERT INTO part (partition, number, place, value) VALUES (?, ?, ?, ?)",
                ((partition, number, place, part) for part in _packed(value)),
            )

    def _copy_back(self) -> None:
        """Otherwise the next checkpoint would begin by copying this one. Busy is fine: SQLite does it later."""
        try:
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return

    def _read(self, partition: int, number: int) -> Checkpoint:
        execute = self._connection.execute
        journal, epoch, offset, time, logic = execute(
            'SELECT journal, epoch, "offset", time, logic FROM checkpoint WHERE partition = ? AND number = ?',
            (partition, number),
        ).fetchone()
        blocks = []
        for place, name, size, crc in execute(
            "SELECT place, name, size, crc FROM block WHERE partition = ? AND number = ? ORDER BY place",
            (partition, number),
        ).fetchall():
            rows = execute(
                "SELECT value FROM part WHERE partition = ? AND number = ? AND place = ? ORDER BY id",
                (partition, number, place),
            )
            value = _unpacked(row[0] for row in rows)
            if value is None or len(value) != size or zlib.crc32(value) != crc:
                raise DamagedBlock(
                    f"{self.path}: block {name!r} of checkpoint {number} of partition {partition} (offset {offset}) is "
                    "damaged: load the older checkpoint, or restore the file from a backup"
                )
            blocks.append((name, value))
        return Checkpoint(journal, epoch, offset, time, logic, tuple(blocks))


def newest_offsets(connection: sqlite3.Connection) -> dict[int, int]:
    """Partition -> offset of its newest checkpoint, read from any connection to the file. Raises sqlite3.Error."""
    newest = 'SELECT partition, "offset", max(number) FROM checkpoint GROUP BY partition'  # the offset of that row
    return {partition: offset for partition, offset, _ in connection.execute(newest)}


def newest_logic(connection: sqlite3.Connection) -> frozenset[str]:
    """Versions of the logic that made the newest checkpoints, by any connection to the file."""
    newest = "SELECT logic, max(number) FROM checkpoint GROUP BY partition"  # the logic of that row
    return frozenset(logic for logic, _ in connection.execute(newest))


def _packed(value: bytes) -> Iterator[bytes]:
    view, compressor = memoryview(value), ZstdCompressor(LEVEL)
    for at in range(0, len(view), PART):
        yield compressor.compress(view[at : at + PART])


def _unpacked(parts: Iterable[bytes]) -> bytes | None:
    """The bytes of a block; None if a part is damaged."""
    decompressor = ZstdDecompressor()
    try:
        return b"".join(decompressor.decompress(part, max_output_size=PART) for part in parts)
    except ZstdError:
        return None
