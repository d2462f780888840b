"""The forecast: exact arithmetic against the library's, and better than a straight line on a simulated fleet."""

from math import erfc, exp, log

import numpy as np
import pytest

from models.depletion import NORMAL_Z, PROBABILITIES
from models.depletion.exact import empty_before, forecast, halved, quantile
from models.depletion.normal import normal_cdf

DAYS, SLOTS, WARM_UP = 60, 60, 8


def test_the_table_is_the_normal_distribution():
    worst = max(abs(normal_cdf(k / 97) - 0.5 * erfc(-k / 97 / 2**0.5)) for k in range(-775, 776))
    assert worst < 5e-7


def test_decay_is_nearly_a_power_of_one_half():
    assert all(halved(dt, 60.0) == pytest.approx(exp(-dt / 60 * log(2)), rel=1e-3) for dt in (0.0, 0.1, 1, 30, 120))


def test_quantiles_and_probabilities_agree():
    for p, z in zip(PROBABILITIES, NORMAL_Z, strict=True):
        assert empty_before(quantile(z, 12.0, 0.4), 12.0, 0.4) == pytest.approx(p, abs=1e-5)


def test_a_forecast_at_a_steady_rate():
    t, s = forecast(60.0, 0.0, 2.0, 1.0, 0.01, 0.5, 120.0, 60.0, 2.0, 0.05, 0.06)
    assert t == pytest.approx(30, rel=0.02)
    assert 0.1 < s < 0.5


def test_spares_postpone_the_end():
    alone, _ = forecast(10.0, 0.0, 2.0, 1.0, 0.01, 0.5, 120.0, 60.0, 2.0, 0.05, 0.06)
    with_spare, _ = forecast(10.0, 100.0, 2.0, 1.0, 0.01, 0.5, 120.0, 60.0, 2.0, 0.05, 0.06)
    assert with_spare - alone == pytest.approx(50, rel=0.05)


def pinball(truth: float, quantiles: list[float]) -> float:
    errors = [truth - q for q in quantiles]
    return sum(max(p * e, (p - 1) * e) for p, e in zip(PROBABILITIES, errors, strict=True)) / len(errors)


def test_the_filter_beats_a_straight_line(bare):
    """Gamma use with a wandering rate, read daily in 5 % steps; the line starts at full and has no doubts."""
    chance = np.random.default_rng(3)
    score = {"filter": 0.0, "line": 0.0}
    for device in range(1, SLOTS + 1):
        bare.add(device)
        bare.slot(device, device, quantum=5.0)
    rate = 1.5 * np.exp(chance.normal(0, 0.6, SLOTS))
    drift = np.exp(np.cumsum(chance.normal(0, 0.06, (DAYS * 4, SLOTS)), axis=0))
    left = 100 - np.cumsum(chance.gamma(np.maximum(rate * drift, 0.02) / 0.5, 0.5), axis=0)
    for k in range(SLOTS):
        end = int(np.argmax(left[:, k] <= 0))
        for day in range(min(DAYS, end)):
            level = float(np.ceil(left[day, k] / 5) * 5)
            bare.fold(bare.frame(24.0 * day, {k + 1: min(level, 100.0)}, device=k + 1, seq=day))
            if day < WARM_UP or day % 4:
                continue
            row = bare.row(k + 1)
            state = [float(row[name]) for name in ("level", "rate", "p11", "p22", "phi", "used", "span")]
            t, s = forecast(state[0], 0.0, *state[1:], 1.5, 0.05, 0.06)
            line = level / max((100 - level) / (day + 1), 0.1)
            score["filter"] += pinball(end - day, [quantile(z, t, s) for z in NORMAL_Z])
            score["line"] += pinball(end - day, [line] * len(NORMAL_Z))
    assert score["filter"] < 0.7 * score["line"]
