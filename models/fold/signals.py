"""What a device asks for or says about a slot without a level."""

from math import isnan, nan
from typing import Any

from models.depletion.filter import bound
from models.depletion.odd import forget_odd
from models.fold import events
from models.fold.clock import mark_clock, slot_elapsed
from models.fold.moment import Moment, elapsed
from models.fold.refill import SAID, SEEN_ALREADY
from models.fold.slots import LEVEL, book_use, note_empty, note_read, refill, slot_of_device
from models.frame import NO_SLOT, Signal
from models.jit import f64, i64, inner
from models.layout import SlotFlag

REORDER, LOW, EMPTY, REPLACED = int(Signal.REORDER), int(Signal.LOW), int(Signal.EMPTY), int(Signal.REPLACED)
LOW_LEVEL, EMPTY_LEVEL = 20.0, 2.0  # at most this is left when a device says so
FLAG_REORDER, FLAG_LOW, FLAG_EMPTY = int(SlotFlag.REORDER), int(SlotFlag.SIGNAL_LOW), int(SlotFlag.SIGNAL_EMPTY)


@inner
def signalled(signals: Any, first: int, reading: Any, code: int, slot: int) -> bool:
    """Does this reading carry the signal for the slot?"""
    for k in range(first, first + i64(reading.signals)):
        if signals[k].code == code and i64(signals[k].slot) == slot:
            return True
    return False


@inner
def has_level(supplies: Any, first: int, reading: Any, slot: int) -> bool:
    """Does this reading tell the slot's level? Then that says more than the signal."""
    for k in range(first, first + i64(reading.supplies)):  # noqa: SIM110  numba compiles no generators
        if i64(supplies[k].slot) == slot:
            return True
    return False


@inner
def fold_signals(
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
    """All signals of a reading. One of the whole device is its slot's if it has exactly one."""
    first = i64(cursor[events.CURSOR_SIGNAL])
    for k in range(first, first + i64(reading.signals)):
        code, named = i64(signals[k].code), i64(signals[k].slot)
        if code < REORDER or code > REPLACED or (code > EMPTY and code < REPLACED):
            continue
        row = -1
        if named != NO_SLOT:
            row = slot_of_device(told, cursor, reading, slots, index, device_row, named)
        elif device.slots == 1:
            row = i64(device.first_slot)
        else:
            events.quarantine(told, cursor, reading, events.NO_SUCH_SLOT, code)
        if row < 0:
            continue
        slot = slots[row]
        look[row] = 0
        levelled = has_level(supplies, i64(cursor[events.CURSOR_SUPPLY]), reading, i64(slot.id))
        if code == REORDER:
            slot.flags = i64(slot.flags) | FLAG_REORDER
        elif code == REPLACED:
            # the same news may come twice, or after the level has shown it
            if not levelled and moment.ts - i64(slot.opened) >= SEEN_ALREADY:
                refill(told, cursor, reading, device, slot, moment, i64(SAID), moment.ts, nan, nan)
                mark_clock(days, moment, device, slot)
                note_read(slot, reading, moment.ts)
        else:
            dt = slot_elapsed(days, moment, device, slot, elapsed(days, moment, i64(slot.read)))
            slot_class = classes[i64(slot.class_row)]
            if say_low(told, cursor, reading, slot, slot_class, moment, dt, code, levelled):
                mark_clock(days, moment, device, slot)


@inner
def say_low(
    told: Any,
    cursor: Any,
    reading: Any,
    slot: Any,
    slot_class: Any,
    moment: Moment,
    dt: float,
    code: int,
    levelled: bool,
) -> bool:
    """ "Low" or "empty": a flag for the next tick and, without a level, a bound for the filter. True: the filter took
    it as a reading."""
    slot.flags = i64(slot.flags) | (FLAG_LOW if code == LOW else FLAG_EMPTY)
    if levelled:
        return False
    if code == EMPTY:
        note_empty(slot, 0.0, moment.ts)
    before = f64(slot.level)
    if slot.meter != LEVEL or isnan(before):
        return False
    forget_odd(slot)  # nothing was refilled
    bound(slot, slot_class, LOW_LEVEL if code == LOW else EMPTY_LEVEL, dt)
    book_use(told, cursor, reading, slot, moment.day, before - f64(slot.level))
    note_read(slot, reading, moment.ts)
    return True
