"""A site's week from its slots' use: what coarse sensors, silence and little history may and may not say."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.units import DAY
from models.week.estimate import class_week, site_week
from models.week.evidence import NOTHING, SIZE, Days, Evidence, gather, whitened
from models.week.shape import NEAR, TOTAL, Week, distance, nearest, rounded
from models.week.spans import LONGEST, Level, Rise, Spans, of_days, of_levels, within
from tests.support.weeks import MONDAY, days_of, told, use_of

FLAT = Week((TOTAL / 7,) * 7, 1.0)
SHOP = Week((0.6, 0.6, 0.7, 0.8, 1.1, 1.4, 0.0))
USUAL = Week()
SHUT = Week((1.04,) * 5 + (0.0, 0.0))


def learned(spans: Sequence[Spans], days: Days, prior: Week = USUAL) -> Week:
    """Of a site that is the only one of its class."""
    (found,) = gather([spans], days, prior)
    return site_week([(found, class_week([found]))], prior)


def simulated(
    week: Week, days: Days, *, steps: Sequence[float], rate: float = 3.0, seed: int = 1, spread: float = 0.4
) -> list[Spans]:
    chance = np.random.default_rng(seed)
    return [
        told(days, use_of(days, week, rate, chance, spread), step, begin=float(chance.uniform(40, 96)))
        for step in steps
    ]


def furthest(one: Week, other: Week) -> float:
    return max(abs(a - b) for a, b in zip(one.weekdays, other.weekdays, strict=True))


def test_fine_sensors_show_the_week_within_a_twelfth_of_a_business_day() -> None:
    days = days_of(26)
    assert furthest(learned(simulated(SHOP, days, steps=[1.0] * 6), days), SHOP) < 0.08


@pytest.mark.parametrize("step", [5.0, 10.0])
def test_coarse_sensors_show_it_within_a_fifth(step: float) -> None:
    """A sensor of 10 % and 3 % a day moves every third day: only many weeks and slots together tell the days apart."""
    days = days_of(26)
    assert furthest(learned(simulated(SHOP, days, steps=[step] * 8), days), SHOP) < 0.2
    assert furthest(Week(), SHOP) > 1.2


def test_the_coarser_the_sensor_the_less_it_says() -> None:
    days = days_of(12)
    said = [
        float(np.trace(gather([simulated(SHOP, days, steps=[step])], days, Week())[0].a))
        for step in (1.0, 5.0, 10.0, 25.0)
    ]
    assert said == sorted(said, reverse=True)
    assert said[-1] < said[0] / 3


def test_little_history_stays_near_the_prior_and_much_leaves_it() -> None:
    away = []
    for weeks in (1, 2, 8, 26):
        days = days_of(weeks)
        away.append(furthest(learned(simulated(SHOP, days, steps=[10.0, 10.0]), days), SHOP))
    assert away[0] > 0.8
    assert away[-1] < 0.35
    assert away == sorted(away, reverse=True)


def test_without_evidence_what_was_given_stays() -> None:
    prior = Week((2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0), 0.3)
    assert site_week([], prior) == prior
    assert site_week([(NOTHING, FLAT)], prior) == prior
    assert class_week([]).weekdays == pytest.approx(Week().weekdays)


def test_a_site_that_closes_on_weekends() -> None:
    days = days_of(26)
    week = learned(simulated(SHUT, days, steps=[1.0, 1.0, 5.0]), days)
    assert max(week.weekdays[5:]) < 0.04
    assert min(week.weekdays[:5]) > 0.9


def test_a_school_uses_little_in_its_holidays() -> None:
    """They are weeks, not days: the rate is that of the whole window, or nothing would show that they are quiet."""
    days = days_of(26, holidays=[*range(35, 49), *range(98, 140)])
    week = learned(simulated(Week(holiday=0.55), days, steps=[1.0, 5.0, 5.0]), days)
    assert week.holiday == pytest.approx(0.55, abs=0.12)
    assert furthest(week, Week()) < 0.15


def test_holidays_that_never_came_keep_their_factor() -> None:
    days = days_of(8)
    assert learned(simulated(SHOP, days, steps=[1.0]), days).holiday == pytest.approx(Week().holiday, abs=1e-6)


def test_an_alarm_that_is_always_on_has_a_flat_week() -> None:
    days = days_of(26, holidays=range(50, 60))
    week = learned(simulated(FLAT, days, steps=[0.1] * 4, rate=0.4, spread=0.05), days)
    assert furthest(week, FLAT) < 0.08
    assert week.holiday == pytest.approx(1.0, abs=0.1)


def test_silent_days_are_not_days_without_use() -> None:
    """Heard on weekdays only: how much was used from Friday to Monday is known, and that it was not all on Monday."""
    days = days_of(26)
    chance = np.random.default_rng(4)
    heard = np.append(np.isin(days.weekday, (1, 2, 3, 4, 5)), True)  # at the midnights after Monday .. Friday
    spans = [told(days, use_of(days, FLAT, 3.0, chance), 1.0, heard=heard.astype(float)) for _ in range(6)]
    week = learned(spans, days)
    over = (0, 5, 6)
    assert sum(week.weekdays[k] for k in over) == pytest.approx(sum(FLAT.weekdays[k] for k in over), abs=0.1)
    assert sum(week.weekdays[5:]) > 1.0


def test_one_enormous_day_does_not_make_a_week() -> None:
    days = days_of(12)
    plain = simulated(Week(), days, steps=[1.0])[0]
    use = plain.use.copy()
    use[6] += 60.0  # somebody prints a book on a Sunday
    odd = plain._replace(use=use)
    assert furthest(learned([odd], days), learned([plain], days)) < 0.2


def test_what_a_person_gave_is_the_prior_itself() -> None:
    prior = Week((1.0,) * 7, 1.0)
    days = days_of(2)
    shown = gather([simulated(Week(), days, steps=[25.0], rate=4.0)], days, prior)[0]
    assert furthest(site_week([(shown, SHOP)], prior), prior) < furthest(site_week([(shown, SHOP)], prior), SHOP)
    assert site_week([(shown, SHOP)], prior).total == pytest.approx(7.0)


def test_a_new_site_begins_where_others_of_its_class_are() -> None:
    days = days_of(26)
    others = [gather([simulated(SHOP, days, steps=[1.0] * 3, seed=seed)], days, Week())[0] for seed in range(8)]
    short = days_of(1)
    new = gather([simulated(SHOP, short, steps=[1.0], seed=99)], short, Week())[0]
    week = class_week([*others, new])
    assert furthest(week, SHOP) < 0.25
    alone = site_week([(new, class_week([new]))], Week())
    assert furthest(site_week([(new, week)], Week()), SHOP) < 0.5 * furthest(alone, SHOP)


@given(st.permutations(range(7)))
def test_weekdays_have_no_names_in_the_evidence(order: list[int]) -> None:
    """Whatever they are called: permuted days give the permuted evidence."""
    days = days_of(6, holidays=[8, 20])
    spans = simulated(SHOP, days, steps=[5.0, 1.0])
    place = np.array(order)
    (plain,) = gather([spans], days, SHOP)
    renamed = Week(tuple(SHOP.weekdays[order.index(k)] for k in range(7)), SHOP.holiday)
    (found,) = gather([spans], days._replace(weekday=place[days.weekday]), renamed)
    names = np.append(place, 7)
    assert found.a[np.ix_(names, names)] == pytest.approx(plain.a, rel=1e-6, abs=1e-6)
    assert found.b[names] == pytest.approx(plain.b, rel=1e-6, abs=1e-6)


@given(st.lists(st.floats(-50, 50), min_size=SIZE, max_size=SIZE), st.floats(0.1, 300), st.floats(1, 20))
def test_a_week_never_holds_more_or_less_business_time(b: list[float], strength: float, total: float) -> None:
    """Rates per business day keep their meaning, whatever was seen."""
    prior = FLAT.scaled(total)
    shown = Evidence(strength * np.eye(SIZE), np.array(b), 3, 50.0)
    week = site_week([(shown, Week())], prior)
    assert week.total == pytest.approx(total)
    assert min(week.weekdays) >= 0.0
    assert 0.0 <= week.holiday <= 1.5


weights = st.lists(st.floats(0, 3), min_size=7, max_size=7).filter(lambda days: sum(days) > 0.5)


@given(weights, st.floats(0, 1.5))
def test_rounding_keeps_the_sum_and_is_too_small_to_matter(days: list[float], holiday: float) -> None:
    week = Week(tuple(days), holiday)
    coarse = rounded(week)
    assert coarse.total == pytest.approx(week.total, rel=1e-4)
    assert distance(week, coarse) <= 1.0
    assert rounded(coarse).weekdays == pytest.approx(coarse.weekdays, abs=2e-6)


def test_the_nearest_week() -> None:
    assert nearest(FLAT, []) == -1
    assert nearest(FLAT, [Week(), FLAT, FLAT]) == 1
    assert distance(Week(), Week((1.0 + NEAR, *Week().weekdays[1:]))) == pytest.approx(0.8, abs=0.05)


def at(day: float) -> int:
    return MONDAY + int(day * DAY)


def test_refills_are_taken_out_of_the_use() -> None:
    levels = [Level(at(0), 30.0), Level(at(1), 20.0), Level(at(2), 85.0)]
    spans = of_levels(levels, [Rise(at(1.5), 80.0)], 5.0)
    assert spans.use.tolist() == [10.0, 15.0]


def test_what_cannot_be_use_is_left_out() -> None:
    levels = [Level(at(0), 30.0), Level(at(1), 80.0), Level(at(2), 70.0), Level(at(3), 0.0), Level(at(4), 0.0)]
    spans = of_levels(levels, [], 5.0)  # a rise that nobody saw, an empty slot
    assert spans.use.tolist() == [10.0]
    away = of_levels([Level(at(0), 30.0), Level(at(0) + LONGEST + 1, 20.0)], [], 5.0)
    assert len(away.use) == 0


def test_a_sensor_that_moves_by_more_than_registered_is_that_coarse() -> None:
    assert of_levels([Level(at(0), 75.0), Level(at(1), 75.0), Level(at(2), 50.0)], [], 1.0).step == 25.0
    assert of_levels([], [], 1.0).step == 1.0


def test_a_day_without_a_count_belongs_to_the_next() -> None:
    spans = of_days([(at(0), at(1), 4.0), (at(3), at(4), 9.0)])
    assert within(spans.places(days_of(1).starts), np.eye(7)).tolist() == [[1, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 0, 0, 0]]


def test_a_span_has_its_share_of_each_day() -> None:
    spans = of_levels([Level(at(0.25), 50.0), Level(at(2.5), 40.0)], [], 1.0)
    assert within(spans.places(days_of(1).starts), np.eye(7)).tolist() == [[0.75, 1, 0.5, 0, 0, 0, 0]]


@given(st.lists(st.tuples(st.floats(0.1, 9), st.floats(0, 50), st.booleans()), min_size=1, max_size=30))
def test_errors_are_whitened_as_by_the_dense_covariance(parts: list[tuple[float, float, bool]]) -> None:
    reading = 4.0
    own = np.array([variance + 2 * reading for variance, _, _ in parts])
    beside = np.array([-reading if joined else 0.0 for _, _, joined in parts])[1:]
    rows = np.array([[use, 1.0] for _, use, _ in parts])
    dense = np.diag(own) + np.diag(beside, 1) + np.diag(beside, -1)
    assert whitened(own, beside, rows) == pytest.approx(np.linalg.solve(np.linalg.cholesky(dense), rows), rel=1e-9)
