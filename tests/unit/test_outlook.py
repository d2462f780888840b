"""Between a view's quantiles the forecast is read off; beyond them it goes on as the model does."""

import pytest

from api.outlook import empty_before, quantile
from models.depletion import NORMAL_Z, PROBABILITIES
from models.depletion.exact import empty_before as exact_empty_before
from models.depletion.exact import quantile as exact_quantile
from models.units import DAY, NEVER

NOW = 1_795_000_000_000
TIMES = tuple(NOW + round(exact_quantile(z, 10.0, 0.3) * DAY) for z in NORMAL_Z)


@pytest.mark.parametrize(("p", "time"), [*zip(PROBABILITIES, TIMES, strict=True)])
def test_it_agrees_at_the_quantiles(p: float, time: int) -> None:
    assert empty_before(NOW, TIMES, time) == pytest.approx(p, abs=1e-5)
    assert quantile(NOW, TIMES, p) == pytest.approx(time, abs=60_000)


@pytest.mark.parametrize("days", [2.0, 4.0, 6.0, 8.0, 9.5, 11.0, 14.0, 20.0, 30.0])
def test_it_is_close_to_the_model(days: float) -> None:
    told = empty_before(NOW, TIMES, NOW + round(days * DAY))
    assert told == pytest.approx(exact_empty_before(days, 10.0, 0.3), abs=0.004)


def test_it_grows_with_time() -> None:
    told = [empty_before(NOW, TIMES, NOW + hour * DAY // 24) for hour in range(-5, 1_000)]
    assert told == sorted(told)
    assert told[0] == 0.0
    assert told[-1] > 0.999


def test_what_is_not_in_sight() -> None:
    assert empty_before(NOW, (), NOW + DAY) == 0.0
    assert empty_before(NOW, (NEVER,) * 9, NOW + DAY) == 0.0
    assert quantile(NOW, (NEVER,) * 9, 0.5) == NEVER


def test_what_is_empty_already() -> None:
    assert empty_before(NOW, (NOW,) * 9, NOW + DAY) == 1.0
