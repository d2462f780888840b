"""Ten scenarios that ship, each lived through on a virtual clock: as expected; and not, where the product is broken."""

from pathlib import Path

import pytest

from devices_sim import scenario
from devices_sim.truth import Reading
from ingest import frames
from ingest.frames import Row
from models.units import DAY
from tests.support.virtual import live
from tests.support.whole import Whole
from tests.support.wire import Port, Wire

TEN = (
    "office-week",
    "holiday",
    "school-coffee",
    "board-swap",
    "shaken-cartridges",
    "part-used-refills",
    "network-loss",
    "clock-ahead",
    "supplier-late",
    "hostile-device",
)


class Idle(Whole):
    """Registers devices and decides nothing."""

    def turn(self, now: int) -> None:
        if now == self.started:
            super().turn(now)
        self.now = now


class Mute(Whole):
    """No tick after the first day: nothing becomes due."""

    def turn(self, now: int) -> None:
        if now < self.started + DAY:
            super().turn(now)
        self.now = now


class Blind(Wire):
    """Counters get lost on the way."""

    def take(self, port: Port, reading: Reading, rows: list[Row], now: int) -> list[tuple[int, bytes]]:
        changed = reading.payload.replace(b'"counters":', b'"totals":')
        return super().take(
            port, Reading(reading.id, reading.device, reading.boot, reading.seq, reading.ts, changed), rows, now
        )


class Forgetful(Wire):
    """Acknowledges what it does not keep: all that comes after the first two days, and what is refused."""

    def take(self, port: Port, reading: Reading, rows: list[Row], now: int) -> list[tuple[int, bytes]]:
        if now < self.product.started + 2 * DAY:
            super().take(port, reading, rows, now)
        return []


BROKEN: dict[str, tuple[type[Whole], type[Wire], str]] = {
    "office-week": (Idle, Wire, "orders"),
    "board-swap": (Whole, Blind, "quarantined_by_code.implausible_counter"),
    "shaken-cartridges": (Idle, Wire, "refills_unseen"),
    "network-loss": (Whole, Forgetful, "devices_unheard"),
    "supplier-late": (Mute, Wire, "tasks_by_kind.overdue"),
    "hostile-device": (Whole, Forgetful, "quarantined"),
}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", TEN)
def test_a_scenario_ends_as_it_expects(name: str, tmp_path: Path) -> None:
    report = live(scenario.read(name), tmp_path)
    assert report.failed == [], report


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_product_is_not_as_expected(name: str, tmp_path: Path) -> None:
    product, wire, figure = BROKEN[name]
    report = live(scenario.read(name), tmp_path, product, wire)
    assert any(failed.startswith(f"{figure} is ") for failed in report.failed), report.failed


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_gateway_that_believes_every_clock_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "AHEAD", 1000 * DAY)
    report = live(scenario.read("clock-ahead"), tmp_path)
    assert any(failed.startswith("devices_ahead is ") for failed in report.failed), report.failed


def test_all_ten_ship_and_expect_something() -> None:
    for name in TEN:
        found = scenario.read(name)
        assert (found.name, found.expect != {}) == (name, True)
