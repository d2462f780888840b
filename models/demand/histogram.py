"""Discounted-histogram empirical Bayes: a forecaster of counts that is at home on intermittent series.

    c_i <- w c_i + onehot(bin(y));   pmf_i = (c_i + a pi_g) / (sum c_i + a)

pi_g is the pooled histogram of the series with a similar rate. One observation costs O(1) per series. On public
intermittent series it beat TSB, SBA, IMAPA, ADIDA, ETS and ARIMA in scaled pinball (SCIENCE.md section 2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from models.demand.bins import BINS, VALUES, Floats, bin_of, quantiles


class Forecaster(Protocol):
    """Forecasts weekly counts of many series. A challenger (prices, promotions as features) has the same shape."""

    def observe(self, counts: Floats) -> None:
        """One more week, (series,); NaN where nothing is known of it (closed, not yet a customer)."""

    def pmf(self) -> Floats:
        """Distribution of a coming week's count, (series, models.demand.bins.BINS)."""

    def quantiles(self, horizon: int, probabilities: Sequence[float]) -> Floats:
        """(series, horizon weeks, len(probabilities)) in units."""


@dataclass(frozen=True, slots=True)
class Setting:
    discount: float = 0.95  # w: weight of the past per week
    groups: int = 10  # of series with a similar rate
    strength: float = 2.0  # a: how many observations the group's histogram is worth


class DiscountedHistogram:
    """State: (series, bins) discounted counts, nothing else."""

    def __init__(self, series: int, setting: Setting | None = None) -> None:
        self.setting = setting or Setting()
        self.counts: Floats = np.zeros((series, BINS))

    @classmethod
    def fit(cls, history: Floats, setting: Setting | None = None) -> "DiscountedHistogram":
        """`history` (series, weeks), oldest first, NaN allowed."""
        model = cls(len(history), setting)
        for week in range(history.shape[1]):
            model.observe(history[:, week])
        return model

    def observe(self, counts: Floats) -> None:
        self.counts *= self.setting.discount
        rows = np.flatnonzero(~np.isnan(counts))
        self.counts[rows, bin_of(counts[rows])] += 1.0

    def pmf(self) -> Floats:
        strength = self.setting.strength
        weighted = self.counts + strength * pooled(self.counts, self.setting.groups)
        result: Floats = weighted / (self.counts.sum(axis=1) + strength)[:, None]
        return result

    def quantiles(self, horizon: int, probabilities: Sequence[float]) -> Floats:
        one = quantiles(self.pmf(), probabilities)
        return np.repeat(one[:, None, :], horizon, axis=1)


def pooled(counts: Floats, groups: int) -> Floats:
    """The normalised histogram of each series' group; groups are equal parts of the series ranked by their mean."""
    mean = (counts @ VALUES) / np.maximum(counts.sum(axis=1), 1e-9)
    result = np.empty_like(counts)
    for members in np.array_split(np.argsort(mean, kind="stable"), min(groups, max(len(counts), 1))):
        total = counts[members].sum(axis=0)
        # without any observation a week without demand is the honest guess: intermittent series are mostly zeros
        total[0] += 1e-6
        result[members] = total / total.sum()
    return result
