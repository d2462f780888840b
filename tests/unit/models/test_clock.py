"""A counter as the clock of a slot: what it follows at once, and what it does where the counter fails it."""

from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.facts import ClassFact, DeviceFact, RefillVerdictFact
from models.frame import Signal
from models.layout import NO_TOTAL
from models.step.cycles import said
from models.units import DAY, HOUR
from tests.support.slots import World, reading, slot_fact

CALENDAR, COUNTED = 1, 2  # slots of the same level, with either clock
USUAL = 200.0  # pages per day
QUARTER = 6 * HOUR


class Copier(World):
    """A device with a page counter; both slots lose `per_page` per cent with each page."""

    def __init__(self, usual: float = USUAL, per_page: float = 0.01, wrap: int = 0) -> None:
        super().__init__()
        self.wrap, self.per_page = wrap, per_page
        self.pages, self.level = 1_000, 100.0
        self.device(1, usual)
        self.do(
            ClassFact(version=2, slot_class=1, rate=USUAL * per_page, rate_cv2=0.25),
            slot_fact(COUNTED, clock=0),
        )

    def device(self, version: int, usual: float) -> None:
        wraps = (self.wrap,)
        self.do(
            DeviceFact(
                version=version + 1, device=1, account=1, site=1, counters=1, counter_wraps=wraps,
                counter_limits=(5_000.0,), counter_usuals=(usual,),
            )
        )  # fmt: skip

    def print(self, pages: float, *, level: bool = True, counter: bool = True, ms: int = QUARTER) -> None:
        """Time passes and pages are printed; then the device tells what it is to tell."""
        self.pages += int(pages)
        self.level = max(self.level - pages * self.per_page, 0.0)
        self.now += ms
        self.tell(level=level, counter=counter)

    def tell(self, *, level: bool = True, counter: bool = True, value: int | None = None, **more: Any) -> None:
        self.seq += 1
        shown = self.pages if value is None else value
        counters = [(0, shown % self.wrap if self.wrap else shown)] if counter else []
        levels: dict[int, float | tuple[float, float]] = {}
        if level:
            levels = {CALENDAR: float(ceil(self.level)), COUNTED: float(ceil(self.level))}
        self.do(reading(1, self.now, self.seq, levels, counters=counters, **more))

    def row(self, slot: int) -> Any:
        return self.partition.state.slots.rows[self.partition.state.slots.row(slot)]

    def machine(self) -> Any:
        return self.partition.state.devices.rows[self.partition.state.devices.row(1)]

    def days_left(self, slot: int) -> float:
        """Median of the forecast at the next tick."""
        self.wait(1)
        view = next(v for v in self.partition.views() if v.slot == slot)
        return (view.quantiles[4] - self.now) / DAY


FILTER = ("level", "rate", "p11", "p12", "p22", "noise", "phi", "used", "span", "gap", "age")


def filter_of(world: Copier, slot: int) -> dict[str, float]:
    return {name: float(world.row(slot)[name]) for name in FILTER}


@settings(max_examples=30)
@given(st.lists(st.integers(1, 40), min_size=3, max_size=40), st.floats(0.5, 1.5))
def test_at_the_usual_pace_both_clocks_agree(hours, share):
    world = Copier(per_page=0.01 * share)
    world.tell()
    for gap in hours:
        world.print(USUAL * gap / 24, ms=gap * HOUR)
    # pages are whole numbers: the clocks differ by less than one page per reading
    assert world.row(COUNTED)["age"] == pytest.approx(world.row(CALENDAR)["age"], abs=0.01 * len(hours))
    assert world.row(COUNTED)["level"] == pytest.approx(world.row(CALENDAR)["level"], abs=0.1)
    assert world.days_left(COUNTED) == pytest.approx(world.days_left(CALENDAR), rel=0.02, abs=0.1)


def test_a_counter_that_was_never_told_changes_nothing():
    world = Copier()
    for pages in (20, 90, 10, 60, 120, 40) * 6:
        world.print(pages, counter=False)
    assert filter_of(world, COUNTED) == filter_of(world, CALENDAR)
    assert world.row(COUNTED)["base"] == NO_TOTAL
    assert world.days_left(COUNTED) == pytest.approx(world.days_left(CALENDAR))


