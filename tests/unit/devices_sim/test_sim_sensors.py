import random

import pytest

from devices_sim.sensors import Sensor, Style, fitted, word


def read(sensor, level):
    return sensor.read(level, 6_000, "g", random.Random(1))


@pytest.mark.parametrize(
    ("quantum", "level", "shown"), [(1, 41.2, 0.42), (10, 41.2, 0.5), (25, 0.1, 0.25), (10, 50.0, 0.5), (5, 0.0, 0.0)]
)
def test_a_sensor_rounds_up_to_its_step(quantum, level, shown):
    assert read(Sensor(quantum=quantum), level) == {"level": shown}


def test_other_sensors_say_words_intervals_or_grams():
    assert read(Sensor(Style.INTERVAL, 25), 30) == {"level": [0.25, 0.5]}
    assert read(Sensor(Style.INTERVAL, 25), 0) == {"level": [0.0, 0.0]}
    assert read(Sensor(Style.REMAINING), 50) == {"remaining": 3_000, "unit": "g"}
    assert read(Sensor(Style.WORDS), 40) == {"state": "some"}
    assert [word(level) for level in (0, 5, 30, 80)] == ["empty", "low", "some", "ok"]


def test_noise_and_glitches_stay_between_empty_and_full():
    chance = random.Random(2)
    sensor = Sensor(noise=3, glitch=0.2)
    seen = [sensor.read(99, 100, "", chance)["level"] for _ in range(500)]
    assert all(0 <= level <= 1 for level in seen)
    assert 20 < seen.count(0.0) < 100


def test_a_slot_keeps_its_sensor():
    one = fitted(1, "coffee-1", "beans", (Style.LEVEL, Style.REMAINING), 1, 0.01)
    assert one == fitted(1, "coffee-1", "beans", (Style.LEVEL, Style.REMAINING), 1, 0.01)
    styles = {fitted(1, f"c{i}", "beans", (Style.LEVEL, Style.REMAINING), 1, 0).style for i in range(20)}
    assert styles == {Style.LEVEL, Style.REMAINING}
