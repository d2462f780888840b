"""A partition's surroundings in memory: stores that keep what a disk would keep, and die where a test says so."""

import pickle
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from journal import codec
from models.effects import Cause, Decision, Effect, Evidence, Need, RefillKind, RefillSeen, Shown, SlotView, UsageBooked
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.records import AnyRecord, Reorder, Tick
from models.stores import (
    BadEffect,
    Blame,
    Bucket,
    Checkpoint,
    Claim,
    Fenced,
    Part,
    Point,
    Record,
    Skip,
    StoreError,
    Unavailable,
)
from streams.worker.config import WorkerConfig
from streams.worker.ports import Blocks, Clocks, Logic, Stores

POISON, REFILL, BAD = 666, 777, 888  # levels of readings with a meaning for the fakes
CLASSES = np.array([0, 1, 2, 0], np.uint8)


class Killed(BaseException):
    """The process died here."""


@dataclass
class Disks:
    """What survives: a test makes new store objects over the same disks."""

    journal: list[bytes] = field(default_factory=list)
    journal_id: str = "journal-1"
    earliest: int = 0
    times: list[int] = field(default_factory=list)
    ledger: dict[str, Any] = field(
        default_factory=lambda: {
            "epoch": 0,
            "offset": 0,
            "journal": "",
            "skipped": {},
            "rows": {},
            "needs": set(),
            "twice": [],
        }
    )
    state: dict[str, Any] = field(default_factory=lambda: {"epoch": 0, "kept": []})
    series: dict[str, Any] = field(default_factory=lambda: {"offset": 0, "buckets": {}, "points": {}})

    def copy(self) -> "Disks":
        return pickle.loads(pickle.dumps(self))  # noqa: S301  our own bytes

    def add(self, *records: bytes) -> "Disks":
        self.journal += records
        self.times += [0] * len(records)
        return self


class Scythe:
    """Kills the process before or after its n-th write to any store."""

    def __init__(self, at: int | None = None, *, after: bool = False) -> None:
        self.writes = 0
        self.at, self.after = at, after
        self.log: list[str] = []

    def around(self, what: str, write: Callable[[], None]) -> None:
        mine, self.writes = self.writes, self.writes + 1
        self.log.append(what)
        if mine == self.at and not self.after:
            raise Killed(f"before {what}")
        write()
        if mine == self.at and self.after:
            raise Killed(f"after {what}")
        if self.at is not None and mine > self.at:
            raise Killed("the dead write nothing")


class FakeJournal:
    def __init__(self, disks: Disks) -> None:
        self._d = disks
        self.partitions = 1

    @property
    def id(self) -> str:
        return self._d.journal_id

    def append(self, records: Sequence[tuple[int, bytes]]) -> list[int]:
        first = len(self._d.journal)
        self._d.add(*(value for _, value in records))
        return list(range(first, len(self._d.journal)))

    def read(self, partition: int, offset: int, limit: int = 1000, max_bytes: int = 4 << 20) -> list[Record]:
        if offset < self._d.earliest:
            raise StoreError("below earliest")
        return [Record(o, self._d.journal[o]) for o in range(offset, min(offset + limit, len(self._d.journal)))]

    def earliest(self, partition: int) -> int:
        return self._d.earliest

    def end(self, partition: int) -> int:
        return len(self._d.journal)

    def offset_at(self, partition: int, at: int) -> int:
        return next((o for o, time in enumerate(self._d.times) if time >= at), len(self._d.journal))

    def size_bytes(self) -> int:
        return sum(len(value) for value in self._d.journal[self._d.earliest :])

    def truncate(self, partition: int, before: int) -> int:
        gone = max(0, before - self._d.earliest)
        self._d.earliest = max(before, self._d.earliest)
        return gone

    def close(self) -> None: ...