def test_another_pace_is_followed_at_once():
    world = Copier()
    world.tell()
    for _ in range(80):
        world.print(USUAL / 4)
    for _ in range(8):
        world.print(USUAL, level=False)  # four times as many, and no level for two days
    world.wait(1)
    seen = {v.slot: v.level for v in world.partition.views()}
    assert abs(seen[COUNTED] - world.level) < 1.5
    assert seen[CALENDAR] - world.level > 8


def test_what_a_page_takes_is_not_learned_anew_at_another_pace():
    world = Copier()
    world.tell()
    for _ in range(60):
        world.print(USUAL / 4)
    before = float(world.row(COUNTED)["rate"])
    for _ in range(8):
        world.print(USUAL)
    assert world.row(COUNTED)["rate"] == pytest.approx(before, rel=0.03)
    assert world.row(CALENDAR)["rate"] > 1.3 * before


def test_a_counter_that_falls_silent_is_run_by_the_pace():
    world = Copier()
    world.tell()
    for _ in range(100):
        world.print(USUAL / 8)  # half of what is usual
    for _ in range(40):
        world.print(USUAL / 8, counter=False)
    assert world.row(COUNTED)["rate"] == pytest.approx(USUAL * world.per_page, rel=0.15)
    assert world.days_left(COUNTED) == pytest.approx(world.level / (USUAL / 2 * world.per_page), rel=0.2)


def test_a_clock_that_ran_ahead_waits():
    world = Copier()
    world.tell()
    for _ in range(40):
        world.print(USUAL / 4)
    start = float(world.row(COUNTED)["age"])
    for _ in range(6):
        for _ in range(3):
            world.print(USUAL / 20, counter=False)
        world.print(USUAL / 20)  # a fifth of what its pace foretold
    told = 6 * 4 * (USUAL / 20) / USUAL
    assert world.row(COUNTED)["age"] - start < told + 1.0  # one prediction is open, they do not add up


