"""Sensors as they are: coarser than registered, flickering, telling words, telling how full a waste box is."""

from math import ceil

import numpy as np
import pytest

from models.effects import RefillSeen
from models.facts import Refill

WORDS = {"ok": (10.0, 100.0), "some": (2.0, 100.0), "low": (0.0, 20.0), "empty": (0.0, 2.0)}


def made(devices_of, **slot):
    world = devices_of()
    world.add()
    world.slot(**slot)
    return world


def steps_of(world):
    return float(world.row()["step"]), int(world.row()["steps"])


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ([100, 75, 50, 25], 25),
        ([100, 67, 33, 0], 33),
        ([100, 80, 70, 40, 30], 10),  # 20 at first, then 10
        ([99, 97, 92, 91, 90, 89], 1),
        ([100, 90, 100, 90, 80, 70], 10),
    ],
)
def test_the_step_is_what_explains_every_move(bare, said, step):
    bare.add()
    bare.slot()
    for k, level in enumerate(said):
        bare.says(240 * k, level)
        bare.says(240 * k + 1, level)
    assert steps_of(bare)[0] == step


def test_a_sensor_that_shows_its_registered_step_is_known(devices):
    for hour, level in enumerate([60, 59, 40, 40, 20]):
        devices.says(hour, level)
    assert steps_of(devices)[0] == 1


def test_a_glitch_does_not_undo_a_step_that_is_well_known(bare):
    bare.add()
    bare.slot()
    for k in range(30):
        bare.says(72 * k, 100 - 10 * (k % 10))
        bare.says(72 * k + 13, 100 - 10 * (k % 10))
    step, steps = steps_of(bare)
    assert (step, steps > 12) == (10, True)
    bare.says(2200, 85)
    bare.says(2220, 82)
    assert steps_of(bare)[0] == 10


def life(world, chance, *, step, noise, glitch, rate, days=150, ascending=False, words=False):
    """Use by the hour, a swap soon after empty; (true refills, seen ones), hours."""
    level, hour, wait, true = 100.0, 0.0, 0.0, []
    while hour < 24 * days:
        hour += 2
        level = max(level - chance.gamma(rate / 12, 1.0), 0.0)
        if level == 0.0 and wait == 0.0:
            wait = hour + chance.exponential(10)
        if wait and hour >= wait:
            level, wait = 100.0, 0.0
            true.append(hour)
        seen = (100 - level if ascending else level) + chance.normal(0, noise)
        if hour > 24 and chance.random() < glitch:  # a first word is believed
            seen = chance.choice([0.0, 100.0])
        seen = min(max(seen, 0.0), 100.0)
        if words:
            world.says(hour, WORDS["empty" if seen <= 1 else "low" if seen <= 12 else "some" if seen <= 50 else "ok"])
        else:
            told = float(np.float32(min(ceil(seen / step) * step, 100.0)))
            world.says(hour, 100 - told if ascending else told)
    start = world.frame(0).readings["ts"][0]
    return true, [float((r.ts - start) / 3.6e6) for r in world.of(RefillSeen)]


@pytest.mark.parametrize(
    ("slot", "sensor"),
    [
        pytest.param({}, {"step": 1, "noise": 1.5, "glitch": 0.0005}, id="noisy"),
        pytest.param({}, {"step": 1, "noise": 0, "glitch": 0.03}, id="bad"),
        pytest.param({"quantum": 25.0}, {"step": 25, "noise": 0, "glitch": 0.03}, id="coarse and bad"),
        pytest.param({}, {"step": 25, "noise": 1.5, "glitch": 0.0005}, id="coarse, registered as fine"),
        pytest.param({}, {"step": 10, "noise": 1.5, "glitch": 0.0005}, id="tenths, registered as fine"),
        pytest.param({"ascending": True, "quantum": 25.0}, {"step": 25, "noise": 0, "glitch": 0.0005}, id="waste box"),
        pytest.param({}, {"step": 1, "noise": 0, "glitch": 0.0005, "words": True}, id="words"),
        pytest.param({"refill": Refill.TOPUP}, {"step": 10, "noise": 0.5, "glitch": 0.0005}, id="coarse hopper"),
    ],
)
def test_refills_are_seen_once_each(devices_of, slot, sensor):
    chance = np.random.default_rng(11)
    for rate in (2.0, 4.0, 7.0):
        world = made(devices_of, **slot)
        true, seen = life(world, chance, rate=rate, ascending="ascending" in slot, **sensor)
        assert len(true) >= 2
        late = [after - before for before, after in zip(true, seen, strict=False)]
        assert len(seen) in {len(true), len(true) - (150 * 24 - true[-1] < 36)}, (rate, true, seen)
        assert all(-4 <= hours <= 24 for hours in late), (rate, late)


def test_a_waste_box_is_read_from_its_own_side(bare):
    """It says 75 % full from 50 % on: what remains is 25 % to 50 %."""
    bare.add()
    bare.slot(quantum=25.0, ascending=True)
    bare.says(0, 25.0)
    row = bare.row()
    assert (row["low"], row["high"]) == (25, 50)
    assert row["level"] == pytest.approx(37.5)
    bare.says(2000, 0.0)
    bare.says(2001, 0.0)
    assert (row["low"], row["high"]) == (0, 25)


def test_a_waste_box_is_full_when_all_room_must_be_used(bare):
    bare.add()
    bare.slot(quantum=25.0, ascending=True)
    for day in range(40):
        bare.says(24 * day, float(max(100 - 25 * -(-4 * (day + 1) // 25), 0)))
    assert bare.row()["empty_since"] > 0
    assert bare.row()["level"] <= 0.5


def test_words_tell_of_a_refill(devices):
    for hour, word in [(0, "ok"), (300, "some"), (500, "low"), (600, "empty"), (601, "empty"), (610, "ok")]:
        devices.says(hour, WORDS[word])
    assert devices.of(RefillSeen) == []
    devices.says(612, WORDS["ok"])
    assert len(devices.of(RefillSeen)) == 1
    assert devices.row()["level"] == 97


def test_words_that_flicker_tell_nothing(devices):
    for hour in range(0, 200, 2):
        devices.says(hour, WORDS["some" if hour % 6 else "low"])
    assert devices.of(RefillSeen) == []


def test_a_device_that_says_some_is_not_thought_empty(devices):
    """It has said for 200 days that there is something left: no forecast is stronger than that."""
    for day in range(200):
        devices.says(24 * day, WORDS["ok"])
    assert devices.row()["level"] > 5
