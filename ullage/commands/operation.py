"""Commands for whoever runs it: how it stands, replay, dead letters."""

import sys
from contextlib import closing

import click
import msgspec

from ledger import books, outbox
from ledger.decisions.ledger import LedgerDecisions
from ledger.engine import Ledger
from ledger.views import replayed
from models.stores import Journal, StateStore
from streams.replay import Report
from streams.replay import replay as replay_partition
from ullage import compose
from ullage.commands.common import (
    SettingsOf,
    as_json,
    emit,
    moment,
    note,
    opened,
    reading,
    show,
    shown_at,
    sized,
    tell,
    writing,
)
from ullage.disk import DiskUse, disk_use
from ullage.lag import worker_lag
from ullage.standing import standing


@click.command()
@as_json
@click.pass_obj
def status(settings_of: SettingsOf, as_json: bool) -> None:
    """How the installation stands. Exit code 1 when the books do not balance or a dead letter waits."""
    settings = settings_of()
    with opened(settings) as ledger:
        now = standing(ledger)
        with ledger.read() as tx:
            findings = books.check(tx)
    lag, disk = worker_lag(settings.data), disk_use(settings)
    wrong = [str(f) for f in findings]
    if as_json:
        emit(msgspec.to_builtins(now, str_keys=True) | {"lag": lag, "findings": wrong, "disk": disk})
    else:
        click.echo(f"as of           {moment(now.now)}")
        click.echo(f"fleet           {now.accounts} accounts, {now.sites} sites, {now.devices} devices")
        for name, counts in (("slots", now.bands), ("orders", now.orders), ("needs", now.needs)):
            click.echo(f"{name:15} " + (", ".join(f"{n} {what}" for what, n in counts.items()) or "none"))
        click.echo(f"refills         {now.empties_met} before it was empty, {now.empties_missed} after")
        click.echo(f"for people      {now.quarantined} in quarantine, {now.tasks} tasks")
        click.echo(f"outbox          {now.outbox_waiting} waiting, {now.outbox_dead} dead (ullage outbox list)")
        click.echo("worker          " + ("is not running" if lag is None else f"{lag} records behind"))
        click.echo("books           " + ("; ".join(wrong) if wrong else "balance"))
        _tell_disk(disk)
    sys.exit(1 if wrong or now.outbox_dead else 0)


def _tell_disk(disk: DiskUse) -> None:
    stores = ", ".join(f"{part} {sized(count)}" for part, count in disk.stores.items())
    click.echo(f"disk            {stores}; {sized(disk.free)} of {sized(disk.whole)} free")
    kept = disk.kept
    bounds = f"kept {kept['journal_keep']}, at most {kept['journal_most']}"
    click.echo(f"journal         since {moment(disk.journal_oldest)}; {bounds}")
    click.echo(f"series          kept {kept['series_keep']}")
    last = disk.last_backup
    click.echo(
        "last backup     "
        + (f"{shown_at(last.made)}, {sized(last.bytes)} in {last.folder}" if last else "none: ullage backup create")
    )


@click.command()
@as_json
@click.pass_obj
def replay(settings_of: SettingsOf, as_json: bool) -> None:
    """State and views from the journal, compared with what is there. Exit code 1 when there are differences."""
    settings = settings_of()
    with (
        opened(settings) as ledger,
        closing(compose.journal_of(settings)) as journal,
        closing(compose.state_of(settings)) as state,
    ):
        decisions = LedgerDecisions(ledger, partitions=journal.partitions)
        reports = [_replayed(ledger, journal, state, decisions, p) for p in range(journal.partitions)]
    if as_json:
        emit(reports)
    for report in () if as_json else reports:
        same = "the same" if report.same else f"{len(report.differences)} differences"
        click.echo(
            f"partition {report.partition}: offsets {report.start} to {report.end}, {report.readings} readings: {same}"
            f" ({', '.join(report.compared)})"
        )
        for line in report.differences:
            click.echo(f"  {line}")
    sys.exit(0 if all(report.same for report in reports) else 1)


def _replayed(
    ledger: Ledger, journal: Journal, state: StateStore, decisions: LedgerDecisions, partition: int
) -> Report:
    with ledger.read() as tx:
        views = replayed.written_views(tx, partition, journal.partitions)
        offset = replayed.reached(tx, partition)
        untold = replayed.untold_needs(tx)
    return replay_partition(
        journal, state, decisions, partition, views=lambda _: views, offset=lambda _: offset, untold=untold
    )


@click.group("outbox")
def outbox_group() -> None:
    """What must leave the house and has not yet."""


@outbox_group.command("list")
@click.option("--dead", is_flag=True, help="Only dead letters.")
@as_json
@click.pass_obj
def outbox_list(settings_of: SettingsOf, dead: bool, as_json: bool) -> None:
    """What waits to be delivered, with the last error."""
    with reading(settings_of) as tx:
        rows = [
            {"id": r.id, "kind": r.kind, "aggregate": r.aggregate, "attempts": r.attempts, "error": r.last_error}
            for r in outbox.list_unsettled(tx, dead=dead)
        ]
    show(rows, ("id", "kind", "aggregate", "attempts", "error"), "Nothing waits.", as_json)


@outbox_group.command("retry")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def outbox_retry(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """Try a dead letter again."""
    with writing(settings_of) as (tx, _):
        outbox.retry_dead(tx, number)
        note(tx, "outbox.retried", f"outbox/{number}")
    tell({"id": number, "state": "waiting"}, f"row {number} is tried again", as_json)