class FakeLedger:
    def __init__(self, disks: Disks, scythe: Scythe) -> None:
        self._d, self._scythe = disks.ledger, scythe
        self.away = 0
        self.away_in_salvage = 0
        self.due: list[int] = []
        self.applied: list[int] = []
        self.shown: list[int] = []

    def claim(self, partition: int, owner: str, journal: str) -> Claim:
        before = str(self._d["journal"])

        def write() -> None:
            self._d["epoch"] += 1
            self._d["journal"] = before or journal

        self._scythe.around("ledger.claim", write)
        return Claim(self._d["epoch"], self._d["offset"], before)

    def apply(self, partition: int, epoch: int, through: int, now: int, decisions: Sequence[Decision]) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("the ledger is away")
        if epoch != self._d["epoch"]:
            raise Fenced(f"epoch {epoch}")
        if through <= self._d["offset"]:
            return
        for index, decision in enumerate(decisions):
            if is_bad(decision):
                raise BadEffect(index, "no such slot")
        self._scythe.around("ledger.apply", lambda: self._write(through, now, decisions))

    def _write(self, through: int, now: int, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            key = identity(decision)
            if isinstance(decision, Need):
                if key in self._d["rows"]:
                    self._d["twice"].append(key)
                else:
                    self._d["needs"].add((decision.slot, decision.cycle, decision.attempt))
            self._d["rows"][key] = decision
        self._d["offset"] = max(through, self._d["offset"])
        self.due = [at for at in self.due if at > now]
        self.applied.append(through)

    def salvage(
        self, partition: int, epoch: int, through: int, now: int, parts: Sequence[Part], blame: Blame
    ) -> Skip | None:
        """A decision that nobody is to blame for is dropped."""
        if self.away_in_salvage:
            self.away_in_salvage -= 1
            raise Unavailable("the ledger is away")
        if epoch != self._d["epoch"]:
            raise Fenced(f"epoch {epoch}")
        good: list[Decision] = []
        before = self._d["offset"]
        for number, part in enumerate(parts):
            for decision in part.decisions:
                skip = blame(number, decision, "no such slot") if is_bad(decision) else None
                if skip is not None:
                    self._scythe.around("ledger.salvage", partial(self._left_out, skip, before, now, good))
                    return skip
            good += [decision for decision in part.decisions if not is_bad(decision)]
            before = part.through
        self._scythe.around("ledger.salvage", lambda: self._write(through, now, good))
        return None

    def _left_out(self, skip: Skip, before: int, now: int, good: Sequence[Decision]) -> None:
        assert skip.offset >= before, "the ledger has passed what it sets aside"
        self._write(before, now, good)
        self._skip(skip)

    def show(self, partition: int, epoch: int, through: int, now: int, shown: Sequence[Shown]) -> None:
        if epoch != self._d["epoch"]:
            raise Fenced(f"epoch {epoch}")

        def write() -> None:
            self._d["rows"] |= {identity(one): one for one in shown}
            self._d["offset"] = max(through, self._d["offset"])

        self.shown.append(len(shown))
        self._scythe.around("ledger.show", write)

    def has_due(self, partition: int, now: int) -> bool:
        return any(at <= now for at in self.due)

    def skipped(self, partition: int) -> frozenset[tuple[int, int]]:
        return frozenset(self._d["skipped"])

    def skip(self, partition: int, epoch: int, now: int, skip: Skip) -> None:
        if epoch != self._d["epoch"]:
            raise Fenced(f"epoch {epoch}")
        self._scythe.around("ledger.skip", lambda: self._skip(skip))

    def _skip(self, skip: Skip) -> None:
        self._d["skipped"][skip.offset, skip.index] = (skip.device, skip.code, skip.raw)

    def open_needs(self, partition: int) -> set[tuple[int, int, int]]:
        return set(self._d["needs"])


class FakeState:
    def __init__(self, disks: Disks, scythe: Scythe) -> None:
        self._d, self._scythe = disks.state, scythe

    def claim(self, partition: int, epoch: int) -> None:
        if epoch < self._d["epoch"]:
            raise Fenced(f"epoch {epoch} after {self._d['epoch']}")
        self._scythe.around("state.claim", lambda: self._d.__setitem__("epoch", epoch))

    def save(self, partition: int, checkpoint: Checkpoint) -> None:
        if checkpoint.epoch != self._d["epoch"]:
            raise Fenced(f"epoch {checkpoint.epoch}")
        self._scythe.around("state.save", lambda: self._d.__setitem__("kept", [checkpoint, *self._d["kept"][:1]]))

    def load(self, partition: int, most: int = 2, skip: int = 0) -> list[Checkpoint]:
        return list(self._d["kept"][skip : skip + most])


class FakeSeries:
    def __init__(self, disks: Disks, scythe: Scythe) -> None:
        self._d, self._scythe = disks.series, scythe

    def offset(self, partition: int) -> int:
        return int(self._d["offset"])

    def write(self, partition: int, through: int, buckets: Sequence[Bucket], points: Sequence[Point]) -> None:
        def write() -> None:
            if through <= self._d["offset"]:
                return
            self._d["buckets"] |= {(b.slot, b.start): b for b in buckets}
            self._d["points"] |= {(p.subject, p.kind, p.ts, p.key): p for p in points}
            self._d["offset"] = through

        self._scythe.around("series.write", write)

    def buckets(self, slot: int, since: int, until: int, limit: int = 10_000) -> list[Bucket]:
        return [b for (s, start), b in self._d["buckets"].items() if s == slot and since <= start < until]

    def points(self, subject: str, kind: str, since: int, until: int, limit: int = 10_000) -> list[Point]:
        return [
            p for p in self._d["points"].values() if (p.subject, p.kind) == (subject, kind) and since <= p.ts < until
        ]

    def expire(self, before: int) -> int:
        return 0

    def close(self) -> None: ...


@dataclass(frozen=True)
class FakeOutcome:
    effects: list[Effect]
    verdicts: Any


class FakeFold:
    """Counts readings per slot, needs each slot once below 10 %, at a tick; a level of POISON cannot be folded."""

    def __init__(self) -> None:
        self.s: dict[str, Any] = {"time": 0, "seen": {}, "due": [], "needs": set(), "total": 0, "asked": []}

    def step(self, offset: int, record: AnyRecord, skipped: Collection[int]) -> FakeOutcome:
        if isinstance(record, Frame):
            return self._frame(record, skipped)
        if isinstance(record, Tick):
            return FakeOutcome(self._tick(record), None)
        if isinstance(record, Reorder):
            if record.by == "poison":
                raise ValueError("a poison request")
            self.s["asked"].append(record.id)
        return FakeOutcome([], None)

    def step_merged(self, last_offset: int, frame: Frame, counts: Sequence[int] = ()) -> FakeOutcome:
        assert not counts or sum(counts) == len(frame)
        return self._frame(frame, ())

    def _frame(self, frame: Frame, skipped: Collection[int]) -> FakeOutcome:
        for i, supply in enumerate(frame.supplies):
            if supply["low"] == POISON and i not in skipped:
                raise ValueError(f"poison at {i}")
        effects: list[Effect] = []
        for i, (reading, supply) in enumerate(zip(frame.readings, frame.supplies, strict=True)):
            if i in skipped:
                continue
            slot, level = int(supply["slot"]), float(supply["low"])
            self.s["seen"][slot] = self.s["seen"].get(slot, 0) + 1
            self.s["total"] += int(reading["seq"])
            if level in {REFILL, BAD}:
                boot, seq, ts = int(reading["boot"]), int(reading["seq"]), int(reading["ts"])
                effects.append(RefillSeen(slot, 1, RefillKind.NEW, ts, boot, seq, 3.0, level, 1.0, 0, "a test"))
            if level < 10 and slot not in self.s["due"]:
                self.s["due"].append(slot)
        verdicts = np.array([0 if i in skipped else 1 for i in range(len(frame))], np.uint8)
        return FakeOutcome(effects, verdicts)

    def _tick(self, tick: Tick) -> list[Effect]:
        effects: list[Effect] = []
        for slot in sorted(self.s["due"]):
            if (slot, 1, 0) not in self.s["needs"]:
                self.s["needs"].add((slot, 1, 0))
                effects.append(need(slot))
            effects.append(UsageBooked(slot, tick.time // 86_400_000, float(self.s["seen"][slot])))
            effects.append(self._view(slot))
        self.s["due"] = []
        self.s["time"] = tick.time
        return effects

    def snapshot(self) -> Blocks:
        return (("fake", pickle.dumps(self.s)),)

    def restore(self, blocks: Blocks) -> None:
        ((_, block),) = blocks
        self.s = pickle.loads(block)  # noqa: S301  our own bytes

    def open_needs(self) -> set[tuple[int, int, int]]:
        return set(self.s["needs"])

    def views(self) -> Iterable[SlotView]:
        return [self._view(slot) for slot in sorted(self.s["seen"])]

    def _view(self, slot: int) -> SlotView:
        return SlotView(slot, 1, self.s["time"], 0, 0, float(self.s["seen"][slot]), 0, (), 0, 0, 0, "fine", 0, 0, 0)


def is_bad(decision: Decision) -> bool:
    return isinstance(decision, RefillSeen) and decision.level_after == BAD


def identity(effect: Effect) -> tuple[Any, ...]:
    match effect:
        case Need():
            return ("need", effect.slot, effect.cycle, effect.attempt)
        case RefillSeen():
            return ("refill", effect.slot, effect.boot, effect.seq)
        case UsageBooked():
            return ("usage", effect.slot, effect.day)
        case SlotView():
            return ("view", effect.slot)
    return (type(effect).__name__, str(effect))


def need(slot: int) -> Need:
    evidence = Evidence(0, 0, "", 0, 1, 1, 1, 1, (), 1, 1, 1, 0.05, (), 0, 0, 0, 0)
    return Need(slot, 1, 0, 1, 1, Cause.PROBABILITY, "forecast", False, 0, evidence)


def frame(*rows: tuple[int, int, float], ts: int = 1_000_000) -> Frame:
    """Rows of (slot, seq, level); device and slot are the same number, boot is 7."""
    readings, supplies = np.zeros(len(rows), READING), np.zeros(len(rows), SUPPLY)
    for i, (slot, seq, level) in enumerate(rows):
        readings[i]["device"], readings[i]["boot"], readings[i]["seq"] = slot, 7, seq
        readings[i]["ts"], readings[i]["supplies"] = ts + seq, 1
        supplies[i]["slot"], supplies[i]["low"], supplies[i]["high"] = slot, level, level
    return Frame(readings, supplies, np.zeros(0, COUNTER), np.zeros(0, MEASURE), np.zeros(0, SIGNAL))


def frame_bytes(*rows: tuple[int, int, float], ts: int = 1_000_000) -> bytes:
    return codec.encode_frame(frame(*rows, ts=ts))


def tick_bytes(time: int) -> bytes:
    return codec.encode_tick(Tick(time, 1000))


class Inline(Executor):
    """Runs what it is given at once, in the calling thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001  as an executor does
            future.set_exception(error)
        return future


class Time:
    """A monotonic clock that a test moves; sleeping moves it too."""

    def __init__(self) -> None:
        self.now = 1000.0

    def clocks(self) -> Clocks:
        return Clocks(lambda: self.now, lambda: int(self.now * 1000), self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def restored(number: int, time: int, blocks: Blocks) -> FakeFold:
    fold = FakeFold()
    fold.restore(blocks)
    return fold


LOGIC = Logic("logic-1", lambda _: FakeFold(), restored, CLASSES)


def stores_over(disks: Disks, scythe: Scythe | None = None) -> Stores:
    scythe = scythe or Scythe()
    return Stores(FakeJournal(disks), FakeLedger(disks, scythe), FakeState(disks, scythe), FakeSeries(disks, scythe))


def config_in(folder: Path, **changes: Any) -> WorkerConfig:
    given: dict[str, Any] = {"commit_interval": 0.0, "behind_interval": 0.0, "unavailable": 5.0}
    given |= {"keep_journal_ms": 0} | changes
    return WorkerConfig("sqlite:///unused", folder, **given)
