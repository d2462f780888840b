"""The pace of a device's counter: how many usual days of counting one business day holds.

Counts are divided by what is usual for the model on a business day, so that 1 is the usual pace and the statistics of
a class keep their unit. All sums are weighted by business time, not by the number of readings: one that comes after a
week says as much as seven.
"""

from typing import Any

from models.depletion.exact import halved
from models.jit import f64, inner, jit

HALF = 15.0  # half-life of what is remembered, business days
PRIOR_DAYS = 3.0  # weight of the usual pace at the beginning, business days; it fades like what is seen later
PRIOR_SCATTER = 0.5  # squared coefficient of variation of one business day's counts, before any was seen
LEAST_PACE = 0.02  # a device that counts nothing for months will be used again
BLOCK = 1.0  # scatter is taken over at least so many business days: within a day, hours go up and down together
DRIFT = 0.01  # variance of the logarithm of the pace that each further day of the horizon adds
FARTHEST = 30.0  # days, after which it adds none: a pace comes back
MOST_CV2 = 1.0


@jit
def mean_pace(used: float, days: float) -> float:
    """Usual days of counting per business day, from `used` of the one in `days` of the other."""
    return max(used / days, LEAST_PACE)


@inner
def pace_of(device: Any, c: int) -> float:
    """The pace of counter `c`."""
    return mean_pace(f64(device.pace_used[c]), f64(device.pace_days[c]))


@inner
def learn_pace(device: Any, c: int, used: float, dt: float) -> None:
    """Counter `c` has run `used` usual days in `dt` business days."""
    keep = halved(dt, HALF)
    block_used, block_days = f64(device.block_used[c]) + used, f64(device.block_days[c]) + dt
    device.scatter[c] = f64(device.scatter[c]) * keep
    if block_days >= BLOCK:
        error = block_used - pace_of(device, c) * block_days
        device.scatter[c] = f64(device.scatter[c]) + error * error
        block_used, block_days = 0.0, 0.0
    device.block_used[c], device.block_days[c] = block_used, block_days
    device.pace_used[c] = f64(device.pace_used[c]) * keep + used
    device.pace_days[c] = f64(device.pace_days[c]) * keep + dt


@inner
def pace_cv2(device: Any, c: int, days: float) -> float:
    """Squared coefficient of variation of the pace over the next `days` business days.

    The scatter of single days averages out; what the mean is not known by, and how it drifts, does not.
    """
    pace = pace_of(device, c)
    known = f64(device.pace_days[c])
    daily = f64(device.scatter[c]) / (pace * pace * known)
    return min(daily * (1.0 / max(days, 1.0) + 1.0 / known) + DRIFT * min(days, FARTHEST), MOST_CV2)
