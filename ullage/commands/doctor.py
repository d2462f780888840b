"""`ullage doctor`."""

import sys

import click

from ullage.commands.common import SettingsOf, as_json, emit
from ullage.doctor.machine import look
from ullage.doctor.rules import examine

MARKS = {"ok": "ok  ", "warn": "WARN", "fail": "FAIL"}


@click.command()
@as_json
@click.pass_obj
def doctor(settings_of: SettingsOf, as_json: bool) -> None:
    """What of machine, files and settings stands in the way, and what to do. Exit code 0: all is well, 1: warnings, 2:
    something fails."""
    settings = settings_of()
    found = examine(look(settings), settings)
    if as_json:
        emit([finding._asdict() for finding in found])
    for finding in () if as_json else found:
        click.echo(f"{MARKS[finding.verdict]} {finding.rule:12} {finding.text}")
        if finding.todo:
            click.echo(f"     {'':12} -> {finding.todo}")
    sys.exit(max(finding.verdict.code for finding in found))
