"""A seeded random journal: two accounts, several sites, every kind of record, and ways to run it."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from models.effects import Effect, UnmappedSeen
from models.facts import (
    AccountFact,
    ClassFact,
    DeviceFact,
    LaneFact,
    Meter,
    Mode,
    NeedState,
    Refill,
    SiteFact,
)
from models.frame import Frame, Signal
from models.partition import Partition
from models.records import AnyRecord, Count, Reorder, Reverse, Swapped, Tick
from models.units import DAY, HOUR, MINUTE
from tests.support.slots import START, calendar_fact, joined, need_fact, reading, slot_fact, stock_fact

Entry = tuple[int, AnyRecord]
SITES, DEVICES, SLOTS = 3, 9, 27


def begin() -> list[AnyRecord]:
    """The fleet, in an order that refers forward."""
    records: list[AnyRecord] = [calendar_fact(weights=(1, 1, 1, 1, 1, 0.2, 0.1), opened=(1, 1, 1, 1, 1, 0, 0))]
    for slot in range(1, SLOTS + 1):
        device = 1 + (slot - 1) // 3
        kind: dict[str, Any] = {"slot_class": 1 + slot % 4, "product": 1 + slot % 3, "lane": 1 + (device - 1) % SITES}
        if slot % 9 == 0:
            kind |= {"meter": Meter.AGE, "capacity": 25.0}
        if slot % 9 == 4:
            kind |= {"refill": Refill.TOPUP, "capacity": 900.0, "pack_units": 500.0, "quantum": 5.0}
        records.append(slot_fact(slot, device, **kind))
    records += [
        DeviceFact(version=1, device=d, account=1 + d % 2, site=1 + (d - 1) % SITES) for d in range(1, DEVICES + 1)
    ]
    for site in range(1, SITES + 1):
        records.append(SiteFact(version=1, site=site, account=1 + site % 2, calendar=1, mode=Mode.AUTO))
        grid = tuple(DAY + k * (6 + site) * HOUR for k in range(16))
        records.append(LaneFact(version=1, lane=site, site=site, grid_ms=grid, cutoff_ms=site * 5 * HOUR))
        records += [stock_fact(1, float(product % 2), product=product, site=site) for product in (1, 2, 3)]
    records += [AccountFact(version=1, account=a, mode=Mode.AUTO, service_level=0.9 + a / 30) for a in (1, 2)]
    records += [ClassFact(version=1, slot_class=c, rate=2.0 + c, rate_cv2=0.5) for c in range(1, 5)]
    return records


class Script:
    """Plays users and a ledger at random while the journal is written, and records it."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.partition = Partition(0)
        self.entries: list[Entry] = []
        self.effects: list[Effect] = []
        self.levels = self.rng.uniform(30, 100, SLOTS + 1)
        self.seq = np.zeros(DEVICES + 1, np.int64)
        self.version = 1
        self.now = START
        for record in begin():
            self.add(record)

    def add(self, record: AnyRecord) -> None:
        offset = len(self.entries)
        self.entries.append((offset, record))
        self.effects += self.partition.step(offset, record).effects

    def run(self, rounds: int) -> list[Entry]:
        for _ in range(rounds):
            for _ in range(int(self.rng.integers(1, 6))):
                self.add(self.frame())
            if self.rng.random() < 0.5:
                self.add(self.event())
            self.now += int(self.rng.choice([MINUTE, HOUR, 9 * HOUR, DAY]))
            self.add(Tick(self.now, int(self.rng.choice([0, HOUR, DAY]))))
        return self.entries

    def frame(self) -> Frame:
        parts = []
        for _ in range(int(self.rng.integers(1, 7))):
            device = int(self.rng.integers(1, DEVICES + 1))
            mine = [3 * (device - 1) + k for k in (1, 2, 3)]
            for slot in mine:
                self.levels[slot] = max(self.levels[slot] - self.rng.exponential(4.0), 0.0)
                if self.levels[slot] == 0.0 and self.rng.random() < 0.5:
                    self.levels[slot] = 100.0
            self.seq[device] += int(self.rng.choice([1, 1, 1, 3]))
            late = int(self.rng.choice([0, 0, 0, 1])) * int(self.rng.integers(0, 3))
            ts = self.now + int(self.rng.integers(0, HOUR))
            told: dict[int, Any] = {
                s: float(np.ceil(self.levels[s])) for s in mine if s % 9 and self.rng.random() < 0.8
            }
            signals = [(Signal.LOW, mine[0])] if self.rng.random() < 0.02 else []
            parts.append(reading(device, ts, int(self.seq[device]) - late, told, signals=signals))
        return joined(parts)

    def event(self) -> AnyRecord:
        name, slot = f"q{len(self.entries)}", int(self.rng.integers(1, SLOTS + 1))
        product, site = int(self.rng.integers(1, 4)), int(self.rng.integers(1, SITES + 1))
        self.version += 1
        choice = int(self.rng.integers(0, 9))
        open_needs = sorted(self.partition.open_needs())
        if choice < 4 and open_needs:
            key = open_needs[int(self.rng.integers(0, len(open_needs)))]
            state = NeedState(int(self.rng.integers(1, 5)))
            return need_fact(key, state, self.version, released=bool(self.rng.integers(0, 2)))
        if choice == 4:
            return Swapped(id=name, slot=slot, by="ann")
        if choice == 5:
            return Count(id=name, site=site, product=product, units=float(self.rng.integers(0, 4)), by="ann")
        if choice == 6:
            return Reverse(id=name, slot=slot, cycle=int(self.rng.integers(1, 4)), by="ann")
        if choice == 7:
            return Reorder(id=name, slot=slot, by="ann", test=bool(self.rng.integers(0, 2)))
        through = len(self.entries) - int(self.rng.integers(1, 12))
        return stock_fact(self.version, float(self.rng.integers(0, 3)), through=through, product=product, site=site)


