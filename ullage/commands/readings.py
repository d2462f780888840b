"""`ullage import-readings`."""

import time
from contextlib import closing
from pathlib import Path

import click

from ingest.backfill import run
from ingest.backfill.check import Checker
from ingest.backfill.staging import Staging, Standing
from ledger.directory import LedgerDirectory
from ullage import compose
from ullage.commands.common import SettingsOf, as_json, domain_now, emit, opened, progress_bar, tell
from ullage.lag import worker_lag

SHOWN = 20  # lines with mistakes
FAR = 500  # records that the worker may be behind before the import waits: live readings queue behind it
PAUSE_S = 0.2
IMPORTS = "imports"
"""Folder of the data folder."""


@click.command("import-readings")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--skip-bad", is_flag=True, help="Import the rest of a file that has lines with mistakes.")
@click.option("--check", is_flag=True, help="Only check the file.")
@as_json
@click.pass_obj
def import_readings(settings_of: SettingsOf, file: Path, skip_bad: bool, check: bool, as_json: bool) -> None:
    """History of devices from a CSV or JSON lines FILE. It trains forecasts and fills the series, and never orders.

    Interrupted, it goes on where it was; a file that was imported changes nothing."""
    settings = settings_of()
    digest = run.digest_of(file)
    with opened(settings) as ledger, closing(Staging(settings.data / IMPORTS / f"{digest}.db")) as staging:
        directory = LedgerDirectory(ledger)
        standing = run.stage(file, staging, Checker(directory.lookup, domain_now(settings)))
        bad = staging.bad(SHOWN)
        if check or (bad and not skip_bad):
            staging.begin()  # a device may be registered, a line corrected: next time look again
            _report(file, standing, bad, as_json)
            raise SystemExit(1 if bad else 0)

        def wait() -> None:
            while (worker_lag(settings.data) or 0) > FAR:
                time.sleep(PAUSE_S)

        with closing(compose.journal_of(settings)) as journal, progress_bar("importing", quiet=as_json) as progress:
            new = run.append(staging, journal, directory.several, digest, progress, wait)
    done = {"file": str(file), "readings": standing.readings, "imported_now": new, "bad_lines": standing.bad}
    tell(done, f"{file}: {standing.readings} readings, {new} of them now; {standing.bad} lines left out", as_json)


def _report(file: Path, standing: Standing, bad: list[tuple[int, str]], as_json: bool) -> None:
    if as_json:
        mistakes = [{"line": line, "reason": reason} for line, reason in bad]
        emit({"file": str(file), "readings": standing.readings, "bad_lines": standing.bad, "mistakes": mistakes})
        return
    for line, reason in bad:
        click.echo(f"line {line}: {reason}")
    click.echo(
        f"{file}: {standing.readings} readings can be imported, {standing.bad} lines have mistakes; "
        "nothing was imported" + (": correct them, or --skip-bad" if bad else "")
    )
