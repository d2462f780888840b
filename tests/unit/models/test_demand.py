"""Demand: a discounted histogram beats naive forecasts on intermittent series, and known empties come by date."""

import numpy as np
import pytest

from models.demand import bins
from models.demand.forecast import Demand, correlated_uniforms, forecast, weekly
from models.demand.histogram import DiscountedHistogram, Forecaster, Setting
from models.demand.known import WEEK, Empties
from models.demand.score import PROBABILITIES, pinball
from models.demand.select import choose


def intermittent(series=60, weeks=60, seed=3):
    rng = np.random.default_rng(seed)
    rate = rng.choice([0.1, 0.4, 3.0], series)
    return rng.poisson(rate[:, None], (series, weeks)).astype(float)


def test_bins_are_integers_first_and_geometric_later():
    assert list(bins.EDGES[:10]) == list(range(10))
    assert bins.EDGES[-1] >= bins.LARGEST
    assert list(bins.bin_of(np.array([0.0, 3.0, 1e9]))) == [0, 3, bins.BINS - 1]


def test_an_observation_discounts_the_past_and_adds_one():
    model = DiscountedHistogram(1, Setting(discount=0.5))
    model.observe(np.array([2.0]))
    model.observe(np.array([np.nan]))
    model.observe(np.array([0.0]))
    assert model.counts[0, 2] == 0.25
    assert model.counts[0, 0] == 1.0


def test_a_new_series_takes_the_distribution_of_its_group():
    history = np.full((5, 30), 4.0)
    history[4] = np.nan
    model: Forecaster = DiscountedHistogram.fit(history, Setting(groups=1))
    assert model.quantiles(2, [0.5])[4, 1, 0] == 4.0


def test_it_beats_all_zero_and_naive_mean_in_pinball():
    data = intermittent()
    past, future = data[:, :-8], data[:, -8:]
    ours = DiscountedHistogram.fit(past, choose(past)).quantiles(8, PROBABILITIES)
    zero = np.zeros_like(ours)
    mean = np.broadcast_to(past.mean(axis=1)[:, None, None], ours.shape)
    last = np.broadcast_to(past[:, -1][:, None, None], ours.shape)
    score = pinball(future, ours)
    assert score < 0.8 * min(pinball(future, zero), pinball(future, mean), pinball(future, last))


def test_choose_prefers_a_short_memory_when_the_level_has_shifted():
    rng = np.random.default_rng(1)
    shifted = np.hstack([rng.poisson(1, (40, 40)), rng.poisson(9, (40, 8))]).astype(float)
    assert choose(shifted).discount < choose(intermittent()).discount


def test_too_little_history_gives_the_default_setting():
    assert choose(np.ones((3, 5))) == Setting()


def empties(quantile_weeks, series=0, cycle_weeks=100.0):
    quantiles = np.array([[int(w * WEEK) for w in quantile_weeks]])
    probabilities = np.linspace(0.1, 0.9, len(quantile_weeks))
    cycle = np.array([int(cycle_weeks * WEEK)])
    return Empties(np.array([series]), quantiles, probabilities, cycle, np.ones(1))


def forecast_of(history, **more):
    index = np.arange(len(history))
    return forecast(history, index, index, 4, **more)


def test_a_known_empty_falls_into_its_week():
    demand = forecast_of(np.zeros((1, 20)), empties=empties([2.2, 2.5, 2.8]), metered_share=np.ones(1))
    assert demand.mean()[0] == pytest.approx([0, 0, 1, 0], abs=0.05)


def test_an_overdue_empty_counts_in_the_first_week_and_cycles_repeat():
    known = empties([-0.5, -0.4, -0.3], cycle_weeks=2.0)
    demand = forecast(np.zeros((1, 9)), np.zeros(1, int), np.zeros(1, int), 4, empties=known, metered_share=np.ones(1))
    assert demand.mean()[0, 0] >= 1.0
    assert demand.mean()[0].sum() > 1.0


def test_the_metered_share_thins_the_histogram():
    history = np.full((1, 30), 6.0)
    assert forecast_of(history, metered_share=np.array([0.5])).mean()[0, 0] == pytest.approx(3.0, abs=0.3)
    assert forecast_of(history, metered_share=np.array([1.0])).mean()[0].max() == pytest.approx(0.0, abs=0.5)


def test_sums_come_from_draws_and_a_shared_site_widens_them():
    history = np.random.default_rng(2).poisson(3, (20, 60)).astype(float)
    group, apart, together = np.zeros(20, int), np.arange(20), np.zeros(20, int)

    def upper(site):
        return forecast(history, site, group, 2).quantiles([0.5, 0.975])[0, 0]

    assert upper(apart)[0] == pytest.approx(60, rel=0.08)
    assert upper(together)[1] > upper(apart)[1] + 3


def test_the_same_seed_gives_the_same_draws_and_uniforms_are_stratified():
    history = intermittent(6)
    assert (forecast_of(history, seed=7).draws == forecast_of(history, seed=7).draws).all()
    uniforms = correlated_uniforms(np.array([1, 1, 2]), 100, 5, 0)
    assert np.allclose(np.sort(uniforms, axis=1), (np.arange(100) + 0.5) / 100)
    assert np.corrcoef(uniforms)[0, 1] > 0.1 > abs(np.corrcoef(uniforms)[0, 2]) - 0.15


def test_events_become_weeks():
    starts = np.arange(4) * WEEK
    counts = weekly(np.array([0, WEEK - 1, WEEK, 3 * WEEK, -1]), np.array([1.0, 2.0, 4.0, 8.0, 16.0]), starts)
    assert list(counts) == [3.0, 4.0, 0.0]


def test_total_quantiles_are_of_the_whole_horizon():
    demand = Demand(np.ones((2, 3, 10)))
    assert demand.total_quantiles([0.1, 0.9]).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    assert demand.quantiles([0.1, 0.9]).shape == (2, 3, 2)
