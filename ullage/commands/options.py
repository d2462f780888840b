"""Options that several commands take: each is a setting by another way."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import click

Command = Callable[..., Any]


def one_of(words: type[StrEnum]) -> click.Choice[str]:
    """By value, as everywhere else: click would ask for the names of an enumeration."""
    return click.Choice([word.value for word in words])


def listening_options(command: Command) -> Command:
    for option in (
        click.option("--api-host", help="ULLAGE_API_HOST"),
        click.option("--api-port", help="ULLAGE_API_PORT"),
        click.option("--mqtt-host", help="ULLAGE_MQTT_HOST"),
        click.option("--mqtt-port", help="ULLAGE_MQTT_PORT"),
    ):
        command = option(command)
    return command


accept_logic = click.option("--accept-logic", flag_value="1", help="ULLAGE_ACCEPT_LOGIC=1")
