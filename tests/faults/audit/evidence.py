"""What an audit looks at: what devices sent and were told is safe, what suppliers got, and the four stores.

Nothing here asks the worker, the gateway or a checkpoint what they did: the journal is replayed record by record, by
one process, into fresh partitions.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from devices_sim.truth import acked
from journal.codec import decode, wrap
from journal.open import open_journal
from ledger.engine import Ledger, open_ledger
from models.effects import Effect
from models.facts import NeedFact
from models.frame import READING, Frame
from models.partition import Partition
from models.records import Kind, Refused, Tick
from models.stores import Journal, Series, StateStore
from series.open import open_series
from streams.state.open import open_state

Key = tuple[int, int, int]
"""(device, boot, seq) of a reading, as the journal has them."""
PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was acknowledged to its device."""

    account: str
    device: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """One reading in the journal. Supplies: (slot id, or the name of an unknown one; low; high), in per cent."""

    partition: int
    offset: int
    index: int
    key: Key
    ts: int
    flags: int
    supplies: tuple[tuple[int | str, float, float], ...]
    counters: tuple[tuple[int, int], ...]
    verdict: int
    """models.layout.Verdict that the replay gave it; -1: it was left out as poison."""


@dataclass
class Replayed:
    """What follows from the journal."""

    found: list[Found] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    """Of everything below the ledger's offsets; a partition's in order."""
    partitions: list[Partition] = field(default_factory=list)
    reached: dict[int, int] = field(default_factory=dict)
    """Partition -> the offset that the ledger has reached."""
    since_tick: dict[int, int] = field(default_factory=dict)
    """Partition -> records that `step` has read since its last tick: what they made due is not decided yet."""
    coming: set[int] = field(default_factory=set)
    """Slots of whose needs the ledger has said something that `step` had not read, or not decided on at a tick, when
    everything stopped."""


@dataclass(frozen=True)
class Evidence:
    sent: list[Sent]
    purchase_orders: list[dict[str, Any]]
    """Documents, as suppliers have them."""
    journal: Journal
    ledger: Ledger
    state: StateStore
    series: Series
    tx: Connection
    replayed: Replayed

    def rows(self, sql: str, **values: object) -> list[Any]:
        return rows(self.tx, sql, **values)


def rows(tx: Connection, sql: str, **values: object) -> list[Any]:
    return list(tx.execute(text(sql), values))


@contextmanager
def collected(data: Path, world: Path, replayed: Replayed | None = None) -> Iterator[Evidence]:
    """Of an installation that has stopped: its data folder, and the world's (devices_sim --keep-readings).

    `replayed` spares the replay when the journal is known already."""
    with (
        closing(open_journal(f"sqlite:///{data}/journal.db")) as journal,
        closing(open_ledger(f"sqlite:///{data}/ledger.db")) as ledger,
        closing(open_state(f"sqlite:///{data}/state.db")) as state,
        closing(open_series(f"sqlite:///{data}/series.db")) as series,
        ledger.read() as tx,
    ):
        orders = [*taken_by(world), *filed_in(data / "purchase-orders")]
        known = replayed or replay(journal, tx)
        yield Evidence(list(sent_by(world)), orders, journal, ledger, state, series, tx, known)


def sent_by(world: Path) -> Iterator[Sent]:
    """Contents from the truth's table, acknowledgements from its log of them: a dropped reading has none."""
    spans = acked(world)
    with closing(sqlite3.connect(f"file:{world / 'truth.db'}?mode=ro", uri=True)) as db:
        rows = db.execute(
            "select d.account, d.name, r.boot, r.seq, r.payload, r.acked"
            " from reading r join device d on d.idx = r.device order by r.id"
        )
        for account, device, boot, seq, payload, settled in rows:
            if b'"boot"' not in payload:  # a device without boots: its acknowledgements are counted, not listed
                if settled:
                    yield Sent(account, device, payload)
                continue
            ranges = spans.get((account, device, f"{boot % (1 << 64):016x}"), [])
            if any(first <= seq <= last for first, last in ranges):
                yield Sent(account, device, payload)


