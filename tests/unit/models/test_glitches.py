"""One odd reading makes nothing, whatever the sensor; what is true is there at the next reading, too."""

import pytest

from models.effects import RefillSeen
from models.facts import Refill
from models.frame import Signal
from models.layout import SlotFlag
from models.units import HOUR

QUANTA = [1.0, 5.0, 10.0, 25.0]


def say(world, *told):
    for hour, level in told:
        world.says(hour, level)


@pytest.mark.parametrize("quantum", QUANTA)
def test_one_glitch_to_full_near_empty_is_no_refill(bare, quantum):
    bare.add()
    bare.slot(quantum=quantum)
    for hour, level in [(0, 20), (24, 15), (48, 10), (49, 100), (50, 10), (51, 10), (60, 9)]:
        bare.says(hour, max(level, quantum))
    assert bare.of(RefillSeen) == []


@pytest.mark.parametrize("quantum", QUANTA)
@pytest.mark.parametrize("level", [10, 18, 20, 25, 30, 50])
def test_one_glitch_to_empty_is_no_refill_afterwards(bare, quantum, level):
    level = -(-level // quantum) * quantum
    bare.add()
    bare.slot(quantum=quantum)
    for hour in range(0, 48, 4):
        bare.says(hour, level)
    say(bare, (49, 0.0), (50, level), (51, level), (60, level), (72, level))
    assert bare.of(RefillSeen) == []
    assert bare.row()["level"] > level - quantum - 6


@pytest.mark.parametrize("odd", [0, 100])
def test_a_sensor_that_was_wrong_of_late_must_say_it_for_longer(devices, odd):
    """A second glitch right after a first one is what a broken sensor does."""
    say(devices, (0, 40), (1, odd), (2, 40), (3, odd), (4, odd), (5, 40), (6, 39))
    assert devices.of(RefillSeen) == []
    assert abs(devices.row()["level"] - 39) < 1
    say(devices, *((hour, 100) for hour in range(7, 21)))
    assert len(devices.of(RefillSeen)) == 1


def test_doubts_are_forgotten(devices):
    say(devices, (0, 60), (1, 0), (2, 60))
    assert devices.row()["doubt"] > 0
    say(devices, *((3 + hour, 59) for hour in range(210)))
    assert devices.row()["doubt"] == 0


def test_the_cycle_opens_at_the_first_odd_reading(devices):
    say(devices, (0, 12), (24, 100), (48, 98))
    (refill,) = devices.of(RefillSeen)
    assert refill.ts == devices.row()["opened"] == devices.frame(24).readings["ts"][0]


def test_the_device_that_speaks_of_a_new_supply_needs_no_second_reading(devices):
    say(devices, (0, 12), (20, 0))
    devices.says(24, 100, signals=((Signal.REPLACED, 1),))
    (refill,) = devices.of(RefillSeen)
    assert refill.ts == devices.frame(24).readings["ts"][0]  # not when the odd zero came


def test_empty_is_believed_the_second_time_and_was_so_at_the_first(devices):
    say(devices, (0, 40), (4, 0))
    assert devices.row()["level"] > 35
    say(devices, (5, 0))
    assert devices.row()["level"] == 0
    assert devices.row()["empty_since"] == devices.frame(4).readings["ts"][0]


@pytest.mark.parametrize("signal", [Signal.LOW, Signal.EMPTY])
def test_low_ends_the_suspicion_of_a_refill(devices, signal):
    say(devices, (0, 12), (1, 100))
    assert devices.row()["flags"] & SlotFlag.SUSPECT
    devices.says(2, signals=((signal, 1),))
    assert not devices.row()["flags"] & SlotFlag.SUSPECT


def test_a_drop_ends_the_suspicion_of_a_refill(devices):
    say(devices, (0, 60), (1, 100), (2, 0))
    assert not devices.row()["flags"] & SlotFlag.SUSPECT


def test_a_small_top_up_must_last(bare):
    bare.add()
    bare.slot(refill=Refill.TOPUP)
    say(bare, (0, 60), (1, 66), (2, 67), (3, 60))
    assert bare.of(RefillSeen) == []
    say(bare, (4, 67), (8, 67), (16, 66))
    assert [refill.ts for refill in bare.of(RefillSeen)] == [bare.frame(4).readings["ts"][0]]


def test_replaced_told_after_the_level_has_shown_it_is_no_news(devices):
    say(devices, (0, 12), (24, 85), (25, 85))
    devices.says(27, 84, signals=((Signal.REPLACED, 1),))
    devices.says(30, signals=((Signal.REPLACED, 1),))
    assert len(devices.of(RefillSeen)) == 1
    assert abs(devices.row()["level"] - 84) < 2
    assert devices.row()["read"] - devices.row()["opened"] < 12 * HOUR
