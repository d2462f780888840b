"""What runs a slot's clock is a fact, too: when it changes, what was learned is turned into the new unit.

The unit is the business day or, with a counter, the usual day of counting (models.depletion.pace).
"""

from collections.abc import Iterator
from typing import Any

from models.depletion.pace import present_pace
from models.facts import DeviceFact, Meter, SlotFact
from models.layout import COUNTERS, NO_TOTAL, SlotFlag
from models.state import State

_PER_UNIT = (("rate", 1), ("before_rate", 1), ("p12", 1), ("before_p12", 1), ("p22", 2), ("before_p22", 2))
_SUMS = ("recent_used", "recent_days", "lasting_used", "lasting_days", "scatter")
_IN_UNITS = ("span", "before_span", "gap", "age")


def clock_of(fact: SlotFact) -> int:
    """Index of the counter that a slot's fact names as its clock, -1: none."""
    return fact.clock if fact.meter == Meter.LEVEL and 0 <= fact.clock < COUNTERS else -1


def set_usuals(state: State, device_row: int, fact: DeviceFact) -> None:
    """What is usual for each counter of the device; what its slots have learned stays true."""
    device = state.devices.rows[device_row]
    for c in range(COUNTERS):
        usual = fact.counter_usuals[c] if c < len(fact.counter_usuals) else 0.0
        old, pace = float(device["usual"][c]), pace_now(device, c)
        device["usual"][c] = max(usual, 0.0)
        new = float(device["usual"][c])
        if old == new:
            continue
        if old > 0.0 and new > 0.0:
            factor = old / new
            for name in ("run", "recent_used", "lasting_used", "block_used"):
                device[name][c] *= factor
            device["scatter"][c] *= factor * factor
        else:
            factor = 1.0 / pace if old > 0.0 else pace
        for slot in _clocked_by(state, device, c):
            rescale(slot, factor)
            slot["base"] = slot["before_base"] = NO_TOTAL


def set_clock(state: State, slot_row: int, clock: int) -> None:
    """Counter `clock` runs the slot's clock from now on; -1: business time does."""
    slot = state.slots.rows[slot_row]
    device = state.devices.rows[int(slot["device_row"])]
    old = int(slot["counter"]) if int(slot["flags"]) & SlotFlag.CLOCKED else -1
    if old == clock:
        return
    rescale(slot, _days_of(device, clock) / _days_of(device, old))
    slot["base"] = slot["before_base"] = NO_TOTAL
    slot["flags"] = int(slot["flags"]) & ~SlotFlag.CLOCKED
    if clock >= 0:
        slot["flags"] = int(slot["flags"]) | SlotFlag.CLOCKED
        slot["counter"] = clock


def rescale(slot: Any, factor: float) -> None:
    """Turn a slot's filter into another unit of time: `factor` new ones are one old one."""
    for name, power in _PER_UNIT:
        slot[name] /= factor if power == 1 else factor * factor
    for name in _IN_UNITS:
        slot[name] *= factor


def pace_now(device: Any, c: int) -> float:
    """Usual days of counting per business day of counter `c`."""
    sums = (float(device[name][c]) for name in _SUMS)
    return present_pace(*sums)[0]


def _days_of(device: Any, c: int) -> float:
    """How many units of the clock, counter `c` or -1 for none, a business day has."""
    return pace_now(device, c) if c >= 0 and device["usual"][c] > 0.0 else 1.0


def _clocked_by(state: State, device: Any, c: int) -> Iterator[Any]:
    at = int(device["first_slot"])
    while at >= 0:
        slot = state.slots.rows[at]
        if int(slot["flags"]) & SlotFlag.CLOCKED and int(slot["counter"]) == c:
            yield slot
        at = int(slot["next_slot"])
