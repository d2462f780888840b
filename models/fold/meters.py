"""Counters of a live reading, and the slots that they meter: what is left is the capacity less what was counted."""

from math import isnan
from typing import Any

from models.depletion.filter import follow
from models.fold import events
from models.fold.clock import run_clock
from models.fold.counters import IMPLAUSIBLE, RESET, count
from models.fold.moment import Moment, elapsed
from models.fold.refill import COUNTER_RESET
from models.fold.slots import COUNTER, RETIRED, book_use, note_empty, refill, touch
from models.jit import f64, i64, inner
from models.layout import COUNTERS, NO_TOTAL

MOST = 1 << 53
RESET_BELOW = 25.0  # a counter that begins anew is a refill only where one was due


@inner
def fold_counters(
    told: Any, cursor: Any, reading: Any, counters: Any, device: Any, days: Any, moment: Moment, rebooted: bool
) -> tuple[int, int]:
    """All counters of a reading; bits of those that it told, and of those that began anew on their own."""
    first = i64(cursor[events.CURSOR_COUNTER])
    seen, anew, told_of, resets = 0, 0, 0, 0
    for k in range(first, first + i64(reading.counters)):
        index, value = i64(counters[k].index), i64(counters[k].value)
        if index >= COUNTERS:
            continue  # one that the device model does not have
        if value < 0 or value > MOST:
            events.quarantine(told, cursor, reading, events.BAD_COUNTER, index)
            continue
        dt = elapsed(days, moment, i64(device.counted[index])) if device.usual[index] > 0.0 else 0.0
        before = i64(device.total[index])
        outcome = count(device, index, value, moment.ts)
        if device.usual[index] > 0.0:
            run_clock(device, index, outcome, i64(device.total[index]) - before, dt)
        seen |= 1 << index
        told_of += 1
        if outcome == RESET:
            anew |= 1 << index
            resets += 1
        elif outcome == IMPLAUSIBLE:
            events.quarantine(told, cursor, reading, events.IMPLAUSIBLE_COUNTER, index)
    if resets == told_of and (resets > 1 or rebooted):
        anew = 0  # all of them: another board, not a new supply
    return seen, anew


@inner
def fold_metered(
    told: Any,
    cursor: Any,
    reading: Any,
    device: Any,
    slots: Any,
    look: Any,
    classes: Any,
    days: Any,
    moment: Moment,
    seen: int,
    anew: int,
) -> None:
    """The device's slots whose counter the reading told."""
    row = i64(device.first_slot)
    while row >= 0:
        slot = slots[row]
        bit = 1 << i64(slot.counter)
        if slot.meter == COUNTER and seen & bit and not i64(slot.flags) & RETIRED:
            dt = elapsed(days, moment, i64(slot.read))
            slot_class = classes[i64(slot.class_row)]
            follow_counter(told, cursor, reading, device, slot, slot_class, moment, dt, anew & bit != 0)
            touch(look, moment, reading, slot, row)
        row = i64(slot.next_slot)


@inner
def follow_counter(
    told: Any,
    cursor: Any,
    reading: Any,
    device: Any,
    slot: Any,
    slot_class: Any,
    moment: Moment,
    dt: float,
    anew: bool,
) -> None:
    """Level of a metered slot from its counter's total."""
    total = i64(device.total[i64(slot.counter)])
    capacity = max(f64(slot.capacity), 1.0)
    if i64(slot.base) == NO_TOTAL:
        # within its capacity the counter can have run since the supply was new; else it counts as new from now on
        slot.base = 0 if total <= capacity else total
    if anew and f64(slot.level) <= RESET_BELOW:
        refill(told, cursor, reading, device, slot, moment, i64(COUNTER_RESET), moment.ts, 100.0, 100.0)
        slot.base = total - i64(device.value[i64(slot.counter)])
    level = min(max(100.0 - 100.0 * (total - i64(slot.base)) / capacity, 0.0), 100.0)
    before = f64(slot.level)
    follow(slot, slot_class, level, dt)
    if not isnan(before):
        book_use(told, cursor, reading, slot, moment.day, before - f64(slot.level))
    note_empty(slot, level, moment.ts)
