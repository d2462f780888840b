"""Use per local day, as absolute totals of the two newest days: telling them twice changes nothing."""

from typing import Any

from models.jit import f64, i64, inner
from models.layout import SlotFlag

USED = int(SlotFlag.USED)


@inner
def closes(slot: Any, day: int) -> bool:
    """Would booking on `day` push totals out that were not told yet? Then they must be told first."""
    return day > i64(slot.use_day) and (i64(slot.flags) & USED) != 0


@inner
def book(slot: Any, day: int, amount: float) -> None:
    """Add use, per cent; a correction upwards takes some back. A day long past is booked no more."""
    at = i64(slot.use_day)
    if day > at:
        slot.use_before = slot.use_today if day == at + 1 else 0.0
        slot.use_today = 0.0
        slot.use_day = day
        slot.flags = i64(slot.flags) & ~USED
    elif day < at - 1:
        return
    if amount == 0.0:
        return
    if day == at - 1:
        slot.use_before = max(f64(slot.use_before) + amount, 0.0)
    else:
        slot.use_today = max(f64(slot.use_today) + amount, 0.0)
    slot.flags = i64(slot.flags) | USED
