"""The demand forecast: known empties for the metered share, the histogram for the rest, totals by summing draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.demand.bins import Floats, draw
from models.demand.histogram import DiscountedHistogram, Forecaster
from models.demand.known import Empties, draw_known
from models.demand.select import choose

DRAWS = 400
CHUNK = 2_000  # series at a time: bounds the memory at about 100 MB for 13 weeks
SHOCK = 0.3
"""Correlation of the series of one site within a week: without it upper quantiles of sums are too narrow."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Draws of units per week, (groups, horizon, draws). Quantiles do not add; draws do."""

    draws: Floats

    def quantiles(self, probabilities: Sequence[float]) -> Floats:
        """(groups, horizon, p)"""
        result: Floats = np.moveaxis(np.quantile(self.draws, probabilities, axis=2, method="inverted_cdf"), 0, 2)
        return result

    def total_quantiles(self, probabilities: Sequence[float]) -> Floats:
        """Of the whole horizon, (groups, p)."""
        result: Floats = np.quantile(self.draws.sum(axis=1), probabilities, axis=1, method="inverted_cdf").T
        return result

    def mean(self) -> Floats:
        result: Floats = self.draws.mean(axis=2)
        return result


def weekly(times: npt.NDArray[np.int64], units: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    """Units per week of one series: events at `times` (ms) into the weeks that begin at `starts` (n + 1 of them)."""
    week = np.searchsorted(starts, times, side="right") - 1
    inside = (week >= 0) & (week < len(starts) - 1)
    return np.bincount(week[inside], weights=units[inside], minlength=len(starts) - 1).astype(np.float64)


def correlated_uniforms(site: npt.NDArray[np.int64], draws: int, seed: int, week: int, first: int = 0) -> Floats:
    """Uniforms (series, draws) whose series of one site move together. Stratified: each row is a permutation.

    A site's shock depends only on (seed, week, site), a series' own only on (seed, week, first + row), so chunks
    do not change the result.
    """
    own = np.stack([np.random.default_rng([seed, week, 0, first + i]).standard_normal(draws) for i in range(len(site))])
    names, index = np.unique(site, return_inverse=True)
    shared = np.stack([np.random.default_rng([seed, week, 1, int(s)]).standard_normal(draws) for s in names])
    mixed = np.sqrt(SHOCK) * shared[index] + np.sqrt(1.0 - SHOCK) * own
    rank = mixed.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    result: Floats = (rank + 0.5) / draws
    return result


def forecast(
    history: Floats,
    site: npt.NDArray[np.int64],
    group: npt.NDArray[np.int64],
    horizon: int,
    *,
    now: int = 0,
    empties: Empties | None = None,
    metered_share: Floats | None = None,
    forecaster: Forecaster | None = None,
    seed: int = 1,
    draws: int = DRAWS,
) -> Demand:
    """Demand of each group (0..max) of series over `horizon` weeks.

    history: (series, weeks) units, oldest first, NaN where unknown. site, group: (series,). metered_share: (series,)
    0..1, the part of past demand that came from slots in `empties`; the histogram forecasts the rest.
    """
    model = forecaster or DiscountedHistogram.fit(history, choose(history))
    pmf = model.pmf()
    share = np.zeros(len(history)) if metered_share is None else np.clip(metered_share, 0.0, 1.0)
    result = np.zeros((int(group.max(initial=-1)) + 1, horizon, draws))
    for first in range(0, len(history), CHUNK):
        rows = slice(first, first + CHUNK)
        for week in range(horizon):
            counts = draw(pmf[rows], correlated_uniforms(site[rows], draws, seed, week, first))
            np.add.at(result[:, week], group[rows], _thin(counts, 1.0 - share[rows], [seed, week, 2, first]))
    if empties is not None:
        known = draw_known(
            Empties(group[empties.series], empties.quantiles, empties.probabilities, empties.cycle_ms, empties.units),
            len(result),
            now,
            horizon,
            draws,
            seed,
        )
        result += known
    return Demand(result)


def _thin(counts: Floats, keep: Floats, seed: list[int]) -> Floats:
    """Each unit stays with probability `keep` (series,): the part of the demand that no meter sees."""
    if (keep >= 1.0).all():
        return counts
    whole = np.rint(counts).astype(np.int64)
    return np.random.default_rng(seed).binomial(whole, np.broadcast_to(keep[:, None], whole.shape)).astype(np.float64)