MOVES = st.lists(
    st.tuples(
        st.sampled_from(("more", "nothing", "reset", "jump", "wrap", "silent", "deaf")),
        st.integers(0, 2_000),
        st.integers(1, 80),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(MOVES, st.sampled_from((0, 1 << 14)))
def test_the_clock_never_runs_back(moves, wrap):
    world = Copier(per_page=0.0005, wrap=wrap)
    world.tell()
    run = age = 0.0
    for what, pages, hours in moves:
        world.now += hours * HOUR
        if what == "reset":
            world.pages = pages
        elif what == "jump":
            world.tell(value=world.pages + 900_000)
            world.now += HOUR
        elif what != "nothing":
            world.pages += pages
        world.tell(level=what != "deaf", counter=what != "silent")
        machine, slot = world.machine(), world.row(COUNTED)
        assert machine["run"][0] >= run
        assert slot["age"] >= age
        assert np.isfinite([float(slot[name]) for name in FILTER]).all()
        assert np.isfinite([float(machine[n][0]) for n in ("recent_used", "recent_days", "scatter")]).all()
        run, age = float(machine["run"][0]), float(slot["age"])


def test_a_jump_that_nobody_believes_does_not_run_the_clock():
    world = Copier()
    world.tell()
    for _ in range(20):
        world.print(USUAL / 4)
    age = float(world.row(COUNTED)["age"])
    world.now += QUARTER
    world.tell(value=9_000_000)
    assert world.row(COUNTED)["age"] - age == pytest.approx(0.25, rel=0.01)


def test_a_wrap_runs_the_clock_on():
    world = Copier(wrap=1_100)
    world.tell()
    for _ in range(8):
        world.print(USUAL / 4)
    assert world.machine()["run"][0] == pytest.approx(2.0)


def test_the_weight_of_a_reading_is_its_time():
    daily, weekly, hourly = Copier(), Copier(), Copier()
    for world in (daily, weekly, hourly):
        world.tell(level=False)
    for day in range(28):
        pages = USUAL * (0.5 if day % 2 else 1.7)
        daily.print(pages, ms=DAY, level=False)
        for _ in range(20):
            hourly.print(pages / 20, ms=DAY // 20, level=False)
        if day % 7 == 6:
            weekly.pages = daily.pages
            weekly.print(0, ms=7 * DAY, level=False)
    paces = [w.machine()["lasting_used"][0] / w.machine()["lasting_days"][0] for w in (daily, weekly, hourly)]
    assert paces == pytest.approx([1.1] * 3, rel=0.05)
    days = [float(w.machine()["lasting_days"][0]) for w in (daily, weekly, hourly)]
    assert days == pytest.approx([days[0]] * 3, rel=0.2)
    scatter = [float(w.machine()["scatter"][0]) for w in (daily, hourly)]
    assert scatter[1] == pytest.approx(scatter[0], rel=0.25)


def test_a_refill_that_is_taken_back_gives_the_clock_back():
    world = Copier()
    world.tell()
    for _ in range(80):
        world.print(USUAL / 4)
    mark = int(world.row(COUNTED)["base"])
    cycle = int(world.row(COUNTED)["cycle"])
    world.now += QUARTER
    said(world.partition.state, world.partition.state.slots.row(COUNTED), world.now)
    assert world.row(COUNTED)["base"] == pytest.approx(mark + 250_000, abs=2_000)
    world.do(RefillVerdictFact(version=1, slot=COUNTED, cycle=cycle))
    assert world.row(COUNTED)["base"] == mark


@pytest.mark.parametrize("signals", [(), ((Signal.REPLACED, COUNTED),)])
def test_a_refill_keeps_the_rate_and_moves_the_clock_on(signals):
    world = Copier()
    world.tell()
    for _ in range(160):
        world.print(USUAL / 4)
    rate = float(world.row(COUNTED)["rate"])
    world.level = 100.0
    for _ in range(2):
        world.now += QUARTER
        world.tell(signals=signals)
    assert world.row(COUNTED)["cycle"] == 2
    assert world.row(COUNTED)["rate"] == pytest.approx(rate, rel=0.01)
    assert world.row(COUNTED)["base"] == pytest.approx(world.machine()["run"][0] * 1e6, abs=2)


def test_low_without_a_level_is_a_reading_of_the_clock():
    world = Copier()
    world.tell()
    world.print(USUAL, level=False)
    world.now += QUARTER
    world.tell(level=False, signals=((Signal.LOW, COUNTED),))
    assert world.row(COUNTED)["base"] == pytest.approx(world.machine()["run"][0] * 1e6, abs=2)


@pytest.mark.parametrize("usual", [USUAL / 4, 3 * USUAL, 0.0])
def test_another_usual_pace_is_another_unit_only(usual):
    world = Copier()
    world.tell()
    for _ in range(100):
        world.print(USUAL / 4)
    before = world.days_left(COUNTED)
    world.device(2, usual)
    assert world.days_left(COUNTED) == pytest.approx(before, rel=0.25)  # the prior's share has another weight
    for _ in range(20):
        world.print(USUAL / 4)
    assert world.days_left(COUNTED) == pytest.approx(world.level / (USUAL * world.per_page), rel=0.25)


def test_a_slot_that_gets_a_clock_keeps_what_it_has_learned():
    world = Copier()
    world.tell()
    for _ in range(100):
        world.print(USUAL / 8)
    before = filter_of(world, CALENDAR)
    world.do(slot_fact(CALENDAR, version=2, clock=0))
    assert world.row(CALENDAR)["rate"] == pytest.approx(world.row(COUNTED)["rate"], rel=0.05)
    assert world.row(CALENDAR)["span"] == pytest.approx(world.row(COUNTED)["span"], rel=0.3)
    world.do(slot_fact(CALENDAR, version=3))
    assert filter_of(world, CALENDAR) == pytest.approx(before)


def test_what_is_shown_is_per_business_day():
    world = Copier()
    world.tell()
    for _ in range(100):
        world.print(USUAL / 8)
    world.wait(1)
    views = {v.slot: v for v in world.partition.views()}
    assert views[COUNTED].rate == pytest.approx(USUAL / 2 * world.per_page, rel=0.1)
    assert views[COUNTED].counts_per_day == pytest.approx(USUAL / 2, rel=0.1)
    assert views[CALENDAR].counts_per_day == 0
