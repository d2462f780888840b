"""Commands that learn from history what the roles learn by and by."""

from contextlib import closing
from typing import Any

import click
from rich.console import Console
from rich.progress import track

from ledger.registry import weeks
from ullage import compose
from ullage.commands.common import SettingsOf, as_json, domain_now, emit, opened, show
from ullage.weeks import Look, Move, WeekLearner

COLUMNS = ("site", "was", "week", "weeks", "slots")


@click.group()
def learn() -> None:
    """Learn anew from history, now instead of by and by."""


@learn.command("calendars")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@as_json
@click.pass_obj
def learn_calendars(settings_of: SettingsOf, dry_run: bool, as_json: bool) -> None:
    """Which weekdays and holidays each site works on, from 26 weeks of its use."""
    settings = settings_of()
    with opened(settings) as ledger, closing(compose.series_of(settings)) as series:
        now = domain_now(settings)
        learner = WeekLearner(ledger, series)
        sites = learner.due(now, again=0)
        looks = [learner.look(site_id, now) for site_id in _shown(sites, "looking at sites")]
        classes = learner.classes_of(looks)
        if dry_run:
            moves = [learner.plan(look, classes) for look in looks]
        else:
            moves = [_learned(learner, look, classes, now) for look in _shown(looks, "learning weeks")]
            learner.fit_classes(now)
        with ledger.read() as tx:
            calendars = weeks.count_learned(tx)
    rows = [_row(move) for move in moves if move is not None]
    if as_json:
        emit({"dry_run": dry_run, "sites": len(sites), "learned_calendars": calendars, "changes": rows})
        return
    show(rows, COLUMNS, "No site's week differs by enough to matter.", as_json, was=_words, week=_words)
    would = "would go" if dry_run else "go"
    click.echo(
        f"{len(sites)} sites looked at, {len(rows)} {would} by another week; learned calendars in use: {calendars}"
    )


def _learned(learner: WeekLearner, look: Look, classes: Any, now: int) -> Move | None:
    move = learner.adopt(look, classes, now)
    learner.keep(look, now)
    return move


def _shown(things: list[Any], what: str) -> Any:
    """With a bar on stderr, where somebody looks."""
    console = Console(stderr=True)
    return track(things, what, console=console, disable=not console.is_terminal, transient=True)


def _row(move: Move) -> dict[str, Any]:
    was = move.place.current.week
    return {
        "site": move.place.site,
        "account_id": move.place.account,
        "was": {"weekdays": was.weekdays, "holiday": was.holiday},
        "week": {"weekdays": move.week.weekdays, "holiday": move.week.holiday},
        "weeks": round(move.learned.weeks, 1),
        "slots": move.learned.slots,
    }


def _words(week: dict[str, Any]) -> str:
    return " ".join(f"{weight:.2g}" for weight in week["weekdays"]) + f" holidays {week['holiday']:.2g}"