def taken_by(world: Path) -> list[dict[str, Any]]:
    """Purchase orders that came by webhook."""
    with closing(sqlite3.connect(f"file:{world / 'truth.db'}?mode=ro", uri=True)) as db:
        return [json.loads(document) for (document,) in db.execute("select document from purchase_order")]


def filed_in(folder: Path) -> list[dict[str, Any]]:
    """Purchase orders that came as files."""
    return [json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))]


def replay(journal: Journal, tx: Connection) -> Replayed:
    known = Replayed()
    for partition in range(journal.partitions):
        _replay(known, journal, tx, partition)
    waiting = rows(tx, "select payload from outbox where state <> 'done' and kind = 'fact'")
    facts = (decode(wrap(Kind.FACT, row.payload)) for row in waiting)
    known.coming |= {fact.slot for fact in facts if isinstance(fact, NeedFact)}
    return known


def _replay(known: Replayed, journal: Journal, tx: Connection, number: int) -> None:
    """Record by record, nothing merged, up to where the ledger is."""
    assert journal.earliest(number) == 0, f"partition {number} was truncated: only a whole journal can be audited"
    reached = dict(map(tuple, rows(tx, 'select partition, "offset" from partition_owner'))).get(number, 0)
    left_out: dict[int, set[int]] = {}
    for offset, index in rows(tx, 'select "offset", "index" from skipped where partition = :p', p=number):
        left_out.setdefault(offset, set()).add(index)
    partition = Partition(number)
    offset, undecided = 0, set[int]()
    known.since_tick[number] = 0
    while page := journal.read(number, offset, PAGE):
        for record in page:
            assert record.offset == offset, f"partition {number}: offset {offset} is missing"
            offset += 1
            decoded = decode(record.value)
            skipped = left_out.get(record.offset, set())
            verdicts = None
            if record.offset < reached and -1 not in skipped:
                outcome = partition.step(record.offset, decoded, frozenset(skipped))
                known.effects += outcome.effects
                verdicts = outcome.verdicts
            if isinstance(decoded, Frame):
                known.found += _readings(number, record.offset, decoded, verdicts, skipped)
            elif isinstance(decoded, Refused):
                known.refused.append(decoded)
            elif isinstance(decoded, NeedFact):
                undecided.add(decoded.slot)
            if record.offset < reached:
                known.since_tick[number] += 1
            if isinstance(decoded, Tick) and record.offset < reached:
                undecided.clear()
                known.since_tick[number] = 0
    known.coming |= undecided
    known.reached[number] = reached
    known.partitions.append(partition)


def _readings(partition: int, offset: int, frame: Frame, verdicts: Any, skipped: set[int]) -> Iterator[Found]:
    assert frame.readings.dtype == READING
    at = counted = 0
    for i, row in enumerate(frame.readings.tolist()):
        device, flags, supplies, counters, boot, seq, ts = row[:7]
        mine = frame.supplies[at : at + supplies].tolist()
        numbers = frame.counters[counted : counted + counters].tolist()
        at, counted = at + supplies, counted + counters
        out = verdicts is None or i in skipped
        yield Found(
            partition,
            offset,
            i,
            (device, boot, seq),
            ts,
            flags,
            tuple((frame.names[slot] if bits & 8 else slot, low, high) for slot, bits, low, high in mine),
            tuple((index, value) for index, _, _, value in numbers),
            -1 if out else int(verdicts[i]),
        )


def mixed(keys: list[Key]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """The 64-bit hash of each reading that buckets are XORed of: splitmix64's finaliser over device, boot, seq."""
    columns = np.array([[part % (1 << 64) for part in key] for key in keys], np.uint64).reshape(-1, 3)
    mixed = np.zeros(len(columns), np.uint64)
    for column in columns.T:
        mixed ^= column
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
    return mixed
