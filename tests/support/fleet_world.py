"""A registered fleet on real SQLite stores, its facts in the journal: what worker tests and benches start from."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import select

from journal import codec
from journal.sqlite import SqliteJournal
from ledger.decisions.ledger import LedgerDecisions
from ledger.deliver import deliver_once
from ledger.engine import Ledger, open_ledger
from ledger.fleet.apply import apply_fleet
from ledger.fleet.document import parse_fleet
from ledger.migrate import upgrade
from ledger.tables import device, need, site, slot
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.outbox import Kind, OutboxRow
from models.records import Tick
from series.sqlite import SqliteSeries
from streams.state.sqlite import SqliteStateStore

T0 = 1_795_000_000_000  # 2026-11-18
MINUTE = 60_000


def document(devices: int, *, sites: int = 4, slots: int = 2) -> dict[str, Any]:
    """Copiers with `slots` toners and a page counter, spread over the sites of one account in mode auto."""
    toners = [f"toner{i}" for i in range(slots)]
    copiers = [[{"name": f"copier-{n}", "model": "copier"} for n in range(s, devices, sites)] for s in range(sites)]
    return {
        "products": [{"sku": t.upper(), "name": t, "unit": "pages"} for t in toners],
        "suppliers": [
            {
                "name": "papierwerk",
                "offers": [
                    {"sku": t.upper(), "price": "54.90", "currency": "EUR", "lead_days": [1, 2, 2, 3, 3, 4, 5, 8]}
                    for t in toners
                ],
            }
        ],
        "device_models": [
            {
                "name": "copier",
                "counters": [{"name": "pages", "per_day": 20_000}],
                "slots": [
                    {"name": t, "capacity": 12_000, "unit": "pages", "days": 30, "products": [{"sku": t.upper()}]}
                    for t in toners
                ],
            }
        ],
        "accounts": [
            {
                "name": "acme",
                "mode": "auto",
                "currency": "EUR",
                "surge_factor": 0.0,  # its slots all empty at once, and nobody is there to approve
                "sites": [
                    {"name": f"site-{s}", "time_zone": "Europe/Berlin", "devices": copiers[s]} for s in range(sites)
                ],
            }
        ],
    }


class JournalSink:
    """As the role `deliver` does it: rows of a batch in one commit."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal = journal

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        kinds = {Kind.FACT: codec.Kind.FACT, Kind.REQUEST: codec.Kind.REQUEST}
        everywhere = range(self._journal.partitions)
        self._journal.append(
            [
                (partition, codec.wrap(kinds[row.kind], row.payload))
                for row in rows
                for partition in (everywhere if row.partition < 0 else (row.partition,))
            ]
        )


@dataclass
class FleetWorld:
    folder: Path
    journal: SqliteJournal
    ledger: Ledger
    decisions: LedgerDecisions
    state: SqliteStateStore
    series: SqliteSeries
    devices: np.ndarray[Any, Any]
    """Ids by partition, as rows of (partition, device, its first slot, how many slots)."""

    @property
    def broker(self) -> str:
        return f"sqlite:///{self.journal.path}"

    def deliver(self, now: int) -> int:
        """Everything that waits for the journal; how many rows."""
        sinks = {Kind.FACT: JournalSink(self.journal), Kind.REQUEST: JournalSink(self.journal)}
        total = 0
        while rows := deliver_once(self.ledger, sinks, now):
            total += rows
        return total

    def tick(self, time: int) -> None:
        value = codec.encode_tick(Tick(time, 1000))
        self.journal.append([(partition, value) for partition in range(self.journal.partitions)])

    def needs(self) -> set[tuple[int, int, int]]:
        with self.ledger.read() as tx:
            return {tuple(row) for row in tx.execute(select(need.c.slot_id, need.c.cycle, need.c.attempt))}  # type: ignore[misc]


@contextmanager
def fleet_world(
    folder: Path, devices: int, *, partitions: int = 1, sites: int = 4, slots: int = 2
) -> Iterator[FleetWorld]:
    """A fresh world with all facts delivered."""
    with opened(folder, partitions) as world:
        apply_fleet(world.ledger, parse_fleet(document(devices, sites=sites, slots=slots)), T0)
        world.deliver(T0)
        world.devices = _devices(world.ledger, partitions)
        yield world


@contextmanager
def opened(folder: Path, partitions: int = 1) -> Iterator[FleetWorld]:
    """The stores of a folder, as any process opens them."""
    with (
        closing(SqliteJournal(folder / "journal.db", partitions=partitions)) as journal,
        closing(open_ledger(f"sqlite:///{folder / 'ledger.db'}")) as ledger,
        closing(SqliteStateStore(folder / "state.db")) as state,
        closing(SqliteSeries(folder / "series.db")) as series,
    ):
        upgrade(ledger)
        decisions = LedgerDecisions(ledger, partitions=journal.partitions)
        yield FleetWorld(folder, journal, ledger, decisions, state, series, _devices(ledger, partitions))


def _devices(ledger: Ledger, partitions: int) -> np.ndarray[Any, Any]:
    with ledger.read() as tx:
        shards = dict(tx.execute(select(device.c.id, site.c.shard).join(site, site.c.id == device.c.site_id)).all())  # type: ignore[arg-type]
        slots: dict[int, list[int]] = {}
        for row in tx.execute(select(slot.c.device_id, slot.c.id).order_by(slot.c.id)):
            slots.setdefault(row.device_id, []).append(row.id)
    return np.array(
        [(shards[d] % partitions, d, ids[0], len(ids)) for d, ids in sorted(slots.items())], np.int64
    ).reshape(-1, 4)


def make_frame(devices: np.ndarray[Any, Any], seq: int, ts: int, level: float, boot: int = 7) -> Frame:
    """One reading of each device (rows of FleetWorld.devices): all its slots at `level`, its page counter."""
    n, per = len(devices), int(devices[0, 3])
    readings, supplies, counters = np.zeros(n, READING), np.zeros(n * per, SUPPLY), np.zeros(n, COUNTER)
    readings["device"], readings["boot"], readings["seq"], readings["ts"] = devices[:, 1], boot, seq, ts
    readings["supplies"], readings["counters"] = per, 1
    supplies["slot"] = (devices[:, 2:3] + np.arange(per)).ravel()
    supplies["low"] = supplies["high"] = level
    counters["value"] = 1000 + seq * 10
    return Frame(readings, supplies, counters, np.zeros(0, MEASURE), np.zeros(0, SIGNAL))
