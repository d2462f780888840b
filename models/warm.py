"""Compile the core ahead of time, so that no frame or tick waits for it; the result is kept on disk.

`python -m models.warm` does it when the product is set up, a worker before it takes its first record.
"""

from datetime import date

import numpy as np

from models.calendar import compile_days
from models.effects import Need
from models.facts import (
    AccountFact,
    CalendarFact,
    ClassFact,
    DeviceFact,
    LaneFact,
    Meter,
    Mode,
    SiteFact,
    SlotFact,
    StockFact,
)
from models.fold.fold import fold_frame
from models.frame import COUNTER, MEASURE, READING, SIGNAL, SUPPLY, Frame
from models.jit import COMPILED, is_kept
from models.layout import LEAD_POINTS
from models.partition import Partition
from models.records import AnyRecord, Reorder, Swapped, Tick
from models.units import DAY

START = 1_780_272_000_000  # 2026-06-01


def warm() -> None:
    """Run one small partition through everything that a worker does. Raises AssertionError if it decides nothing."""
    partition = Partition(0)
    effects = [e for n, record in enumerate(_records()) for e in partition.step(n, record).effects]
    if not any(isinstance(effect, Need) for effect in effects):
        raise AssertionError("the core does not work here: a slot that is nearly empty was not ordered for")
    Partition.restore(0, partition.time, partition.snapshot()).views()


def _records() -> list[AnyRecord]:
    """A device with two slots; one is nearly empty, one is asked for and swapped; then the device is silent."""
    starts, weights, opened = compile_days("UTC", date(2026, 1, 1), 300, (1,) * 7, (), (1,) * 7)
    midnights, use, goods = starts.tobytes(), weights.tobytes(), opened.tobytes()
    slots = [
        SlotFact(version=1, slot=1, device=1, name="a", slot_class=1, product=1, lane=1, registered=START),
        SlotFact(version=1, slot=2, device=1, name="b", slot_class=1, product=1, lane=1, meter=Meter.COUNTER),
    ]
    return [
        AccountFact(version=1, account=1, mode=Mode.AUTO),
        CalendarFact(version=1, calendar=1, starts=midnights, weights=use, open_days=goods),
        SiteFact(version=1, site=1, account=1, calendar=1, mode=Mode.AUTO),
        ClassFact(version=1, slot_class=1, rate=2.0),
        LaneFact(version=1, lane=1, site=1, grid_ms=tuple(DAY + k for k in range(LEAD_POINTS))),
        DeviceFact(version=1, device=1, account=1, site=1, counters=1),
        *slots,
        StockFact(version=1, site=1, product=1, on_hand=0.0),
        _frame(1, 5.0),
        Tick(START + DAY, 0),
        Swapped(id="swapped", slot=2, by="warm"),
        Reorder(id="reorder", slot=2, by="warm"),
        _frame(2, 4.0),
        Tick(START + 2 * DAY, DAY),
        Tick(START + 9 * DAY, 7 * DAY),
    ]


def _frame(day: int, level: float) -> Frame:
    """As the journal hands it out: views of its bytes, read-only."""
    reading, supply, counter = np.zeros(1, READING), np.zeros(1, SUPPLY), np.zeros(1, COUNTER)
    reading["device"], reading["boot"], reading["seq"], reading["ts"] = 1, 1, day, START + day * DAY - DAY // 2
    reading["supplies"] = reading["counters"] = 1
    supply["slot"], supply["high"], supply["low"] = 1, level, level
    for block in (reading, supply, counter):
        block.flags.writeable = False
    return Frame(reading, supply, counter, np.zeros(0, MEASURE), np.zeros(0, SIGNAL))


if __name__ == "__main__":
    if COMPILED and not is_kept(fold_frame):
        print("compiling the core, once: takes about half a minute ...", flush=True)
    warm()
