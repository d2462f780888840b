"""Very many needs at once are told over several ticks, some sites at a time: nobody waits long for the ledger."""

import pytest

from models.decide.survey import survey
from models.effects import Need, RequestAnswered
from models.facts import DeviceFact, LaneFact, Mode, SiteFact
from models.frame import Signal
from models.records import Reorder
from models.step import parts, tick
from models.step.parts import MOST_NEEDS
from models.units import DAY, HOUR, SECOND
from tests.support.slots import World, slot_fact, stock_fact

SITES, SLOTS = 4, 30


def burst() -> World:
    """Sites 2 to 5 of 30 devices, each of which asks for a refill of its only slot, that of site s from 100 s on."""
    world = World()
    for site in range(2, 2 + SITES):
        world.do(
            SiteFact(version=1, site=site, account=1, calendar=1, mode=Mode.AUTO),
            LaneFact(version=1, lane=site, site=site, grid_ms=tuple(2 * DAY + k * HOUR for k in range(16))),
            stock_fact(1, 0.0, site=site),
        )
        for number in range(100 * site, 100 * site + SLOTS):
            world.do(DeviceFact(version=1, device=number, account=1, site=site), slot_fact(number, number, lane=site))
            world.say(device=number, signals=[(Signal.REORDER, number)])
    return world


def needs(effects: list[object]) -> list[int]:
    return [effect.slot for effect in effects if isinstance(effect, Need)]


def test_a_burst_is_told_site_by_site_and_nothing_twice() -> None:
    world = burst()
    ticks = [needs(world.wait(SECOND)) for _ in range(SITES + 1)]
    assert [len(told) for told in ticks] == [SLOTS] * SITES + [0]
    assert [{slot // 100 for slot in told} for told in ticks[:SITES]] == [{2}, {3}, {4}, {5}]


def test_in_a_burst_the_rest_is_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A million slots that all need something must not be surveyed again at every tick."""
    world, looked = burst(), []
    monkeypatch.setattr(parts, "AT_ONCE", 2 * SLOTS)
    monkeypatch.setattr(tick, "survey", lambda *a: looked.append(len(a[3])) or survey(*a))
    assert len(needs(world.wait(SECOND))) == SLOTS
    assert looked == [1 + SLOTS, SLOTS]  # sites 1 and 2, and site 3, which must wait
    assert [len(needs(world.wait(SECOND))) for _ in range(SITES)] == [SLOTS] * (SITES - 1) + [0]


def test_a_single_site_is_never_cut() -> None:
    world = burst()
    assert SLOTS < MOST_NEEDS < 2 * SLOTS
    for number in range(230, 300):
        world.do(DeviceFact(version=1, device=number, account=1, site=2), slot_fact(number, number, lane=2))
        world.say(device=number, signals=[(Signal.REORDER, number)])
    assert len(needs(world.wait(SECOND))) == 100 > MOST_NEEDS


def test_a_person_does_not_wait_for_the_others() -> None:
    world = burst()
    world.do(Reorder(id="now", slot=500, by="ann"))
    told = world.wait(SECOND)
    assert {slot // 100 for slot in needs(told)} == {2, 5}
    assert [effect.outcome for effect in told if isinstance(effect, RequestAnswered)] == ["need"]
