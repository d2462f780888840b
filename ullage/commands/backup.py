"""Commands about backups: make, verify, restore."""

import sys
from pathlib import Path

import click

from models.stores import StoreError
from models.version import LOGIC
from ullage import compose
from ullage.backup import create as making
from ullage.backup.manifest import Manifest
from ullage.backup.restore import restore as restoring
from ullage.backup.verify import verify as verifying
from ullage.commands.common import SettingsOf, as_json, emit, progress_bar, sized

a_backup = click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))


@click.group()
def backup() -> None:
    """Backups of a running installation."""


@backup.command("create")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@as_json
@click.pass_obj
def backup_create(settings_of: SettingsOf, folder: Path, as_json: bool) -> None:
    """Copy checkpoints, series, ledger and journal into the new folder DIR while everything runs."""
    settings = settings_of()
    if not (settings.data / "clock").exists():
        raise StoreError(f"there is no installation in {settings.data}: give --data")
    for open_store in (compose.state_of, compose.series_of):  # those that no role has made yet are empty
        open_store(settings).close()
    with progress_bar("copying", quiet=as_json) as progress:
        made = making.create(settings, folder, progress)
    if as_json:
        emit({"folder": str(folder), "manifest": made})
        return
    click.echo(f"{folder}: {sized(made.bytes)} in {made.seconds:.1f} s, as of {made.made}")
    _tell_positions(made)


@backup.command("verify")
@a_backup
@as_json
def backup_verify(folder: Path, as_json: bool) -> None:
    """Hashes, pages and offsets of a backup, without changing it. Exit code 1 when something is wrong."""
    said, wrong = verifying(folder)
    if as_json:
        emit({"folder": str(folder), "manifest": said, "wrong": wrong})
    else:
        click.echo(f"{folder}: made {said.made} by version {said.program}, {sized(said.bytes)}")
        _tell_positions(said)
        click.echo("\n".join(wrong) if wrong else "It is whole and can be restored.")
    sys.exit(1 if wrong else 0)


@click.command()
@a_backup
@click.option("--go-on", is_flag=True, help="Do not pause ordering: nothing was ordered since the backup was made.")
@as_json
@click.pass_obj
def restore(settings_of: SettingsOf, folder: Path, go_on: bool, as_json: bool) -> None:
    """Make an installation of the backup DIR in an empty data folder. Ordering is paused, for what was ordered since
    the backup is not known any more."""
    settings = settings_of()
    with progress_bar("restoring", quiet=as_json) as progress:
        said, done = restoring(settings, folder, pause=not go_on, progress=progress)
    other = said.logic if said.logic != LOGIC else None
    if as_json:
        emit({"data": str(settings.data), "manifest": said, "restored": done._asdict(), "other_logic": other})
        return
    click.echo(f"{settings.data} is as it was at {said.made}; incarnation {done.incarnation}, {done.facts} facts told")
    if other:
        click.echo(f"Version {other} of the logic made it, this is {LOGIC}: see --accept-logic of `ullage serve`.")
    if done.paused:
        click.echo(
            f"Ordering is paused in {len(done.paused)} accounts. Ask the suppliers what they were sent since "
            f"{said.made}, count what came, then: ullage account resume NAME"
        )
    click.echo("Start it: ullage serve. Never start the old one beside it.")


def _tell_positions(made: Manifest) -> None:
    for at in made.positions:
        start = "none" if at.checkpoint is None else at.checkpoint
        click.echo(
            f"partition {at.partition}: checkpoint {start}, ledger {at.ledger}, journal {at.earliest} to {at.end}"
        )
