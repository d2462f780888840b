"""Readings that contradict the prediction: refills, lost supplies, glitches.

None is believed on its own word: a glitch is one reading, and whatever is true is there at the next one, too. Only a
device that says "replaced" needs no second. Small rises, and those of a sensor that was wrong of late, must last: a
shaken cartridge falls back, a coarse sensor flickers by one step.
"""

from math import isnan, nan, sqrt
from typing import Any

from models.depletion.step import possible_step
from models.facts import Refill
from models.jit import f64, i64, inner
from models.layout import SlotFlag
from models.units import HOUR

ACCEPTED, FIRST, ODD, RISEN, FALLEN = 0, 1, 2, 3, 4
"""What became of a reading. RISEN and FALLEN are confirmed; the caller opens a cycle for RISEN."""

BIG_RISE, BIG_TOPUP = 25.0, 10.0  # smaller ones must last
SETTLING = 12 * HOUR  # how long that is
SHAKEN = 72 * HOUR  # how long one that was shaken can seem to hold a step more
SUSPENSE = 30 * HOUR  # how long a rise can wait for its second reading: a device that speaks once a day has spoken
BURST = 0.25  # business days whose use may come at once
WIDE = 34.0  # an interval wider than this is a word, not a level
LOW_WORD = 20.0  # at most this is left when the word is "low" or "empty"
EMPTY_WORD = 2.0
SOME_WORD = 5.0  # at least more than this when it is "ok", not "some"
DOUBTED = 200  # readings to believe until one that was wrong is forgotten
TOPUP = int(Refill.TOPUP)
SUSPECT = int(SlotFlag.SUSPECT)


@inner
def forget_odd(slot: Any) -> None:
    slot.odd_high = nan
    slot.odd_read = 0
    slot.flags = i64(slot.flags) & ~SUSPECT


@inner
def prove_wrong(slot: Any) -> None:
    """A reading was believed: if an odd one waited, that one was wrong."""
    if not isnan(f64(slot.odd_high)):
        if i64(slot.flags) & SUSPECT:
            slot.shaken = min(i64(slot.shaken) + 1, 1000)
        slot.doubt = DOUBTED
        forget_odd(slot)
    elif slot.doubt > 0:
        slot.doubt = i64(slot.doubt) - 1


@inner
def distance(level: float, low: float, high: float) -> float:
    """From the level to the interval: 0 inside, positive if the interval lies above."""
    if level > high:
        return high - level
    return low - level if level < low else 0.0


@inner
def rises(slot: Any, level: float, low: float, high: float) -> bool:
    """Is this more than the prediction's error, and more than was read last? Only a refill makes a level rise."""
    width = high - low
    if width > WIDE:  # from "low" or "empty" to a word that says only that there is some
        return high >= 100.0 and low > 0.0 and f64(slot.high) <= LOW_WORD
    noise, error = f64(slot.noise), f64(slot.p11)
    told = f64(slot.high) - f64(slot.low)
    if told <= WIDE:  # not NaN, not a word: it was not higher than what was read last
        error = min(error, told * told * (1.0 / 12.0))
    least = max(3.0 if slot.refill == TOPUP else 6.0, 4.0 * sqrt(error + noise))
    above = high - f64(slot.high)
    return distance(level, low, high) > least and above > max(3.0, 4.0 * sqrt(noise))


@inner
def falls(slot: Any, level: float, low: float, high: float, dt: float) -> bool:
    """Is this further down than any use explains? Nothing left at all is what sensors say that have failed."""
    width = high - low
    rate = f64(slot.rate)
    spread = sqrt(f64(slot.p11) + f64(slot.noise) + width * width * (1.0 / 16.0))
    if distance(level, low, high) < -max(20.0, 6.0 * spread + 3.0 * rate):
        return True
    if low > 0.0:
        return False
    told = f64(slot.high) - f64(slot.low)
    last, step = min(level, f64(slot.low)), told
    if not told <= WIDE:  # nothing was read, or a word: "empty" is odd where not even "low" came before
        if high > EMPTY_WORD:
            return False
        last, step = level, width
    return last - high > 0.5 * step + 3.0 * rate * (dt + BURST)


@inner
def agrees(slot: Any, level: float, low: float, high: float, dt: float, up: bool) -> bool:
    """Does the odd reading that waits say the same as this one?"""
    waiting = f64(slot.odd_high)
    if isnan(waiting) or (waiting > level) != up:
        return False
    room = max(6.0, 1.5 * (high - low)) + 3.0 * f64(slot.rate) * dt
    return abs(high - waiting) <= room


@inner
def must_last(slot: Any, low: float, high: float, up: bool) -> int:
    """How long it must have been said, ms, until it is believed; 0: two readings in a row are enough."""
    doubted = slot.doubt > 0
    if not up:
        return SETTLING if doubted else 0
    width = high - low
    if width > WIDE:
        if f64(slot.high) > low:  # from "low" to "some", by a shake perhaps, or to "ok"
            return SETTLING if low > SOME_WORD else SHAKEN
        return SETTLING if doubted else 0
    above = high - f64(slot.high)
    if above < 1.5 * width or above < 1.2 * possible_step(slot):
        return SHAKEN
    big = BIG_TOPUP if slot.refill == TOPUP else BIG_RISE
    return SETTLING if doubted or above < big else 0


@inner
def judge(slot: Any, level: float, low: float, high: float, dt: float, ts: int, said: bool) -> int:
    """ACCEPTED, ODD, RISEN or FALLEN; `said`: the device itself speaks of a new supply."""
    up = rises(slot, level, low, high)
    if not up and not falls(slot, level, low, high, dt):
        return ACCEPTED
    if up and said:
        return RISEN
    if not agrees(slot, level, low, high, dt, up):
        return ODD
    if ts - i64(slot.odd_read) < must_last(slot, low, high, up):
        return ODD
    return RISEN if up else FALLEN


@inner
def wait(slot: Any, level: float, low: float, high: float, dt: float, ts: int) -> None:
    """Keep an odd reading until a second one agrees; the time is that of the first."""
    up = high > level
    if not agrees(slot, level, low, high, dt, up):
        slot.odd_read = ts
    slot.odd_high = high
    flags = i64(slot.flags) & ~SUSPECT
    slot.flags = flags | SUSPECT if up else flags
