"""Levels of a live reading, each into its slot's filter."""

from typing import Any

from models.depletion.filter import observe
from models.depletion.odd import FALLEN, FIRST, ODD, RISEN
from models.depletion.step import step_of
from models.fold import events
from models.fold.clock import mark_clock, slot_elapsed
from models.fold.moment import Moment, elapsed
from models.fold.refill import SAID, SEEN_ALREADY, classify
from models.fold.signals import REPLACED, signalled
from models.fold.slots import LEVEL, book_use, note_empty, refill, slot_of_device, touch
from models.frame import SupplyFlag
from models.jit import f64, i64, inner
from models.layout import SlotFlag

UNKNOWN = int(SupplyFlag.UNKNOWN)
BOUNDED = int(SupplyFlag.INTERVAL | SupplyFlag.STATE)
REMAINING = int(SupplyFlag.REMAINING)
ASCENDING = int(SlotFlag.ASCENDING)
POINT = 1e-3


@inner
def fold_levels(
    told: Any,
    cursor: Any,
    reading: Any,
    supplies: Any,
    signals: Any,
    device: Any,
    device_row: int,
    slots: Any,
    index: Any,
    look: Any,
    classes: Any,
    days: Any,
    moment: Moment,
) -> None:
    """All levels of a reading."""
    first, first_signal = i64(cursor[events.CURSOR_SUPPLY]), i64(cursor[events.CURSOR_SIGNAL])
    read, dt = 0, 0.0
    for k in range(first, first + i64(reading.supplies)):
        supply = supplies[k]
        named, flags = i64(supply.slot), i64(supply.flags)
        if flags & UNKNOWN:
            events.unmapped(told, cursor, reading, named)
            continue
        low, high = f64(supply.low), f64(supply.high)
        if not (low >= 0.0 and low <= high <= 100.0):  # also if one is NaN
            events.quarantine(told, cursor, reading, events.BAD_LEVEL, named)
            continue
        row = slot_of_device(told, cursor, reading, slots, index, device_row, named)
        if row < 0 or (low <= 0.0 and high >= 100.0):
            continue  # it says nothing
        slot = slots[row]
        if slot.meter != LEVEL:
            continue  # something else meters it
        point = flags & BOUNDED == 0 and high - low < POINT
        if point:
            low, high = around(slot, flags, high)
        said = not moment.trains and signalled(signals, first_signal, reading, REPLACED, named)
        slot_class = classes[i64(slot.class_row)]
        if i64(slot.read) != read:  # most slots of a device were read together
            read = i64(slot.read)
            dt = elapsed(days, moment, read)
        own = slot_elapsed(days, moment, device, slot, dt)
        fold_level(told, cursor, reading, device, slot, slot_class, moment, own, low, high, point, said)
        mark_clock(days, moment, device, slot)
        touch(look, moment, reading, slot, row)


@inner
def around(slot: Any, flags: int, told: float) -> tuple[float, float]:
    """What a number means: the sensor rounds up what it measures, what is left or, ascending, how full it is."""
    step = step_of(slot)
    if i64(slot.flags) & ASCENDING and not flags & REMAINING:
        return told, min(told + step, 100.0)
    return max(told - step, 0.0), told


@inner
def fold_level(
    told: Any,
    cursor: Any,
    reading: Any,
    device: Any,
    slot: Any,
    slot_class: Any,
    moment: Moment,
    dt: float,
    low: float,
    high: float,
    point: bool,
    said: bool,
) -> None:
    """One level of one slot, `dt` days of its clock after its last."""
    first_odd = i64(slot.odd_read)
    before = f64(slot.level)
    outcome = observe(slot, slot_class, low, high, dt, moment.ts, point, said)
    book_use(told, cursor, reading, slot, moment.day, 0.0 if outcome == FIRST else before - f64(slot.level))
    if outcome == RISEN:
        opened = i64(slot.odd_read)
        refill(told, cursor, reading, device, slot, moment, classify(slot, high), opened, low, high)
    elif said and outcome != FIRST and moment.ts - i64(slot.opened) >= SEEN_ALREADY:
        refill(told, cursor, reading, device, slot, moment, i64(SAID), moment.ts, low, high)
    if outcome != ODD:
        # the interval of an ascending slot never ends at 0: it says that it is full, and nothing should be left
        left = f64(slot.level) if low <= 0.0 and i64(slot.flags) & ASCENDING else high
        note_empty(slot, left, first_odd if outcome == FALLEN else moment.ts)
