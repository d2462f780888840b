"""The clock of a slot: business time or, where the device counts what uses the slot up, that counter.

A counter's clock shows how many usual days of counting it has run (models.depletion.pace). What it does not tell (a
silence, a reset, another board, a jump that nobody believes) it runs at the device's pace. It never runs back: where
it ran ahead it waits until the counter has caught up, for a while.
"""

from math import isnan, nan
from typing import Any

from models.depletion.pace import learn_pace, pace_of
from models.fold.counters import GREW, WRAPPED
from models.fold.moment import Moment, elapsed
from models.jit import f64, i64, inner
from models.layout import NO_TOTAL, SlotFlag

CLOCKED = int(SlotFlag.CLOCKED)
MILLION = 1_000_000
AHEAD = 3.0  # usual days that a clock waits for its counter; what it ran ahead by more is forgotten


@inner
def run_clock(device: Any, c: int, outcome: int, grown: int, dt: float) -> None:
    """Counter `c` was read `dt` business days after its last value; the clock runs on."""
    if outcome in (GREW, WRAPPED):
        used = grown / f64(device.usual[c])
        learn_pace(device, c, used, dt)
    else:
        used = pace_of(device, c) * dt
    device.run[c] = f64(device.run[c]) + used


@inner
def shown(device: Any, c: int, silent: float) -> float:
    """What the clock of counter `c` shows `silent` business days after its last value; NaN: it was never read."""
    if i64(device.total[c]) == NO_TOTAL:
        return nan
    return f64(device.run[c]) + pace_of(device, c) * silent


@inner
def run_since(device: Any, c: int, now: float, mark: float, dt: float) -> float:
    """Usual days since the clock showed `mark`; where it cannot tell, those of `dt` business days at its pace."""
    if isnan(now) or isnan(mark):
        return pace_of(device, c) * dt
    return max(now - mark, 0.0)


@inner
def mark_of(slot: Any) -> float:
    """What the slot's clock showed when the slot was read last; NaN: nothing."""
    return nan if i64(slot.base) == NO_TOTAL else i64(slot.base) / MILLION


@inner
def told_by(device: Any, slot: Any) -> bool:
    """Does a counter run the slot's clock? Its model must say how many counts are usual."""
    return i64(slot.flags) & CLOCKED != 0 and device.usual[i64(slot.counter)] > 0.0


@inner
def shown_now(days: Any, moment: Moment, device: Any, c: int) -> float:
    counted = i64(device.counted[c])
    return shown(device, c, 0.0 if counted == moment.ts else elapsed(days, moment, counted))


@inner
def slot_elapsed(days: Any, moment: Moment, device: Any, slot: Any, dt: float) -> float:
    """By the slot's own clock since its last reading, `dt` business days ago."""
    if not told_by(device, slot):
        return dt
    c = i64(slot.counter)
    return run_since(device, c, shown_now(days, moment, device, c), mark_of(slot), dt)


@inner
def mark_clock(days: Any, moment: Moment, device: Any, slot: Any) -> None:
    """The slot was read: remember what its clock shows."""
    if not told_by(device, slot):
        return
    mark, now = mark_of(slot), shown_now(days, moment, device, i64(slot.counter))
    if not now < mark <= now + AHEAD:  # else it ran ahead, and waits
        slot.base = i64(NO_TOTAL) if isnan(now) else i64(now * MILLION)
