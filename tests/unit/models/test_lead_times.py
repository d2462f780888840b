"""Lead time (LIFECYCLE.md rule 7): cut-off, closed days, the next chance to order."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from models.calendar import compile_days, day_rows
from models.decide.lead import arrivals, mean16, taken_up
from models.jit import constant
from models.units import DAY, HOUR, MINUTE

MONDAY = 1_780_272_000_000
"""2026-06-01 00:00 UTC."""
GRID = np.arange(16) * HOUR + DAY


def days_of(zone="UTC", opened=(1,) * 7):
    return constant(day_rows(*compile_days(zone, date(2026, 5, 1), 90, (1,) * 7, (), opened)))


def arrivals_of(now, *, grid=GRID, cutoff=0, review=0, opened=(1,) * 7):
    days = days_of(opened=opened)
    out = np.zeros(16, np.int64)
    arrivals(days, 0, len(days) - 1, now, grid, cutoff, review, out)
    return out


def test_without_a_cutoff_the_grid_begins_now():
    assert (arrivals_of(MONDAY) == MONDAY + GRID).all()


@pytest.mark.parametrize(("hour", "begins"), [(14, 15), (15, 15), (16, 39)])
def test_what_misses_the_cutoff_waits_for_that_of_the_next_day(hour, begins):
    assert (arrivals_of(MONDAY + hour * HOUR, cutoff=15 * HOUR) == MONDAY + begins * HOUR + GRID).all()


def test_the_cutoff_is_local_time_across_a_change_of_the_clock():
    days = constant(day_rows(*compile_days("Europe/Berlin", date(2026, 3, 1), 90, (1,) * 7, (), (1,) * 7)))
    zone = ZoneInfo("Europe/Berlin")
    saturday, monday = datetime(2026, 3, 28, 16, tzinfo=zone), datetime(2026, 3, 30, 15, tzinfo=zone)
    sunday_cutoff = int(monday.timestamp() * 1000) - DAY
    assert taken_up(days, 0, 90, int(saturday.timestamp() * 1000), 14 * HOUR) == sunday_cutoff


def test_goods_for_a_closed_day_come_on_the_next_open_one():
    friday = MONDAY + 4 * DAY + 12 * HOUR
    got = arrivals_of(friday, opened=(1, 1, 1, 1, 1, 0, 0))
    assert set(got.tolist()) == {MONDAY + 7 * DAY}


def test_the_review_period_is_waited_for_first():
    assert (arrivals_of(MONDAY, review=30 * MINUTE) == MONDAY + 30 * MINUTE + GRID).all()


def test_the_mean_of_the_grid_is_summed_by_halves():
    values = np.random.default_rng(1).random(16)
    assert mean16(values) == pytest.approx(values.mean(), rel=1e-15)
