"""The pace of a device's counter: how many usual days of counting one business day holds.

Counts are divided by what is usual for the model on a business day, so that 1 is the usual pace and the statistics of
a class keep their unit. All sums are weighted by business time, not by the number of readings: one that comes after a
week says as much as seven. As with the rate of a slot, the recent pace returns to the lasting one
(models.depletion.exact).
"""

from math import sqrt
from typing import Any

from models.depletion.exact import LONGEST, halved
from models.jit import f64, inner, jit

RECENT, LASTING = 5.0, 60.0  # half-lives of the two means, business days
PRIOR_DAYS = 3.0  # weight of the usual pace at the beginning, business days; it fades like what is seen later
PRIOR_SCATTER = 0.5  # squared coefficient of variation of one business day's counts, before any was seen
SWING = 0.3  # the same of the recent pace around the lasting one: what the recent mean shows beyond is chance
LEAST_PACE = 0.02  # a device that counts nothing for months will be used again
BLOCK = 1.0  # scatter is taken over at least so many business days: within a day, hours go up and down together
DRIFT = 0.0005  # squared coefficient of variation that each further day of the horizon adds
FARTHEST = 30.0  # days, after which it adds none: a pace comes back
MOST_CV2 = 1.0


@jit
def mean_pace(used: float, days: float) -> float:
    """Usual days of counting per business day."""
    return max(used / days, LEAST_PACE)


@jit
def daily_cv2(lasting: float, scatter: float, days: float) -> float:
    """Squared coefficient of variation of one business day's counts."""
    return min(scatter / (lasting * lasting * days), 4.0)


@jit
def present_pace(
    recent_used: float, recent_days: float, lasting_used: float, lasting_days: float, scatter: float
) -> tuple[float, float, float, float]:
    """(pace now, its squared coefficient of variation, lasting pace, that of one day)."""
    lasting = mean_pace(lasting_used, lasting_days)
    daily = daily_cv2(lasting, scatter, lasting_days)
    chance = daily / recent_days
    weight = SWING / (SWING + chance)
    return lasting + weight * (mean_pace(recent_used, recent_days) - lasting), weight * chance, lasting, daily


@inner
def known_pace(device: Any, c: int) -> tuple[float, float, float, float]:
    """present_pace of counter `c`."""
    return present_pace(
        f64(device.recent_used[c]),
        f64(device.recent_days[c]),
        f64(device.lasting_used[c]),
        f64(device.lasting_days[c]),
        f64(device.scatter[c]),
    )


@inner
def pace_of(device: Any, c: int) -> float:
    """Usual days of counting that counter `c` runs per business day now."""
    pace, _, _, _ = known_pace(device, c)
    return pace


@inner
def learn_pace(device: Any, c: int, used: float, dt: float) -> None:
    """Counter `c` has run `used` usual days in `dt` business days."""
    recent, lasting = halved(dt, RECENT), halved(dt, LASTING)
    block_used, block_days = f64(device.block_used[c]) + used, f64(device.block_days[c]) + dt
    device.scatter[c] = f64(device.scatter[c]) * lasting
    if block_days >= BLOCK:
        error = block_used - pace_of(device, c) * block_days
        device.scatter[c] = f64(device.scatter[c]) + error * error
        block_used, block_days = 0.0, 0.0
    device.block_used[c], device.block_days[c] = block_used, block_days
    device.recent_used[c] = f64(device.recent_used[c]) * recent + used
    device.recent_days[c] = f64(device.recent_days[c]) * recent + dt
    device.lasting_used[c] = f64(device.lasting_used[c]) * lasting + used
    device.lasting_days[c] = f64(device.lasting_days[c]) * lasting + dt


@inner
def run_time(device: Any, c: int, used: float, kappa: float) -> tuple[float, float]:
    """(business days until counter `c` has run `used` usual days, squared coefficient of variation of the pace).

    The scatter of single days averages out over them; what the two means are not known by does not, nor the drift.
    """
    pace, recent_cv2, lasting, daily = known_pace(device, c)
    b = pace - kappa * used
    a = 2.0 * kappa * lasting
    t = min((sqrt(b * b + 2.0 * a * used) - b) / a, LONGEST)
    h = 1.0 / (1.0 + kappa * t)
    g = 1.0 - h
    cv2 = (
        h * h * recent_cv2
        + g * g * daily / f64(device.lasting_days[c])
        + daily / max(t, 1.0)
        + DRIFT * min(t, FARTHEST)
    )
    return t, min(cv2, MOST_CV2)
