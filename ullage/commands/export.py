"""`ullage export`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import click

from ledger.engine import Ledger
from ledger.registry import accounts
from ledger.scope import Scope
from ullage import compose
from ullage.commands.common import SettingsOf, as_json, domain_now, emit, opened
from ullage.export import rows
from ullage.export.write import write_lines, write_table
from ullage.settings import Settings

KINDS = ("devices", "slots", "needs", "orders", "series", "readings")
DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]
Rows = Callable[[], Iterator[dict[str, Any]]]


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), help="File; else standard output.")
@click.option("--account", help="Only this account's.")
@click.option("--since", type=click.DateTime(DATES), help="Series and readings from here on (UTC).")
@click.option("--until", type=click.DateTime(DATES), help="Series and readings before (UTC).")
@as_json
@click.pass_obj
def export(
    settings_of: SettingsOf,
    kind: str,
    form: str,
    file: Path | None,
    account: str | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Rows for other programs. A text that a spreadsheet would calculate gets an apostrophe in front. With --to, --json
    tells how many there were."""
    settings = settings_of()
    span = (_ms(since, 0), _ms(until, rows.FOREVER))
    with opened(settings) as ledger, _output(file) as to, _source(settings, ledger, kind, account, span) as source:
        if form == "csv":
            table = (lambda: map(rows.flat, source())) if kind == "readings" else source
            count = write_table(table, to)
        else:
            count = write_lines(source(), to)
    if as_json and file:
        emit({"kind": kind, "file": str(file), "rows": count})
    elif file:
        click.echo(f"{file}: {count} {kind}", err=True)


def _ms(at: datetime | None, otherwise: int) -> int:
    return otherwise if at is None else int(at.replace(tzinfo=UTC).timestamp() * 1000)


@contextmanager
def _output(file: Path | None) -> Iterator[TextIO]:
    if file is None:
        yield sys.stdout
        return
    with file.open("w", newline="", encoding="utf-8") as to:
        yield to


@contextmanager
def _source(
    settings: Settings, ledger: Ledger, kind: str, account: str | None, span: tuple[int, int]
) -> Iterator[Rows]:
    """What gives the rows, from their beginning each time it is called."""
    scope = Scope.all()
    if account is not None:
        with ledger.read() as tx:
            scope = Scope.of(accounts.find(tx, scope, account).id)
    if kind == "readings":
        with closing(compose.journal_of(settings)) as journal:
            yield lambda: rows.readings(ledger, journal, scope, *span)
    elif kind == "series":
        with closing(compose.series_of(settings)) as series:
            yield lambda: rows.series(ledger, series, scope, *span)
    elif kind == "slots":
        now = domain_now(settings)
        yield lambda: rows.slots(ledger, scope, now)
    else:
        of = {"devices": rows.devices, "needs": rows.needs, "orders": rows.orders}[kind]
        yield lambda: of(ledger, scope)
