"""Silence, usage and failing sites: what ticks tell besides needs."""

import numpy as np
import pytest

from models.effects import Alert, Need, RequestAnswered, UsageBooked
from models.facts import ClassFact, DeviceFact, SiteFact, StockFact
from models.records import Reorder, Tick
from models.units import DAY, HOUR, MINUTE
from tests.support.slots import START, TONER, World, slot_fact, stock_fact


def alerts(world, code="silent"):
    return [(a.subject, a.cleared) for a in world.all(Alert) if a.code == code]


def hourly(world, hours, level=90.0):
    for _ in range(hours):
        world.say(s1=level)
        world.wait(HOUR)


def test_a_device_that_falls_silent_is_told_once_and_cleared_when_it_returns():
    world = World()
    hourly(world, 24 * 15)
    for _ in range(40):
        world.wait(HOUR)
    assert alerts(world) == [("device/1", False)]
    world.say(s1=90.0)
    world.wait(HOUR)
    assert alerts(world) == [("device/1", False), ("device/1", True)]


def test_a_long_usual_gap_is_learned():
    world = World()
    for _ in range(20):
        world.say(s1=90.0)
        for _ in range(12):
            world.wait(HOUR)
    for _ in range(24):
        world.wait(HOUR)
    assert alerts(world) == []


def test_only_listening_time_counts():
    world = World()
    hourly(world, 24 * 15)
    world.wait(30 * DAY, listening=0)
    assert alerts(world) == []


def test_the_forecast_goes_on_in_silence_and_orders():
    world = World()
    for level in range(60, 30, -2):
        world.say(s1=float(level))
        world.wait(DAY)
    assert not world.all(Need)
    for _ in range(12):
        world.wait(DAY)
    (need,) = world.all(Need)
    assert need.evidence.last_heard < world.now - DAY


def test_after_the_longest_silence_the_probability_orders_nothing():
    world = World()
    world.say(s1=100.0)
    for _ in range(120):
        world.wait(DAY, listening=0)
    needed = len(world.all(Need))
    assert needed == 1, "without listening, nobody knows whether it is silent"
    world = World(on_hand=1.0)
    world.say(s1=100.0)
    for _ in range(40):
        world.wait(DAY)
    world.do(stock_fact(2, 0.0))
    world.wait(DAY)
    assert not world.all(Need)
    assert world.status() == "silent"


def test_usage_is_told_as_absolute_totals_of_local_days():
    world = World()
    for level in (90.0, 86.0, 82.0, 78.0):
        world.say(s1=level)
        world.wait(6 * HOUR)
    world.wait(MINUTE)
    told = {(u.slot, u.day): u.total for u in world.all(UsageBooked)}
    assert sum(told.values()) == pytest.approx(12.0, abs=3.0)
    assert {day for _, day in told} <= {START // DAY, START // DAY + 1}


def test_one_site_that_fails_is_blocked_and_the_others_go_on():
    world = World()
    world.do(
        SiteFact(version=1, site=2, account=1, calendar=1, mode=3),
        DeviceFact(version=1, device=2, account=1, site=2),
        slot_fact(2, 2, lane=0),
    )
    world.say(s1=50.0)
    world.say(device=2, s2=50.0)
    world.wait()
    world.say(s1=3.0)
    world.say(s1=3.0)
    world.say(device=2, s2=2.0)
    world.say(device=2, s2=2.0)
    world.partition.state.slots.rows["phi"][world.partition.state.slots.row(2)] = np.nan
    world.do(Reorder(id="r", slot=2, by="ann"))
    world.wait()
    assert alerts(world, "site_blocked") == [("site/2", False)]
    assert [n.slot for n in world.all(Need)] == [1]
    assert [(a.id, a.outcome) for a in world.all(RequestAnswered)] == [("r", "refused")]
    world.wait()
    assert world.status(2) == "site_blocked"
    assert len(alerts(world, "site_blocked")) == 1
    world.partition.state.slots.rows["phi"][world.partition.state.slots.row(2)] = 1.0
    world.do(SiteFact(version=2, site=2, account=1, calendar=1, mode=3))
    world.wait()
    assert [n.slot for n in world.all(Need)] == [1, 2]


def test_a_fault_of_the_program_leaves_the_state_as_it_was(monkeypatch):
    world = World()
    world.say(s1=2.0)
    world.do(SiteFact(version=2, site=1, account=1, calendar=1, mode=3), Reorder(id="r", slot=1, by="ann"))
    before = world.partition.snapshot()

    def broken(*_):
        raise TypeError("a fault")

    monkeypatch.setattr("models.step.tick.make_draft", broken)
    with pytest.raises(TypeError):
        world.do(Tick(world.now + HOUR, HOUR))
    assert world.partition.snapshot() == before


@pytest.mark.parametrize(
    "fact",
    [
        ClassFact(version=9, slot_class=1, z=(1.0, 2.0)),
        slot_fact(9, capacity=0.0),
    ],
)
def test_a_fact_that_contradicts_itself_is_refused_whole(fact):
    world = World()
    before = world.partition.snapshot()
    with pytest.raises(ValueError, match=r"class|slot"):
        world.do(fact)
    assert world.partition.snapshot() == before


def test_a_fact_of_an_older_incarnation_is_older_whatever_its_version():
    world = World()
    world.do(StockFact(version=1, incarnation=2, site=1, product=TONER, on_hand=3.0))
    world.do(StockFact(version=99, incarnation=1, site=1, product=TONER, on_hand=0.0))
    assert world.partition.book.pools.rows[0]["on_hand"] == 3.0
