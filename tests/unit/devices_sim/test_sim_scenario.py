from datetime import date

import pytest

from devices_sim import scenario
from devices_sim.clock import DomainClock, feasible_speed, speed_reason
from devices_sim.errors import BadScenario, Unavailable
from devices_sim.fleet import make_plan
from devices_sim.scenario import BUILT_IN, Bound, FleetSize, Scenario, milliseconds, parse

MINIMAL = b"name: x\n"


@pytest.mark.parametrize("path", sorted(BUILT_IN.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_built_in_scenarios_are_sound(path):
    assert scenario.read(path.stem).name == path.stem


def test_numbers_on_the_command_line_replace_the_files():
    read = scenario.read("office", devices=3, seed=99)
    assert (read.fleet.devices, read.seed) == (3, 99)
    assert read.expect["orders"] == Bound(min=1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"name: x\nfleet: {device: 3}", r"unknown field `device` - at `\$.fleet`"),
        (b"name: x\nspeed: -1", r"> 0"),
        (b"name: x\nduration: two days", "not a duration"),
        (b"name: x\nfleet: {kinds: {toaster: 1}}", "unknown toaster; known are copier"),
        (b"name: x\nfleet: {kinds: {copier: 0}}", "share above 0"),
        (b"name: x\nevents: [{at: 1d, kind: reboot}]", r"events\[0\]: reboot needs either a device or a site"),
        (b"name: x\nevents: [{at: soon, kind: reboot, device: a}]", r"events\[0\]: 'soon' is not a duration"),
        (b"name: x\nexpect: {orders: {least: 1}}", "unknown field `least`"),
        (b"name: [", "while parsing"),
    ],
)
def test_a_mistake_is_named(text, says):
    with pytest.raises(BadScenario, match=says):
        scenario.parse(text)


def test_a_missing_file_names_what_is_built_in():
    with pytest.raises(BadScenario, match=r"built in are board-swap, clock-ahead, demo, .*, trouble"):
        scenario.read("nowhere.yaml")


def test_durations():
    assert [milliseconds(t) for t in ("90s", "30m", "2d 6h", "-1h")] == [90_000, 1_800_000, 194_400_000, -3_600_000]


def test_more_devices_than_a_process_can_drive_lower_the_speed():
    assert feasible_speed(200) == feasible_speed(2_000) == 3_600
    assert feasible_speed(20_000) == 360
    assert feasible_speed(20_000, processes=4) == 1_440
    assert "so the speed is 360 x" in speed_reason(20_000)
    assert "200 readings/s" in speed_reason(200)


def test_the_clock_interpolates_and_never_goes_back():
    clock = DomainClock()
    with pytest.raises(Unavailable):
        clock.now(0)
    clock.sync(1_000_000, 100.0, asked=10, answered=20)
    assert clock.now(15) == 1_000_000
    assert clock.now(25) == 1_001_000
    clock.sync(500_000, 100.0, asked=30, answered=30)
    assert clock.now(31) == 1_001_000
    clock.sync(2_000_000, 1.0, asked=40, answered=40)
    assert clock.now(41) == 2_000_001
    with pytest.raises(Unavailable, match="speed 0"):
        clock.sync(1, 0, 0, 0)


def test_holidays_are_dates_and_intervals():
    found = parse(b"name: x\nfleet: {holidays: ['2026-12-30/2027-01-02', '2026-05-01']}")
    assert sorted(day.isoformat() for day in found.fleet.closed) == [
        "2026-05-01", "2026-12-30", "2026-12-31", "2027-01-01", "2027-01-02",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["soon", "2026-12-30/2026-12-01", "2026-01-01/2030-01-01"])
def test_holidays_that_are_none_are_refused(text):
    with pytest.raises(BadScenario, match=r"fleet\.holidays"):
        parse(f"name: x\nfleet: {{holidays: ['{text}']}}".encode())


def test_a_fleet_closes_on_its_holidays_and_keeps_its_weekdays():
    size = FleetSize(sites=2, weekdays=(1, 1, 1, 1, 1, 0, 0), holidays=("2026-10-17/2026-10-18",))
    for site in make_plan(Scenario(name="x", fleet=size)).sites:
        assert site.weekdays == (1, 1, 1, 1, 1, 0, 0)
        assert date(2026, 10, 18) in site.closed
