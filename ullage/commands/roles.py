"""Each role alone, as one process."""

from collections.abc import Callable

import click

from ullage import role
from ullage.roles import main_of
from ullage.settings import Settings


def _role_command(name: str, help_text: str) -> click.Command:
    @click.command(name, help=help_text)
    @click.pass_obj
    def command(settings_of: Callable[..., Settings]) -> None:
        settings = settings_of()
        role.run(name, settings, main_of(name))

    return command


gateway = _role_command("gateway", "The MQTT gateway: devices -> journal.")
worker = _role_command("worker", "The stream worker: journal -> decisions.")
api = _role_command("api", "The HTTP API and the page.")
deliver = _role_command("deliver", "The outbox: facts to the journal, purchase orders to suppliers.")
clock = _role_command("clock", "The clock: ticks to all partitions.")
