"""The ground truth on disk: one SQLite file in the state folder, and the log of acknowledgements beside it.

A reading is on record, with the state that its device has after it, before it is published: boot and seq are never used
twice for different content, whenever the process ends.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from devices_sim.acks import AckLog, load
from devices_sim.errors import BadState

SCHEMA = """
create table if not exists meta (key text primary key, value text not null) without rowid;
create table if not exists device (idx integer primary key, account text not null, name text not null,
    state blob not null);
-- store and forward: what is not acknowledged yet (with keep, also what is: acked = 1)
create table if not exists reading (id integer primary key, device integer not null, boot integer not null,
    seq integer not null, ts integer not null, payload blob not null, acked integer not null default 0);
create table if not exists closet (site text not null, sku text not null, units integer not null,
    primary key (site, sku)) without rowid;
create table if not exists event (id integer primary key, ts integer not null, device integer, slot text,
    kind text not null, value real not null default 0);
create index if not exists event_kind on event (kind);
create table if not exists tell (id integer primary key, ts integer not null, device integer not null,
    slot text not null, what text not null, done integer not null default 0);
create table if not exists spares_told (id integer primary key, ts integer not null, site text not null,
    sku text not null, units integer not null, done integer not null default 0);
create table if not exists purchase_order (id text primary key, supplier text not null, idempotency text not null,
    digest text not null, taken integer not null, site text, document text not null);
create table if not exists job (id integer primary key, purchase_order text not null, what text not null,
    due integer not null, lines text not null, arrived integer not null default 0, done integer not null default 0);
create index if not exists job_due on job (done, due);
create table if not exists credential (account text not null, device text not null, device_id integer not null,
    token text not null, primary key (account, device)) without rowid;
