"""Late readings: booked where they tell something new, but the live state never turns back."""

from typing import Any

from models.fold import events
from models.fold.moment import Moment
from models.fold.refill import late_use
from models.fold.slots import LEVEL, slot_of_device
from models.fold.usage import book
from models.frame import SupplyFlag
from models.jit import f64, i64, inner

UNKNOWN = int(SupplyFlag.UNKNOWN)


@inner
def fold_late(
    told: Any, cursor: Any, reading: Any, supplies: Any, device_row: int, slots: Any, index: Any, moment: Moment
) -> None:
    """Levels from before the last refill that nobody had seen: how far down the old supply really was."""
    first = i64(cursor[events.CURSOR_SUPPLY])
    for k in range(first, first + i64(reading.supplies)):
        supply = supplies[k]
        low, high = f64(supply.low), f64(supply.high)
        if i64(supply.flags) & UNKNOWN or not (low >= 0.0 and low <= high <= 100.0):
            continue
        row = slot_of_device(told, cursor, reading, slots, index, device_row, i64(supply.slot))
        if row >= 0 and slots[row].meter == LEVEL:
            use = late_use(slots[row], high, moment.ts)
            if use > 0.0:
                book(slots[row], min(moment.day, i64(slots[row].use_day)), use)
