"""The depletion filter of one slot: a Kalman filter on (level, rate) whose observations are intervals.

The device says that the level lies in [low, high] (a sensor with step q that rounds up says [y - q, y]). A prediction
inside needs no correction; outside, the nearest bound counts. Right after a downward step the level is known best: it
has just crossed the bound. What contradicts the prediction too much is odd (models.depletion.odd).
Signs follow SCIENCE.md section 1: p12 is the covariance of level and -rate.
"""

from math import isnan
from typing import Any

from models.depletion.exact import covariance_after, halved
from models.depletion.odd import ACCEPTED, FALLEN, FIRST, WIDE, forget_odd, judge, prove_wrong, wait
from models.depletion.step import learn_step
from models.jit import f64, inner

SHARP = 10.0  # bounds that the device itself tells are never less exact than this
MOST_RATE = 20.0  # x the class's
LEAST_RATE = 0.02


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
    full = high >= 100.0 and width <= WIDE
    slot.level = 100.0 - 0.25 * width if full else high - 0.5 * width
    slot.p11 = width * width * (1.0 / 12.0) + f64(slot.noise)
    slot.p12 = 0.0
    slot.gap = 0.0
    slot.low, slot.high = low, high
    forget_odd(slot)


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
        sharp = width if point else min(width, SHARP)
        variance = sharp * sharp * (1.0 / 16.0) + noise
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

    After RISEN the slot stands as predicted, and `odd_read` is when it rose: the caller remembers it, opens the next
    cycle and rebases.
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
        prove_wrong(slot)
        if point:
            learn_step(slot, f64(slot.high), high)
        level = correct(slot, slot_class, level, low, high, dt, point)
    elif outcome == FALLEN:
        if point:
            learn_step(slot, f64(slot.high), high)
        rebase(slot, low, high)
        return FALLEN
    else:
        wait(slot, level, low, high, dt, ts)
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
