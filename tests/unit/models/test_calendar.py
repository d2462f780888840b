"""Business time over weekdays, holidays and changes of the clock."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from models.calendar import compile_days, day_rows, first_day, local_day, next_open, tau_at, time_at
from models.jit import constant
from models.units import DAY, HOUR

WEEK = [1, 1, 1, 1, 1, 0.5, 0]
OPEN = [1, 1, 1, 1, 1, 0, 0]


def ms(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 1000


@pytest.fixture
def berlin():
    """Monday 2026-03-23 on for two weeks; the clock goes forward on the 29th, Easter Friday is the 3rd of April."""
    return compile_days("Europe/Berlin", date(2026, 3, 23), 14, WEEK, [date(2026, 4, 3)], OPEN)


def test_local_midnights_and_weights(berlin):
    starts, weights, opened = berlin
    assert (len(starts), len(weights), len(opened)) == (15, 14, 14)
    assert starts[0] == ms(2026, 3, 22, 23)
    assert np.diff(starts).tolist() == [DAY] * 6 + [23 * HOUR] + [DAY] * 7
    assert weights.tolist() == pytest.approx([1, 1, 1, 1, 1, 0.5, 0, 1, 1, 1, 1, 0.1, 0.5, 0])
    assert opened.tolist() == [1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0]


def test_a_midnight_that_does_not_exist():
    starts, *_ = compile_days("America/Santiago", date(2025, 9, 6), 2, WEEK, [], OPEN)
    assert np.diff(starts).tolist() == [DAY, 23 * HOUR]


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "America/New_York", "UTC", "Asia/Tokyo", "Pacific/Auckland"])
def test_number_of_the_first_day(zone):
    starts, *_ = compile_days(zone, date(2026, 1, 15), 1, WEEK, [], OPEN)
    assert first_day(starts) == (date(2026, 1, 15) - date(1970, 1, 1)).days


def test_business_time(berlin):
    days = constant(day_rows(*berlin))
    start = int(berlin[0][0])
    assert tau_at(days, 0, 14, start + 12 * HOUR) == pytest.approx(0.5)
    assert tau_at(days, 0, 14, start + 5 * DAY + 12 * HOUR) == pytest.approx(5.25)
    assert tau_at(days, 0, 14, start + 6 * DAY + 5 * HOUR) == pytest.approx(5.5)
    assert tau_at(days, 0, 0, 3 * DAY) == 3


def test_business_time_never_runs_back_and_inverts(berlin):
    days = constant(day_rows(*berlin))
    start = int(berlin[0][0])
    before = -1e9
    for hour in range(-48, 16 * 24):
        ts = start + hour * HOUR
        tau = tau_at(days, 0, 14, ts)
        assert tau >= before
        assert tau_at(days, 0, 14, time_at(days, 0, 14, tau)) == pytest.approx(tau, abs=1e-6)
        before = tau


def test_days_have_local_numbers(berlin):
    days = constant(day_rows(*berlin))
    number = first_day(berlin[0])
    assert local_day(days, 0, 14, number, ms(2026, 3, 28, 22, 59)) == number + 5
    assert local_day(days, 0, 14, number, ms(2026, 3, 28, 23, 0)) == number + 6
    assert local_day(days, 0, 14, number, ms(2026, 3, 29, 22, 0)) == number + 7


def test_next_open_day(berlin):
    days = constant(day_rows(*berlin))
    assert next_open(days, 0, 14, ms(2026, 3, 25, 9)) == ms(2026, 3, 25, 9)
    assert next_open(days, 0, 14, ms(2026, 3, 28, 9)) == ms(2026, 3, 29, 22)
    assert next_open(days, 0, 14, ms(2026, 4, 3, 9)) == ms(2026, 4, 5, 22)
