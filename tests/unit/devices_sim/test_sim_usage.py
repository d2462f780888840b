import itertools
from datetime import date

import pytest

from devices_sim.chance import draws, number, smooth, unit
from devices_sim.usage import Usage, holidays, local_day, midnight, next_open

HOUR, DAY = 3_600_000, 86_400_000
MONDAY = midnight("Europe/Berlin", date(2026, 11, 23).toordinal())
OFFICE_WEEK = (1.0, 1.0, 1.0, 1.0, 0.9, 0.05, 0.05)


def office(device="copier-1", **kw):
    return Usage(1, device, 200.0, "Europe/Berlin", OFFICE_WEEK, frozenset(holidays(2026)), **kw)


def test_the_same_purpose_gives_the_same_chance_and_another_gives_another():
    assert number(1, "day", "a", 7) == number(1, "day", "a", 7)
    assert len({number(s, "day", d, k) for s in (1, 2) for d in "ab" for k in (1, 2)}) == 8
    assert draws(1, "x").random() == draws(1, "x").random()
    assert 0 <= unit(1, "x") < 1


def test_smooth_noise_has_no_jumps():
    values = [smooth(3, "drift", step / 100) for step in range(500)]
    assert max(abs(a - b) for a, b in itertools.pairwise(values)) < 0.03
    assert max(values) - min(values) > 0.3


def test_use_adds_up_however_the_time_is_cut():
    use = office()
    whole = use.amount(MONDAY, MONDAY + 3 * DAY)
    cuts = [MONDAY + int(i * 3 * DAY / 37) for i in range(38)]
    assert whole == pytest.approx(sum(office().amount(a, b) for a, b in itertools.pairwise(cuts)))
    assert whole == pytest.approx(office().amount(MONDAY, MONDAY + 3 * DAY))
    assert use.amount(MONDAY, MONDAY) == 0


def test_weekends_and_holidays_are_quiet():
    days = range(date(2026, 9, 7).toordinal(), date(2026, 12, 20).toordinal())
    use = [office(f"copier-{i}") for i in range(20)]
    mean = {True: [], False: []}
    for day in days:
        mean[date.fromordinal(day).weekday() >= 5] += [u.total(day) for u in use]
    weekend, working = (sum(mean[kind]) / len(mean[kind]) for kind in (True, False))
    assert weekend < 0.1 * working
    christmas = date(2026, 12, 25).toordinal()
    assert office().level_of_day(christmas) < 0.2 * office().level_of_day(christmas + 3)


def test_use_is_overdispersed():
    day = date(2026, 11, 24).toordinal()
    totals = [office(f"copier-{i}").total(day + 7 * w) for i in range(60) for w in range(4)]
    mean = sum(totals) / len(totals)
    variance = sum((x - mean) ** 2 for x in totals) / len(totals)
    assert variance > 5 * mean
    assert 100 < mean < 400


def test_local_days_follow_the_zone():
    assert local_day("Europe/Berlin", MONDAY) == date(2026, 11, 23).toordinal()
    assert local_day("Europe/Berlin", MONDAY - HOUR) == date(2026, 11, 22).toordinal()
    assert local_day("America/New_York", MONDAY) == date(2026, 11, 22).toordinal()


def test_goods_wait_for_an_open_day():
    week = (1, 1, 1, 1, 1, 0, 0)
    saturday = MONDAY + 5 * DAY + 9 * HOUR
    opens = next_open("Europe/Berlin", week, frozenset(), saturday, 10)
    assert opens == MONDAY + 7 * DAY + 10 * HOUR
    afternoon = MONDAY + 15 * HOUR
    assert next_open("Europe/Berlin", week, frozenset(), afternoon, 10) == afternoon
    closed = frozenset([date(2026, 11, 23)])
    assert next_open("Europe/Berlin", week, closed, MONDAY, 10) == MONDAY + 34 * HOUR


def mean_level(use, first, last):
    days = range(first.toordinal(), last.toordinal())
    return sum(u.level_of_day(day) for u in use for day in days) / len(days) / len(use)


def test_winter_is_busier_than_summer():
    steady = [office(f"copier-{i}", wobble=0.0) for i in range(60)]
    ratios = [
        mean_level(steady, date(year, 1, 12), date(year, 2, 16))
        / mean_level(steady, date(year, 7, 13), date(year, 8, 17))
        for year in (2025, 2026, 2027, 2028)
    ]
    assert 1.15 < sum(ratios) / len(ratios) < 1.6


def test_use_drifts_from_month_to_month():
    use = office("copier-7", season=0.0)
    months = [mean_level([use], date(2026, month, 1), date(2026, month, 28)) for month in range(2, 11)]
    assert max(months) > 1.3 * min(months)
    assert use.level_of_day(MONDAY // DAY) == office("copier-7", season=0.0).level_of_day(MONDAY // DAY)


def test_now_and_then_a_day_is_heavy():
    days = [date(2026, 3, 2).toordinal() + 7 * week for week in range(30)]
    use = [office(f"copier-{i}", dispersion=0.01) for i in range(60)]
    heavy = [u.total(day) / u.level_of_day(day) > 2 for u in use for day in days if not u.idle(day)]
    assert 0.005 < sum(heavy) / len(heavy) < 0.03


def test_now_and_then_a_machine_stands_idle_for_days():
    use = [office(f"copier-{i}") for i in range(40)]
    days = range(date(2026, 1, 1).toordinal(), date(2026, 12, 31).toordinal())
    idle = [sum(u.idle(day) for day in days) for u in use]
    assert min(idle) == 0
    assert 4 <= max(idle) <= 4 * 20
    busy = office("copier-1", dispersion=0.01)
    first = next(day for day in days if any(u.idle(day) for u in use))
    closed = next(u for u in use if u.idle(first))
    assert closed.level_of_day(first) < 0.1 * busy.level_of_day(first)
