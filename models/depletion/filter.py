"""The depletion filter of one slot: a Kalman filter on (level, rate) whose observations are intervals.

The device says that the level lies in [low, high] (a sensor with step q that rounds up says [y - q, y]). A prediction
inside needs no correction; outside, the nearest bound counts. Right after a downward step the level is known best: it
has just crossed the bound. What contradicts the prediction too much is odd: it waits for a second reading that agrees.
Signs follow SCIENCE.md section 1: p12 is the covariance of level and -rate.
"""

from math import isnan, nan, sqrt
from typing import Any

from models.depletion.exact import covariance_after, halved
from models.facts import Refill
from models.jit import f64, i64, inner
from models.layout import SlotFlag
from models.units import HOUR

ACCEPTED, FIRST, ODD, RISEN, FALLEN = 0, 1, 2, 3, 4
"""What `observe` made of a reading. RISEN and FALLEN are confirmed; the caller opens a cycle for RISEN."""

NEARLY_EMPTY = 15.0  # below, a big rise is believed at once: nobody waits for a second reading at empty
BIG_RISE = 25.0
SETTLING = 12 * HOUR  # how long a small rise must last: a shaken cartridge falls back
FULL_WIDTH = 34.0  # the widest interval that ends at 100 and still means "full"
MOST_RATE = 20.0  # x the class's
LEAST_RATE = 0.02
TOPUP = int(Refill.TOPUP)
SUSPECT = int(SlotFlag.SUSPECT)


@inner
def predict(slot: Any, slot_class: Any, dt: float) -> float:
    """Move the covariance on by `dt` business days; the level that is expected then, unclipped."""
    rate = f64(slot.rate)
    prior = f64(slot_class.rate)
    a, b, c = covariance_after(
        rate,
        f64(slot.p11),
        f64(slot.p12),
        f64(slot.p22),
        f64(slot.phi),
        f64(slot_class.eta),
        4.0 * prior * prior,
        dt,
    )
    slot.p11, slot.p12, slot.p22 = a, b, c
    slot.gap = f64(slot.gap) + dt
    slot.age = f64(slot.age) + dt
    return f64(slot.level) - rate * dt


@inner
def rebase(slot: Any, low: float, high: float) -> None:
    """Take the level from this reading alone; the rate stays."""
    width = high - low
    full = high >= 100.0 and width <= FULL_WIDTH
    slot.level = 100.0 - 0.25 * width if full else high - 0.5 * width
    slot.p11 = width * width * (1.0 / 12.0) + f64(slot.noise)
    slot.p12 = 0.0
    slot.gap = 0.0
    slot.low, slot.high = low, high
    forget_odd(slot)


@inner
def forget_odd(slot: Any) -> None:
    slot.odd_low, slot.odd_high = nan, nan
    slot.odd_read = 0
    slot.flags = i64(slot.flags) & ~SUSPECT


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
    sensor = f64(slot.noise) + width * width * (1.0 / 16.0)
    topup = slot.refill == TOPUP
    error = sensor if topup else f64(slot.p11) + sensor
    least = max(3.0 if topup else 6.0, 4.0 * sqrt(error))
    above = high - f64(slot.high)
    return distance(level, low, high) > least and above > max(3.0, 4.0 * sqrt(f64(slot.noise)))


@inner
def falls(slot: Any, level: float, low: float, high: float) -> bool:
    """Is this further down than any use explains?"""
    width = high - low
    spread = sqrt(f64(slot.p11) + f64(slot.noise) + width * width * (1.0 / 16.0))
    return distance(level, low, high) < -max(20.0, 6.0 * spread + 3.0 * f64(slot.rate))


@inner
def agrees(slot: Any, level: float, low: float, high: float, dt: float, up: bool) -> bool:
    """Does the odd reading that waits say the same as this one?"""
    waiting = f64(slot.odd_high)
    if isnan(waiting) or (waiting > level) != up:
        return False
    room = max(6.0, 1.5 * (high - low)) + 3.0 * f64(slot.rate) * dt
    return abs(high - waiting) <= room


@inner
def judge(slot: Any, level: float, low: float, high: float, dt: float, ts: int, said: bool) -> int:
    """ACCEPTED, ODD, RISEN or FALLEN; `said`: the device itself speaks of a new supply."""
    up = rises(slot, level, low, high)
    if not up and not falls(slot, level, low, high):
        return ACCEPTED
    again = agrees(slot, level, low, high, dt, up)
    if not up:
        return FALLEN if again else ODD
    if said or (level < NEARLY_EMPTY and high - level > BIG_RISE):
        return RISEN
    small = high - level < BIG_RISE and slot.refill != TOPUP
    if again and not (small and ts - i64(slot.odd_read) < SETTLING):
        return RISEN
    return ODD


