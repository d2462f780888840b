"""A week's weights: what a calendar is made of beside its zone and its dates."""

from collections.abc import Sequence
from typing import NamedTuple

HOLIDAY = 0.1
"""Use on a holiday as a share of the weekday's, until the site's own is learned."""
WEEKDAYS = (1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1)
"""Use on Monday .. Sunday where nobody said otherwise; 1 is a business day."""
TOTAL = sum(WEEKDAYS)
STEPS = 104
"""A learned weight is a whole number of 104ths of its week: 0.05 of a business day in the default's."""
HOLIDAY_STEP = 0.1
NEAR = 0.2
"""Two weeks whose weights differ by no more are the same clock: forecasts are as good with either (bench/week.py)."""
NEAR_HOLIDAY = 0.5


class Week(NamedTuple):
    weekdays: tuple[float, ...] = WEEKDAYS  # Monday first
    holiday: float = HOLIDAY

    @property
    def total(self) -> float:
        return sum(self.weekdays)

    def scaled(self, total: float) -> "Week":
        """The same shape with another sum of the weekdays."""
        return Week(tuple(weight * total / self.total for weight in self.weekdays), self.holiday)


def distance(one: Week, other: Week) -> float:
    """How far apart, 1 where it begins to matter; weekdays are compared as shares of their weeks."""
    pairs = zip(one.scaled(TOTAL).weekdays, other.scaled(TOTAL).weekdays, strict=True)
    return max(max(abs(a - b) for a, b in pairs) / NEAR, abs(one.holiday - other.holiday) / NEAR_HOLIDAY)


def rounded(week: Week) -> Week:
    """To whole steps that add up to the same total (largest remainders): similar sites share one calendar."""
    step = week.total / STEPS
    exact = [weight / step for weight in week.weekdays]
    whole = [int(steps) for steps in exact]
    most = sorted(range(7), key=lambda k: (whole[k] - exact[k], k))
    for k in most[: STEPS - sum(whole)]:
        whole[k] += 1
    return Week(tuple(round(steps * step, 6) for steps in whole), round(week.holiday / HOLIDAY_STEP) * HOLIDAY_STEP)


def nearest(week: Week, others: Sequence[Week]) -> int:
    """Which of `others` is least far away, the first of several; -1 if there are none."""
    return min(range(len(others)), key=lambda k: (distance(week, others[k]), k), default=-1)
