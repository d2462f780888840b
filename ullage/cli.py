"""The command `ullage`. Exit codes: 0 done, 1 it could not be done (the message says why), 2 the call was wrong."""

import sys
from importlib import import_module
from typing import Any

import click

from models.stores import StoreError
from ullage import __version__
from ullage.settings import ConfigurationError, Settings, load

EXPECTED = (StoreError, OSError)
COMMANDS = {
    "demo": "demo:demo",
    "serve": "running:serve",
    "config": "running:config",
    "gateway": "roles:gateway",
    "worker": "roles:worker",
    "api": "roles:api",
    "deliver": "roles:deliver",
    "clock": "roles:clock",
    "person": "people:person_group",
    "token": "access:token",
    "fleet": "catalogue:fleet",
    "account": "places:account",
    "site": "places:site",
    "device": "devices:device",
    "product": "catalogue:product",
    "supplier": "catalogue:supplier",
    "orders": "decisions:orders",
    "why": "decisions:why",
    "learn": "learn:learn",
    "import-readings": "readings:import_readings",
    "export": "export:export",
    "status": "operation:status",
    "doctor": "doctor:doctor",
    "replay": "operation:replay",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "quarantine": "quarantine:quarantine_group",
    "outbox": "operation:outbox_group",
    "subscription": "notices:subscription",
}
"""Where each command is. A process imports only what it runs: a role starts in a fraction of a second."""


class Commands(click.Group):
    """Finds commands in COMMANDS. Errors that a user can do something about are one line on stderr, not a trace."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(f"ullage.commands.{module}"), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            click.echo(f"ullage: {error}", err=True)
            sys.exit(2)
        except EXPECTED as error:
            click.echo(f"ullage: {error}", err=True)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ullage")
@click.option("--data", metavar="DIR", help="Folder of an embedded installation (ULLAGE_DATA).")
@click.pass_context
def main(ctx: click.Context, data: str | None) -> None:
    """Ullage: real-time replenishment for connected machines."""

    def settings(overrides: dict[str, str | None] | None = None) -> Settings:
        return load({"data": data} | (overrides or {}))

    ctx.obj = settings