"""
VERSION = "1"


@dataclass(slots=True)
class Reading:
    """One reading that waits for its PUBACK. `boot` is signed in SQLite; here it is the 64 bits of the message."""

    id: int
    device: int
    boot: int
    seq: int
    ts: int
    payload: bytes


class Count(msgspec.Struct, frozen=True):
    """Somebody says: so many units of a product are on the shelf of a site (`account/name`)."""

    ts: int
    site: str
    sku: str
    units: int


class Happening(msgspec.Struct, frozen=True):
    """Something that truly happened."""

    ts: int
    kind: str  # empty, missed, swap, topup, early, part_used, shaken, board_swap, delivered, ...
    device: int | None = None
    slot: str | None = None
    value: float = 0.0


def signed(number: int) -> int:
    return number - (1 << 64) if number >= 1 << 63 else number


def unsigned(number: int) -> int:
    return number & ((1 << 64) - 1)


class Truth:
    """The state folder: `truth.db`, `acked.log`, `acked.ranges`. Mode 0700: it holds the devices' tokens."""

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / "truth.db"
        if not path.exists():
            path.touch(mode=0o600)
        self.folder = folder
        self.keep = keep
        self._closed = False
        self._lock = _lock(folder)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.executescript(SCHEMA)
        self.acks = AckLog(folder / "acked.log")
        self._next_id = self._value("select coalesce(max(id), 0) from reading") + 1
        if self.meta("version", VERSION) != VERSION:
            raise BadState(
                f"{path} is of version {self.meta('version')}, this is {VERSION}: start with another --state"
            )
        self.set_meta("version", VERSION)

    def _value(self, sql: str, *arguments: object) -> int:
        row = self._db.execute(sql, arguments).fetchone()
        return int(row[0]) if row and row[0] is not None else 0

    # meta
    def meta(self, key: str, default: str = "") -> str:
        row = self._db.execute("select value from meta where key = ?", (key,)).fetchone()
        return str(row[0]) if row else default

    def set_meta(self, key: str, value: str) -> None:
        self._db.execute(
            "insert into meta values (?, ?) on conflict (key) do update set value = excluded.value", (key, value)
        )

    # devices and readings
    def states(self) -> dict[int, bytes]:
        return dict(self._db.execute("select idx, state from device"))

    def pending(self) -> Iterator[Reading]:
        rows = self._db.execute("select id, device, boot, seq, ts, payload from reading where acked = 0 order by id")
        for number, device, boot, seq, ts, payload in rows:
            yield Reading(number, device, unsigned(boot), seq, ts, payload)

    def reading_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def save(
        self,
        states: Iterable[tuple[int, str, str, bytes]],
        readings: Iterable[Reading],
        happened: Iterable[Happening],
        closets: Iterable[tuple[str, str, int]],
        tells: Iterable[tuple[int, int, str, str]],
        gone: Iterable[int],
        arrived: Iterable[int],
        meta: dict[str, str],
        counts: Iterable[Count] = (),
    ) -> None:
        """One step of the world in one transaction. `gone`: ids of readings that were acknowledged or dropped."""
        db = self._db
        db.execute("begin immediate")
        try:
            db.executemany(
                "insert into device values (?, ?, ?, ?) on conflict (idx) do update set state = excluded.state", states
            )
            db.executemany(
                "insert into reading (id, device, boot, seq, ts, payload) values (?, ?, ?, ?, ?, ?)",
                ((r.id, r.device, signed(r.boot), r.seq, r.ts, r.payload) for r in readings),
            )
            db.executemany(
                "insert into event (ts, device, slot, kind, value) values (?, ?, ?, ?, ?)",
                ((h.ts, h.device, h.slot, h.kind, h.value) for h in happened),
            )
            db.executemany("insert or replace into closet values (?, ?, ?)", closets)
            db.executemany("insert into tell (ts, device, slot, what) values (?, ?, ?, ?)", tells)
            db.executemany(
                "insert into spares_told (ts, site, sku, units) values (?, ?, ?, ?)",
                ((c.ts, c.site, c.sku, c.units) for c in counts),
            )
            rows = ((number,) for number in gone)
            if self.keep:
                db.executemany("update reading set acked = 1 where id = ?", rows)
            else:
                db.executemany("delete from reading where id = ?", rows)
            db.executemany("update job set arrived = 1 where id = ?", ((number,) for number in arrived))
            db.executemany("insert or replace into meta values (?, ?)", meta.items())
            db.execute("commit")
        except BaseException:
            db.execute("rollback")
            raise

    def closets(self) -> dict[tuple[str, str], int]:
        return {(site, sku): units for site, sku, units in self._db.execute("select site, sku, units from closet")}

    def count(self, kind: str) -> int:
        return self._value("select count(*) from event where kind = ?", kind)

    def counts(self) -> dict[str, int]:
        return dict(self._db.execute("select kind, count(*) from event group by kind"))

    def mean(self, *kinds: str) -> float | None:
        marks = ", ".join("?" * len(kinds))
        sql = f"select avg(value) from event where kind in ({marks})"  # noqa: S608  only question marks are inserted
        row = self._db.execute(sql, kinds).fetchone()
        return None if row[0] is None else float(row[0])

    def sum(self, kind: str) -> float:
        row = self._db.execute("select coalesce(sum(value), 0) from event where kind = ?", (kind,)).fetchone()
        return float(row[0])

    # what users want to tell
    def untold(self, limit: int = 50) -> list[tuple[int, int, str, str]]:
        sql = "select id, device, slot, what from tell where done = 0 order by id limit ?"
        return list(self._db.execute(sql, (limit,)))

    def told(self, number: int) -> None:
        self._db.execute("update tell set done = 1 where id = ?", (number,))

    def untold_counts(self, limit: int = 50) -> list[tuple[int, Count]]:
        sql = "select id, ts, site, sku, units from spares_told where done = 0 order by id limit ?"
        return [(number, Count(*rest)) for number, *rest in self._db.execute(sql, (limit,))]

    def count_told(self, number: int) -> None:
        self._db.execute("update spares_told set done = 1 where id = ?", (number,))

    # credentials
    def credentials(self) -> dict[tuple[str, str], tuple[int, str]]:
        rows = self._db.execute("select account, device, device_id, token from credential")
        return {(account, device): (number, token) for account, device, number, token in rows}

    def add_credentials(self, rows: Iterable[tuple[str, str, int, str]]) -> None:
        self._db.execute("begin immediate")
        self._db.executemany("insert or replace into credential values (?, ?, ?, ?)", rows)
        self._db.execute("commit")

    # the supplier's books
    def purchase_order(self, number: str) -> tuple[str, str] | None:
        """(idempotency key, digest of the body) of a purchase order that was taken."""
        row = self._db.execute("select idempotency, digest from purchase_order where id = ?", (number,)).fetchone()
        return (row[0], row[1]) if row else None

    def take(
        self, row: tuple[str, str, str, str, int, str | None, str], jobs: Iterable[tuple[str, str, int, str]]
    ) -> None:
        """A purchase order (id, supplier, key, digest, taken, site, document) and what follows from it, at once."""
        self._db.execute("begin immediate")
        self._db.execute("insert into purchase_order values (?, ?, ?, ?, ?, ?, ?)", row)
        self._db.executemany("insert into job (purchase_order, what, due, lines) values (?, ?, ?, ?)", jobs)
        self._db.execute("commit")

    def purchase_orders(self) -> int:
        return self._value("select count(*) from purchase_order")

    def due_jobs(self, now: int, limit: int = 50) -> list[tuple[int, str, str, str, int, str | None, str]]:
        """(job, purchase order, what, lines, arrived, site key, document), in the order of their time."""
        sql = """select j.id, p.id, j.what, j.lines, j.arrived, p.site, p.document from job j
                 join purchase_order p on p.id = j.purchase_order
                 where j.done = 0 and j.due <= ? order by j.due, j.id limit ?"""
        return list(self._db.execute(sql, (now, limit)))

    def due_arrivals(self, now: int) -> list[tuple[int, str, str]]:
        """(job, site key, lines) of goods for a site of the world that are due and not there yet, in their order."""
        sql = """select j.id, p.site, j.lines from job j join purchase_order p on p.id = j.purchase_order
                 where j.done = 0 and j.due <= ? and j.what = 'deliver' and j.arrived = 0
                 and p.site is not null order by j.due, j.id"""
        return list(self._db.execute(sql, (now,)))

    def job_done(self, job: int) -> None:
        self._db.execute("update job set done = 1 where id = ?", (job,))

    def open_jobs(self) -> int:
        return self._value("select count(*) from job where done = 0")

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.acks.close()
        self._db.close()
        os.close(self._lock)


def _lock(folder: Path) -> int:
    """Two processes must not live the same world. The lock ends with the process."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise BadState(f"{folder} is in use by another devices_sim: end that one, or use another --state") from error
    return handle


def acked(folder: Path) -> dict[tuple[str, str, str], list[tuple[int, int]]]:
    """For auditors, from a state folder alone: (account, device, boot as 16 hex digits) -> ranges of seq acknowledged.

    Boot "0000000000000000" counts the readings of devices that send neither boot nor seq.
    """
    db = sqlite3.connect(f"file:{folder / 'truth.db'}?mode=ro", uri=True)
    try:
        names = {index: (account, name) for index, account, name in db.execute("select idx, account, name from device")}
    finally:
        db.close()
    return {
        (*names[device], f"{boot:016x}"): [(first, last) for first, last in ranges.spans]
        for (device, boot), ranges in load(folder / "acked.log").items()
    }
