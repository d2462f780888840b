"""A small world for the logic: facts with sensible defaults, readings, ticks, and what they decided."""

from collections.abc import Sequence
from datetime import date
from typing import Any, TypeVar

import numpy as np

from models.calendar import compile_days
from models.effects import Effect
from models.facts import (
    AccountFact,
    CalendarFact,
    ClassFact,
    DeviceFact,
    LaneFact,
    Mode,
    NeedFact,
    NeedState,
    OnOrder,
    SiteFact,
    SlotFact,
    StockFact,
)
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame, Signal
from models.partition import Partition
from models.records import AnyRecord, Tick
from models.units import DAY, HOUR

START = 1_780_272_000_000
"""Monday 2026-06-01 00:00 UTC."""
TONER, DRUM = 7, 8

E = TypeVar("E")


def calendar_fact(
    number: int = 1, weights: Sequence[float] = (1,) * 7, opened: Sequence[float] = (1,) * 7
) -> CalendarFact:
    starts, use, days = compile_days("UTC", date(2026, 1, 1), 730, weights, (), opened)
    return CalendarFact(
        version=1, calendar=number, starts=starts.tobytes(), weights=use.tobytes(), open_days=days.tobytes()
    )


def slot_fact(slot: int, device: int = 1, **more: Any) -> SlotFact:
    given = {"version": 1, "name": f"slot-{slot}", "slot_class": 1, "product": TONER, "lane": 1, "registered": START}
    return SlotFact(slot=slot, device=device, **(given | more))


def need_fact(key: tuple[int, int, int], state: NeedState, version: int = 1, released: bool = False) -> NeedFact:
    slot, cycle, attempt = key
    return NeedFact(version=version, slot=slot, cycle=cycle, attempt=attempt, state=state, released=released)


def stock_fact(
    version: int,
    on_hand: float,
    on_order: Sequence[OnOrder] = (),
    through: int = -1,
    product: int = TONER,
    site: int = 1,
) -> StockFact:
    return StockFact(
        version=version, site=site, product=product, on_hand=on_hand, on_order=tuple(on_order), through=through
    )


def reading(
    device: int,
    ts: int,
    seq: int,
    levels: dict[int, float | tuple[float, float]],
    *,
    signals: Sequence[tuple[Signal, int]] = (),
    counters: Sequence[tuple[int, int]] = (),
    boot: int = 99,
) -> Frame:
    """One reading: slot -> level or interval, per cent; signals as (code, slot), counters as (index, value)."""
    row = np.zeros(1, READING)
    row["device"], row["boot"], row["seq"], row["ts"] = device, boot, seq, ts
    row["supplies"], row["counters"], row["signals"] = len(levels), len(counters), len(signals)
    supplies = np.zeros(len(levels), SUPPLY)
    for k, (slot, level) in enumerate(levels.items()):
        low, high = level if isinstance(level, tuple) else (level, level)
        supplies[k] = (slot, 0, low, high)
    marks = np.zeros(len(signals), SIGNAL)
    for k, (code, slot) in enumerate(signals):
        marks[k] = (code, 0, slot)
    totals = np.zeros(len(counters), COUNTER)
    for k, (index, value) in enumerate(counters):
        totals[k]["index"], totals[k]["value"] = index, value
    return Frame(row, supplies, totals, np.zeros(0, MEASURE), marks)


def joined(frames: Sequence[Frame]) -> Frame:
    """Consecutive frames as one."""
    return Frame(
        *(
            np.concatenate([getattr(f, name) for f in frames])
            for name in ("readings", "supplies", "counters", "measures", "signals")
        )
    )


class World:
    """One partition, one account and site; time goes on by ticks. `effects` keeps everything that was decided."""

    def __init__(
        self, mode: Mode = Mode.AUTO, on_hand: float = 0.0, service_level: float = 0.95, **account: Any
    ) -> None:
        self.partition = Partition(0)
        self.offset = 0
        self.now = START
        self.seq = 0
        self.effects: list[Effect] = []
        self.do(
            AccountFact(version=1, account=1, mode=mode, service_level=service_level, **account),
            calendar_fact(),
            SiteFact(version=1, site=1, account=1, calendar=1, mode=Mode.AUTO),
            ClassFact(version=1, slot_class=1, rate=2.0, rate_cv2=0.25),
            LaneFact(version=1, lane=1, site=1, grid_ms=tuple(2 * DAY + k * HOUR for k in range(16))),
            DeviceFact(version=1, device=1, account=1, site=1),
            slot_fact(1),
            stock_fact(1, on_hand),
        )

    def do(self, *records: AnyRecord) -> list[Effect]:
        """Step over records, each at the next offset; what they decided."""
        decided: list[Effect] = []
        for record in records:
            decided += self.partition.step(self.offset, record).effects
            self.offset += 1
        self.effects += decided
        return decided

    def wait(self, ms: int = HOUR, listening: int | None = None) -> list[Effect]:
        self.now += ms
        return self.do(Tick(self.now, ms if listening is None else listening))

    def say(self, *, device: int = 1, signals: Sequence[tuple[Signal, int]] = (), **levels: Any) -> list[Effect]:
        """A reading of `device` now: say(s1=40, s2=(0, 25))."""
        self.seq += 1
        slots = {int(name[1:]): level for name, level in levels.items()}
        return self.do(reading(device, self.now + self.seq % 1000, self.seq, slots, signals=signals))

    def drain(self, slot: int = 1, start: float = 100.0, per_day: float = 4.0, until: float = 3.0) -> list[Effect]:
        """Readings four times a day, and a tick after each, down to `until` per cent or the first need."""
        level, found = start, []
        while level > until:
            self.say(**{f"s{slot}": float(np.ceil(level))})
            found += [e for e in self.wait(DAY // 4) if type(e).__name__ in {"Need", "WouldOrder"}]
            if found:
                return found
            level -= per_day / 4
        return found

    def all(self, kind: type[E]) -> list[E]:
        return [e for e in self.effects if isinstance(e, kind)]

    def status(self, slot: int = 1) -> str:
        return next(v.status for v in self.partition.views() if v.slot == slot)
