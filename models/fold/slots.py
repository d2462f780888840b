"""What every kind of reading does to a slot: book its use, close its cycle, mark it due."""

from math import isnan
from typing import Any

from models.depletion.filter import rebase
from models.depletion.odd import WIDE
from models.facts import Meter
from models.fold import events
from models.fold.moment import Moment
from models.fold.refill import open_cycle, reset_level, units_of
from models.fold.usage import book, closes
from models.index import find
from models.jit import f64, i64, inner
from models.layout import NO_TOTAL, SlotFlag

LEVEL, COUNTER = int(Meter.LEVEL), int(Meter.COUNTER)
RETIRED = int(SlotFlag.RETIRED)
EMPTY_BELOW = 0.5
SAID_LEVEL, SAID_VARIANCE = 97.0, 9.0  # after "replaced" without a level: full, more or less


@inner
def slot_of_device(told: Any, cursor: Any, reading: Any, slots: Any, index: Any, device_row: int, slot: int) -> int:
    """Row of a slot that the reading names; -1, with an entry in the quarantine, if it is not the device's."""
    row = find(index, slot)
    if row < 0:
        events.quarantine(told, cursor, reading, events.UNKNOWN_SLOT, slot)
        return -1
    if slots[row].device_row != device_row:
        events.quarantine(told, cursor, reading, events.FOREIGN_SLOT, slot)
        return -1
    return -1 if i64(slots[row].flags) & RETIRED else row


@inner
def book_use(told: Any, cursor: Any, reading: Any, slot: Any, day: int, amount: float) -> None:
    """Book use, and tell first the totals that would be pushed out."""
    if closes(slot, day):
        last = i64(slot.use_day)
        events.usage(told, cursor, reading, slot, last - 1, f64(slot.use_before))
        events.usage(told, cursor, reading, slot, last, f64(slot.use_today))
    book(slot, day, amount)


@inner
def note_read(slot: Any, reading: Any, ts: int) -> None:
    """The last word about the slot, which a receipt names."""
    slot.read = max(ts, i64(slot.read))
    slot.read_boot = i64(reading.boot)
    slot.read_seq = i64(reading.seq)


@inner
def touch(look: Any, moment: Moment, reading: Any, slot: Any, row: int) -> None:
    """The slot was read: the next tick looks at it."""
    note_read(slot, reading, moment.ts)
    if not moment.trains:
        look[row] = 0


@inner
def note_empty(slot: Any, high: float, ts: int) -> None:
    """Since when the device has said that nothing is left."""
    if high > EMPTY_BELOW:
        slot.empty_since = 0
    elif i64(slot.empty_since) == 0:
        slot.empty_since = ts


@inner
def refill(
    told: Any,
    cursor: Any,
    reading: Any,
    device: Any,
    slot: Any,
    moment: Moment,
    kind: int,
    ts: int,
    low: float,
    high: float,
) -> None:
    """Close the cycle and open the next at this level; NaN: it was said, not read."""
    before = f64(slot.level)
    after = SAID_LEVEL if isnan(high) else high
    units = 0.0 if moment.trains else units_of(slot, kind, 0.0 if isnan(before) else before, after)
    event = events.refilled(told, cursor, reading, slot, kind, ts, before, units)
    total = i64(device.total[i64(slot.counter)]) if slot.meter == COUNTER else NO_TOTAL
    open_cycle(slot, ts, total)
    if isnan(high):
        reset_level(slot, SAID_LEVEL if slot.meter == LEVEL else 100.0, SAID_VARIANCE)
    elif high - low > WIDE and high >= 100.0:  # a word: it is as full as a new one
        reset_level(slot, SAID_LEVEL, SAID_VARIANCE)
        slot.low, slot.high = low, high
    else:
        rebase(slot, low, high)
    event.after = f64(slot.level)
