"""The command `ullage`. Exit codes: 0 done, 1 it could not be done (the message says why), 2 the call was wrong."""

import sys
from collections.abc import Callable
from typing import Any

import click

from models.stores import StoreError
from ullage import __version__
from ullage.commands import administration, decisions, operation, running
from ullage.settings import ConfigurationError, Settings, load

EXPECTED = (ConfigurationError, StoreError, LookupError, OSError)


class Group(click.Group):
    """Errors that a user can do something about are one line on stderr and exit code 1, not a trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ConfigurationError as error:
            click.echo(f"ullage: {error}", err=True)
            sys.exit(2)
        except EXPECTED as error:
            click.echo(f"ullage: {error}", err=True)
            sys.exit(1)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ullage")
@click.option("--data", metavar="DIR", help="Folder of an embedded installation (ULLAGE_DATA).")
@click.pass_context
def main(ctx: click.Context, data: str | None) -> None:
    """Ullage: real-time replenishment for connected machines."""

    def settings(overrides: dict[str, str | None] | None = None) -> Settings:
        return load({"data": data} | (overrides or {}))

    ctx.obj = settings


_MODULES: tuple[Any, ...] = (running, administration, decisions, operation)
for module in _MODULES:
    for command in module.COMMANDS:
        main.add_command(command)

SettingsOf = Callable[..., Settings]
