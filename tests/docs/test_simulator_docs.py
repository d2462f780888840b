"""The page about the simulator names everything that a scenario may say and a report says."""

import typing
from pathlib import Path

import pytest

from devices_sim.cli import main
from devices_sim.report import Report
from devices_sim.scenario import Event, EventKind, FleetSize, Rates, Scenario, Suppliers, Users

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "simulate-a-fleet.md").read_text()
STRUCTS = (Scenario, FleetSize, Users, Rates, Suppliers, Event, Report)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_name_is_on_the_page(struct: type) -> None:
    missing = [name for name in struct.__struct_fields__ if f"`{name}`" not in PAGE]
    assert not missing


def test_every_kind_of_event_is_on_the_page() -> None:
    assert not [kind for kind in typing.get_args(EventKind) if f"`{kind}`" not in PAGE]


def test_options_that_the_page_names_exist() -> None:
    known = {option for parameter in main.params for option in parameter.opts}
    named = {word.strip("`.,:;)(") for word in PAGE.split() if word.strip("`(").startswith("--")}
    assert named <= known
