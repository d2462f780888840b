"""Each role alone, as one process."""

import gc
from collections.abc import Awaitable, Callable

import click

from ullage import role
from ullage.commands.options import Command, accept_logic
from ullage.roles import main_of
from ullage.settings import Settings


def _role_command(name: str, help_text: str, *options: Callable[[Command], Command]) -> click.Command:
    @click.pass_obj
    def run(settings_of: Callable[..., Settings], /, **given: str | None) -> None:
        role.run(name, settings_of(given), _imported(name))

    command: Command = run
    for option in options:
        command = option(command)
    return click.command(name, help=help_text)(command)


def _imported(name: str) -> Callable[[role.Role], Awaitable[None]]:
    """The role's main. What is imported stays for good: it is not searched for garbage, now or ever."""
    gc.disable()  # a tenth of a role's start
    main = main_of(name)
    gc.freeze()
    gc.enable()
    return main


gateway = _role_command("gateway", "The MQTT gateway: devices -> journal.")
worker = _role_command("worker", "The stream worker: journal -> decisions.", accept_logic)
api = _role_command("api", "The HTTP API and the page.")
deliver = _role_command("deliver", "The outbox: facts to the journal, purchase orders to suppliers.")
clock = _role_command("clock", "The clock: ticks to all partitions.")
