"""The pages about the simulator name everything that a scenario may say and a report says, and what ships."""

import typing
from pathlib import Path

import pytest

from devices_sim.cli import main
from devices_sim.report import Report
from devices_sim.scenario import BUILT_IN, Event, EventKind, FleetSize, Rates, Scenario, Suppliers, Users, parse
from tests.support import reference

DOCS = Path(__file__).parents[2] / "docs"
HOW_TO = (DOCS / "how-to" / "simulate-a-fleet.md").read_text()
PAGE = (DOCS / "reference" / "scenarios.md").read_text()
STRUCTS = (Scenario, FleetSize, Users, Rates, Suppliers, Event, Report)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_name_is_on_the_page(struct: type) -> None:
    missing = [name for name in struct.__struct_fields__ if f"`{name}`" not in PAGE]
    assert not missing


def test_every_kind_of_event_is_on_the_page() -> None:
    assert not [kind for kind in typing.get_args(EventKind) if f"`{kind}`" not in PAGE]


def test_every_scenario_that_ships_is_on_the_page() -> None:
    assert not [path.stem for path in BUILT_IN.glob("*.yaml") if f"`{path.stem}`" not in PAGE]


@pytest.mark.parametrize("text", reference.code_of(DOCS / "how-to" / "simulate-a-fleet.md", "yaml"))
def test_the_example_of_the_page_is_a_scenario(text: str) -> None:
    assert parse(text.encode()).name


def test_options_that_the_page_names_exist() -> None:
    known = {option for parameter in main.params for option in parameter.opts}
    named = {word.strip("`.,:;)(") for word in (HOW_TO + PAGE).split() if word.strip("`(").startswith("--")}
    assert named <= known
