"""Slots that are used by a known week, and what coarse sensors tell of them at midnights."""

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from models.units import DAY
from models.week.evidence import Days
from models.week.shape import Week
from models.week.spans import Level, Rise, Spans, of_levels

MONDAY = 20_458 * DAY  # 2026-01-05
Floats = npt.NDArray[np.float64]


def days_of(weeks: int, holidays: Collection[int] = ()) -> Days:
    """Whole weeks from a Monday on; `holidays` are indices of days."""
    number = np.arange(weeks * 7)
    starts = MONDAY + DAY * np.arange(len(number) + 1, dtype=np.int64)
    return Days(starts, number % 7, np.isin(number, list(holidays)).astype(np.float64))


def use_of(days: Days, week: Week, rate: float, chance: np.random.Generator, spread: float = 0.4) -> Floats:
    """Per cent on each day: `rate` on a business day, spread with this coefficient of variation."""
    weight = np.array(week.weekdays)[days.weekday] * np.where(days.holiday > 0.0, week.holiday, 1.0)
    return np.asarray(rate * weight * chance.gamma(spread**-2, spread**2, len(weight)), np.float64)


def told(days: Days, use: Floats, step: float, begin: float = 95.0, heard: Floats | None = None) -> Spans:
    """What a sensor that rounds up to `step` shows of this use; an empty slot is refilled. `heard`: 0 where silent."""
    left, levels, rises = begin, [], []
    for k, at in enumerate(days.starts.tolist()):
        if k:
            left -= use[k - 1]
            while left <= 2.0:
                left += 96.0
                rises.append(Rise(at - 1, 96.0))
        if heard is None or heard[k]:
            levels.append(Level(at, float(np.ceil(left / step) * step)))
    return of_levels(levels, rises, step)
