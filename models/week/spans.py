"""What a slot used between two moments at which its level was known, and how much of which day lies between them.

A day on which nothing was heard belongs to a longer span: silence is not zero use.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.units import DAY

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EMPTY_BELOW = 0.5  # per cent: an empty slot shows no use, however much the machine is wanted
LONGEST = 14 * DAY  # a device that was away for longer says nothing about days
SAME = 0.05  # per cent: levels are stored as float32


class Level(NamedTuple):
    at: int  # ms
    percent: float


class Rise(NamedTuple):
    """A refill."""

    at: int  # ms
    percent: float  # level afterwards less level before


class Spans(NamedTuple):
    """Of one slot, in order of time."""

    begin: Ints  # ms
    end: Ints
    use: Floats  # per cent of a full supply; may be below 0 by the sensor's error
    step: float  # of the sensor, per cent; 0: it counts exactly

    def places(self, starts: Ints) -> Floats:
        """Begin and end of each span in local days since the first of the midnights `starts`: 2 x spans."""
        at = np.stack((self.begin, self.end))
        day = np.clip(np.searchsorted(starts, at, "right") - 1, 0, len(starts) - 2)
        place = day + (at - starts[day]) / (starts[day + 1] - starts[day])
        return np.asarray(np.clip(place, 0.0, len(starts) - 1.0), np.float64)


def within(places: Floats, daily: Floats) -> Floats:
    """Sum over each span of what its days have (days x columns), of begun days their share: spans x columns."""
    sums = np.concatenate((np.zeros((1, daily.shape[1])), np.cumsum(daily, 0)))
    day = np.minimum(places.astype(np.int64), len(daily) - 1)
    reached = sums[day] + (places - day)[..., None] * daily[day]
    return np.asarray(reached[1] - reached[0], np.float64)


def of_levels(levels: Sequence[Level], rises: Sequence[Rise], step: float) -> Spans:
    """Between consecutive levels; refills between them are taken out. Spans in which the slot was empty, rose without a
    refill or was not heard for long are left out."""
    at = np.array([level.at for level in levels], np.int64)
    percent = np.array([level.percent for level in levels], np.float64)
    filled = np.zeros(max(len(levels) - 1, 0))
    for rise in rises:
        k = int(np.searchsorted(at, rise.at, "left")) - 1
        if 0 <= k < len(filled):
            filled[k] += rise.percent
    use = percent[:-1] - percent[1:] + filled
    moved = np.abs(use)[np.abs(use) > SAME]
    step = max(step, float(moved.min())) if len(moved) else step
    known = (percent[:-1] > EMPTY_BELOW) & (percent[1:] > EMPTY_BELOW) & (use > -max(2.0 * step, 5.0))
    known &= (at[1:] > at[:-1]) & (at[1:] - at[:-1] <= LONGEST)
    return Spans(at[:-1][known], at[1:][known], use[known], step)


def of_days(totals: Sequence[tuple[int, int, float]]) -> Spans:
    """Of a counted slot: (begin, end, use) of each local day with use, in order. A day without is part of the next."""
    begin = np.array([row[0] for row in totals], np.int64)
    end = np.array([row[1] for row in totals], np.int64)
    use = np.array([row[2] for row in totals], np.float64)
    begin[1:] = end[:-1]
    known = end - begin <= LONGEST
    return Spans(begin[known], end[known], use[known], 0.0)
