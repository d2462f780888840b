"""Open the ledger and give transactions. Everything that only one database understands is in this file."""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from models.stores import StoreError, Unavailable
from sqlitefile.writer_lock import WriterLock

PATIENCE_S: Final = 5.0  # how long a writer waits for its turn
RETRY_S: Final = 0.001
GAP_S: Final = 0.001  # between two writes of one process, or others (the clock's ticks) starve


_decode: Final = msgspec.json.Decoder().decode


class Ledger:
    """The relational system of record. Safe to use from several threads; each transaction belongs to one of them."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sqlite = engine.dialect.name == "sqlite"
        self.local = self._sqlite
        """It is a file of this machine: a short read is over before another thread could take its place."""
        self._turn = threading.Lock()  # SQLite: the writers of this process queue here, not at the file
        self._wrote = 0.0
        path = engine.url.database if self._sqlite else None
        self._file = Path(path) if path and path != ":memory:" else None
        self._lock: WriterLock | None = None  # opened at the first write, and again after a close, as the engine is

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write, committed when the block ends without an exception.

        Only its beginning is retried, so nothing of the block runs twice. Raises Unavailable: nothing was written."""
        if not self._sqlite:
            with _unavailable(), self.engine.begin() as tx:
                yield tx
            return
        deadline = time.monotonic() + PATIENCE_S
        if not self._turn.acquire(timeout=PATIENCE_S):
            raise Unavailable(f"ledger: another thread has been writing for {PATIENCE_S:.0f} s: try again")
        try:
            time.sleep(max(0.0, self._wrote + GAP_S - time.monotonic()))
            with (
                self._alone(deadline),
                _unavailable(),
                self._begun("BEGIN IMMEDIATE", deadline) as tx,
                tx.get_transaction() or tx.begin(),
            ):
                yield tx
        finally:
            self._wrote = time.monotonic()
            self._turn.release()

    @contextmanager
    def _alone(self, deadline: float) -> Iterator[None]:
        """No other process writes meanwhile."""
        if self._file is None:
            yield
            return
        lock = self._lock = self._lock or WriterLock(self._file)
        lock.acquire(deadline)
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent snapshot for all reads of the block. Keep it short: a long one keeps the WAL growing."""
        if self._sqlite:
            with _unavailable(), self._begun("BEGIN", time.monotonic() + PATIENCE_S) as tx:
                yield tx
            return
        with _unavailable(), self.engine.connect() as tx:
            yield tx.execution_options(isolation_level="REPEATABLE READ")

    def close(self) -> None:
        self.engine.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _begun(self, statement: str, deadline: float) -> Connection:
        """A connection on which `statement` has begun a transaction; tries again while others hold the lock."""
        while True:
            tx = None
            try:
                tx = self.engine.connect()
                driver: Any = tx.connection.driver_connection  # four times as quick as by SQLAlchemy
                driver.execute(statement)
                driver.execute("SELECT 1 FROM sqlite_schema LIMIT 1").close()  # takes the snapshot now, not later
            except (sqlite3.OperationalError, OperationalError) as error:
                if tx is not None:
                    tx.close()
                if not _busy(getattr(error, "orig", error)) or time.monotonic() > deadline:
                    raise
                time.sleep(RETRY_S)
            else:
                return tx


def open_ledger(url: str) -> Ledger:
    """The ledger behind an SQLAlchemy URL, `sqlite:////path/ledger.db` or `postgresql+psycopg://...`.

    Its tables are made by `ledger.migrate.upgrade`. Raises StoreError for a URL nobody understands, Unavailable."""
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, **_options(parsed.get_backend_name()))
    except (ArgumentError, ImportError) as error:
        raise StoreError(f"ledger: cannot use {url.split('://', maxsplit=1)[0]}://...: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _leave_to_us)
        _settle_file(engine)
    return Ledger(engine)


def upsert(
    tx: Connection, table: Table, rows: Sequence[dict[str, Any]], *, on: Sequence[str], keep: Sequence[str] = ()
) -> None:
    """Insert rows; where the columns `on` are there already, set all others but `keep`."""
    if not rows:
        return
    insert = _insert(tx, table)
    change = {name: insert.excluded[name] for name in rows[0] if name not in on and name not in keep}
    statement = (
        insert.on_conflict_do_update(index_elements=on, set_=change) if change else insert.on_conflict_do_nothing()
    )
    tx.execute(statement, list(rows))


def insert_new(tx: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row unless one with the same unique key is there; whether it was new."""
    statement = _insert(tx, table).values(row).on_conflict_do_nothing().returning(*table.primary_key)
    return tx.execute(statement).first() is not None


def _insert(tx: Connection, table: Table) -> Any:
    """With ON CONFLICT, which the dialects spell alike."""
    return sqlite.insert(table) if tx.dialect.name == "sqlite" else postgresql.insert(table)


def _options(backend: str) -> dict[str, Any]:
    common = {"pool_size": 8, "max_overflow": 32, "json_deserializer": _from_json}
    if backend == "sqlite":
        # no busy time-out: SQLite's sleeps up to 100 ms between its tries
        return common | {"connect_args": {"timeout": 0, "check_same_thread": False}}
    return common | {"pool_pre_ping": True}


def _from_json(text: str) -> Any:
    try:
        return _decode(text)
    except msgspec.DecodeError:  # NaN and infinities, which Python writes and JSON does not know
        return json.loads(text)


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 67108864")


def _leave_to_us(_connection: Connection) -> None:
    """SQLAlchemy's own beginning does nothing: `_begun` says which kind."""


def _busy(error: BaseException | None) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _settle_file(engine: Engine) -> None:
    """Make the file a WAL database; another process may be doing the same at this moment."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with closing(engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
                cursor.execute("PRAGMA page_size = 8192")  # before WAL, or it has no effect
                cursor.execute("PRAGMA journal_mode = WAL")
        except (sqlite3.OperationalError, OperationalError) as error:
            if not _busy(error) or time.monotonic() > deadline:
                raise Unavailable(f"ledger: cannot open {engine.url.database}: {error}") from error
            time.sleep(RETRY_S)
        else:
            return


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise Unavailable(f"ledger: {error.orig}: nothing was written, try again") from error
        raise
    except sqlite3.OperationalError as error:  # of what is said to the driver itself
        raise Unavailable(f"ledger: {error}: nothing was written, try again") from error