@inner
def wait(slot: Any, level: float, low: float, high: float, dt: float, ts: int) -> None:
    """Keep an odd reading until a second one agrees; the time is that of the first."""
    up = high > level
    if not agrees(slot, level, low, high, dt, up):
        slot.odd_read = ts
    slot.odd_low, slot.odd_high = low, high
    if up:
        slot.flags = i64(slot.flags) | SUSPECT


@inner
def learn_noise(slot: Any, error: float, flickered: bool) -> None:
    """The sensor's variance from readings that rise a little: levels do not."""
    square = error * error if flickered else 0.0
    slot.noise = min(max(0.97 * f64(slot.noise) + 0.03 * square, 0.02), 9.0)


@inner
def correct(slot: Any, slot_class: Any, level: float, low: float, high: float, dt: float, point: bool) -> float:
    """Kalman update of a believed reading; the new level. `point`: the sensor's own step made the interval."""
    width = high - low
    last = f64(slot.high)
    gap = f64(slot.gap)
    noise = f64(slot.noise)
    alike = point and abs(last - f64(slot.low) - width) < 0.5
    stepped = high < last and (alike or high <= f64(slot.low) + 0.5)
    used_up = min(f64(slot.rate) * gap, width)  # since the step, at most a whole one
    if stepped:
        z = high - 0.5 * used_up
        variance = used_up * used_up * (1.0 / 12.0) + 0.02 + noise
    else:
        z = min(max(level, low), high)
        variance = width * width * (1.0 / 16.0) + noise
    p11, p12, p22 = f64(slot.p11), f64(slot.p12), f64(slot.p22)
    inverse = 1.0 / (p11 + variance)
    error, k1, k2 = 0.0, 0.0, 0.0
    if stepped or z != level:
        error, k1, k2 = z - level, p11 * inverse, p12 * inverse
    flickered = high > last
    if alike and (flickered or not stepped):
        learn_noise(slot, error, flickered)
    if stepped and gap > 0.0:
        x = 0.06 * (min(error * error * inverse, 6.0) - 1.0)
        growth = 1.0 + x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0))))
        slot.phi = min(max(f64(slot.phi) * growth, 0.05), 60.0)
    prior = f64(slot_class.rate)
    slot.rate = min(max(f64(slot.rate) - k2 * error, LEAST_RATE * prior), MOST_RATE * prior)
    slot.p22 = min(p22 - k2 * p12, 4.0 * prior * prior)
    slot.p12 = p12 - k1 * p12
    slot.p11 = p11 - k1 * p11
    after = level + k1 * error
    keep = halved(dt, f64(slot_class.half_slow))
    slot.used = f64(slot.used) * keep + max(f64(slot.level) - after, -5.0)
    slot.span = f64(slot.span) * keep + dt
    slot.low, slot.high = low, high
    if stepped:
        slot.gap = 0.0
    return after


@inner
def observe(slot: Any, slot_class: Any, low: float, high: float, dt: float, ts: int, point: bool, said: bool) -> int:
    """Fold one interval into the filter, `dt` business days after the last; what became of it.

    After RISEN the slot stands as predicted: the caller remembers it, opens the next cycle and rebases.
    """
    before = f64(slot.level)
    if isnan(before):
        rebase(slot, low, high)
        slot.age = 0.0
        return FIRST
    if before <= 0.5 and high <= high - low:
        dt = 0.0  # stuck at empty: use cannot be seen, so the clock stands still
    level = predict(slot, slot_class, dt)
    outcome = judge(slot, level, low, high, dt, ts, said)
    if outcome == ACCEPTED:
        if i64(slot.flags) & SUSPECT:
            slot.shaken = i64(slot.shaken) + 1
        forget_odd(slot)
        level = correct(slot, slot_class, level, low, high, dt, point)
    elif outcome == ODD:
        wait(slot, level, low, high, dt, ts)
    elif outcome == FALLEN:
        rebase(slot, low, high)
        return FALLEN
    slot.level = min(max(level, 0.0), 100.0)
    return outcome


@inner
def follow(slot: Any, slot_class: Any, level: float, dt: float) -> None:
    """Fold an exact level that cannot be odd: a counter's, whose own plausibility was judged before."""
    if isnan(f64(slot.level)):
        rebase(slot, level, level)
        return
    expected = predict(slot, slot_class, dt)
    after = correct(slot, slot_class, expected, level, level, dt, False)
    slot.level = min(max(after, 0.0), 100.0)


@inner
def bound(slot: Any, slot_class: Any, high: float, dt: float) -> None:
    """The device says "low" or "empty" without a level: it is at most `high`. Not odd, and not what was read last."""
    if isnan(f64(slot.level)):
        return
    level = predict(slot, slot_class, dt)
    if level > high:
        p11, p12 = f64(slot.p11), f64(slot.p12)
        inverse = 1.0 / (p11 + high * high * (1.0 / 16.0) + f64(slot.noise))
        slot.p11, slot.p12 = p11 - p11 * inverse * p11, p12 - p11 * inverse * p12
        level += p11 * inverse * (high - level)
    slot.level = min(max(level, 0.0), 100.0)
