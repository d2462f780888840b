"""A refill: the cycle closes, the next one opens, and what is needed to take it back is kept."""

from math import isnan, nan
from typing import Any

from models.depletion.odd import forget_odd
from models.effects import RefillKind
from models.facts import Refill
from models.jit import f64, i64, inner
from models.layout import NO_TOTAL, SlotFlag
from models.units import HOUR

NEW, PART_USED, TOPUP = int(RefillKind.NEW), int(RefillKind.PART_USED), int(RefillKind.TOPUP)
COUNTER_RESET, SAID = int(RefillKind.COUNTER_RESET), int(RefillKind.SAID)
FULL_FROM = 90.0  # a supply that starts above counts as new
SEEN_ALREADY = 12 * HOUR  # the same news comes twice: from the level, from the device, from a person
IS_TOPUP = int(Refill.TOPUP)
ENDED = int(SlotFlag.REORDER | SlotFlag.SIGNAL_LOW | SlotFlag.SIGNAL_EMPTY)
BEGUN = int(SlotFlag.REFILLED | SlotFlag.REVERSIBLE)
REVERSIBLE = int(SlotFlag.REVERSIBLE)
KEPT = ("level", "rate", "p11", "p12", "p22", "used", "span", "opened", "read", "base")


@inner
def classify(slot: Any, high: float) -> int:
    """Kind of a refill that a level has shown."""
    if slot.refill == IS_TOPUP:
        return TOPUP
    return NEW if high >= FULL_FROM else PART_USED


@inner
def units_of(slot: Any, kind: int, before: float, after: float) -> float:
    """How much stock it used: a part-used supply came from elsewhere, a top-up takes its volume."""
    pack = max(f64(slot.pack_units), 1e-9)
    if slot.refill == IS_TOPUP:
        return max(after - before, 0.0) * 0.01 * f64(slot.capacity) / pack
    return 0.0 if kind == PART_USED else 1.0 / pack


@inner
def open_cycle(slot: Any, ts: int, total: int) -> None:
    """Keep the old cycle for a reversal and begin the next; the caller sets the level afterwards.

    A need that is open stays: the next tick says what becomes of it.
    """
    slot.before_level = slot.level
    slot.before_rate = slot.rate
    slot.before_p11 = slot.p11
    slot.before_p12 = slot.p12
    slot.before_p22 = slot.p22
    slot.before_used = slot.used
    slot.before_span = slot.span
    slot.before_opened = slot.opened
    slot.before_read = slot.read
    slot.before_base = slot.base
    slot.cycle = i64(slot.cycle) + 1
    slot.opened = ts
    slot.empty_since = 0
    slot.shaken = 0
    slot.base = total
    slot.flags = (i64(slot.flags) & ~ENDED) | BEGUN
    forget_odd(slot)


def reverse(slot: Any) -> bool:
    """Take the last refill back: the filter is as it was before, the cycle's number stays used. False: nothing to.

    Use since the refill is gone from the level until the next reading tells it.
    """
    if not int(slot["flags"]) & REVERSIBLE:
        return False
    for name in KEPT:
        slot[name] = slot[f"before_{name}"]
    slot["low"], slot["high"] = slot["before_level"], slot["before_level"]
    slot["gap"] = 0.0
    slot["flags"] = int(slot["flags"]) & ~REVERSIBLE
    return True


@inner
def late_use(slot: Any, high: float, ts: int) -> float:
    """A late reading of the cycle before shows how far it was really used up: the use that was not booked yet."""
    if not i64(slot.flags) & REVERSIBLE or ts <= i64(slot.before_opened) or ts >= i64(slot.opened):
        return 0.0
    before = f64(slot.before_level)
    if isnan(before) or high >= before:
        return 0.0
    slot.before_level = high
    slot.before_used = f64(slot.before_used) + before - high
    slot.used = f64(slot.used) + before - high
    return before - high


@inner
def reset_level(slot: Any, level: float, variance: float) -> None:
    """A level that nobody measured: the device or a person said that the supply is new."""
    slot.level = level
    slot.p11 = variance
    slot.p12 = 0.0
    slot.gap = 0.0
    slot.low, slot.high = nan, nan
    if slot.base == NO_TOTAL:
        slot.base = 0