def write_journal(seed: int = 1, rounds: int = 60) -> list[Entry]:
    return Script(seed).run(rounds)


def cut(frame: Frame) -> list[Frame]:
    """Frames of one reading each."""
    parts, supply, signal = [], 0, 0
    for k, row in enumerate(frame.readings):
        after, marks = supply + int(row["supplies"]), signal + int(row["signals"])
        parts.append(
            Frame(
                frame.readings[k : k + 1],
                frame.supplies[supply:after],
                frame.counters[:0],
                frame.measures[:0],
                frame.signals[signal:marks],
            )
        )
        supply, signal = after, marks
    return parts


def play(entries: Sequence[Entry], partition: Partition | None = None) -> tuple[list[Effect], Partition]:
    partition = partition or Partition(0)
    return [e for offset, record in entries for e in partition.step(offset, record).effects], partition


def play_cut(entries: Sequence[Entry]) -> tuple[list[Effect], Partition]:
    """Every frame cut into single readings, at the same offset."""
    parts = [(o, p) for o, r in entries for p in (cut(r) if isinstance(r, Frame) else [r])]
    return play(parts)


def play_merged(entries: Sequence[Entry]) -> tuple[list[Effect], Partition]:
    """Consecutive frames merged into one."""
    partition, effects, waiting = Partition(0), [], []
    for offset, record in [*entries, (len(entries), None)]:
        if isinstance(record, Frame):
            waiting.append((offset, record))
            continue
        if waiting:
            frames = [f for _, f in waiting]
            merged = partition.step_merged(waiting[-1][0], joined(frames), [len(f) for f in frames])
            effects += merged.effects
            waiting = []
        if record is not None:
            effects += partition.step(offset, record).effects
    return effects, partition


def play_interrupted(entries: Sequence[Entry], every: int = 37) -> tuple[list[Effect], Partition]:
    """Snapshot and restore again and again."""
    partition, effects = Partition(0), []
    for at in range(0, len(entries), every):
        some, partition = play(entries[at : at + every], partition)
        effects += some
        partition = Partition.restore(0, partition.time, partition.snapshot())
    return effects, partition


def digest(effects: Sequence[Effect], partition: Partition) -> str:
    """Of all decisions and of the whole state, bit for bit. An unknown supply is told once a frame: those are a set."""
    told = hashlib.sha256()
    for effect in effects:
        if not isinstance(effect, UnmappedSeen):
            told.update(repr(effect).encode())
    for name, block in partition.snapshot():
        told.update(name.encode() + block)
    return told.hexdigest()
