"""Commands about input that was acknowledged but could not be used."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec

from ingest.advice import advice
from ingest.fix import BadFix, Fix, assignments
from ingest.release import Actor, Chosen, Outcome, Quarantine, RefusedStill
from ingest.unpack import parts, text_of
from ledger import quarantine
from ledger.directory import LedgerDirectory
from ledger.quarantine import Held, Settled
from ledger.scope import Scope
from ullage import compose
from ullage.commands.common import (
    SettingsOf,
    as_json,
    domain_now,
    emit,
    every,
    moment,
    opened,
    person,
    reading,
    show,
    table,
    tell,
)

ALL = Scope.all()
which = click.argument("numbers", nargs=-1, type=int)
of_device = click.option("--device", "device_id", type=int, help="All that waits of this device.")
of_code = click.option("--code", help="All that waits for this reason, such as wrong_unit.")


@click.group("quarantine")
def quarantine_group() -> None:
    """Input that was acknowledged but could not be used."""


@quarantine_group.command("list")
@click.option("--device", "device_id", type=int, help="Of this device only.")
@click.option("--code", help="For this reason only.")
@click.option("--state", type=click.Choice(["held", "replayed", "discarded"]), default="held", help="Default: held.")
@as_json
@click.pass_obj
def quarantine_list(
    settings_of: SettingsOf, device_id: int | None, code: str | None, state: str, as_json: bool
) -> None:
    """What waits for a person, or what became of it; oldest first."""
    with reading(settings_of) as tx:
        rows = every(
            lambda after: quarantine.list_held(tx, ALL, device_id=device_id, code=code, state=state, after=after)
        )
    columns = ["id", "device_id", "ts", "code", "reason"] + (["settled_by", "note"] if state != "held" else [])
    show([row | _texts(row) for row in rows], columns, "Nothing is in quarantine.", as_json, ts=moment)


@quarantine_group.command("show")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def quarantine_show(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """Why one waits, what to do about it, and everything that it says, as far as it can be read."""
    settings = settings_of()
    with opened(settings) as ledger, closing(compose.journal_of(settings)) as journal:
        with ledger.read() as tx:
            held = quarantine.get(tx, ALL, number)
        identity = None if held.device_id is None else LedgerDirectory(ledger).numbered(held.device_id)
        usable = bool(Quarantine(ledger, journal).usable(ALL, [number]))
    said = [part._asdict() for part in parts(held.raw, identity)]
    known = advice(held.code)
    if as_json:
        row = msgspec.structs.asdict(held)
        emit(row | _texts(row) | known._asdict() | {"usable": usable, "parts": said})
        return
    click.echo(f"{known.means}: {held.reason}")
    click.echo(
        f"from   {f'{identity.account}/{identity.device}' if identity else 'no known device'}, {moment(held.ts)}"
    )
    click.echo(_standing(held, "it can be used by now: replay it" if usable else known.hint))
    if said:
        rows = [part | {"taken": f"refused: {part['taken']}" if part["fault"] else part["taken"]} for part in said]
        table(rows, ("path", "said", "taken"), "")
    click.echo(text_of(held.raw) or "Nothing of it was kept.")


@quarantine_group.command("replay")
@which
@of_device
@of_code
@click.option("--released", is_flag=True, help="All that waits and can be used by now.")
@click.option(
    "--fix",
    "fixes",
    multiple=True,
    metavar="KEY=VALUE|FILE",
    help="Correct it: supplies.black.level=0.42 (null removes; may be repeated), or a JSON file in place of it.",
)
@click.option("--reason", default="", help="Why, for whoever looks at it later.")
@as_json
@click.pass_obj
def quarantine_replay(
    settings_of: SettingsOf,
    numbers: tuple[int, ...],
    device_id: int | None,
    code: str | None,
    released: bool,
    fixes: tuple[str, ...],
    reason: str,
    as_json: bool,
) -> None:
    """Take refused messages again, as they would be taken today or corrected: each becomes a reading, once. Exit code 1
    when one of NUMBERS is refused still."""
    chosen = _chosen(numbers, device_id, code, whole=released)
    if any("=" not in fix for fix in fixes) and (len(numbers), len(fixes)) != (1, 1):
        raise click.UsageError("a file is one message: give it alone, and the one NUMBER that it stands for")
    fix = _fix(fixes)
    with _at_work(settings_of, reason) as (desk, actor):
        if numbers:
            _named(desk, actor, numbers, fix, as_json)
            return
        outcome = desk.replay(ALL, chosen, actor, fix)
    tell(outcome.as_json(), _summary(outcome), as_json)


@quarantine_group.command("discard")
@which
@of_device
@of_code
@click.option("--reason", required=True, help="Why, for whoever looks at it later.")
@as_json
@click.pass_obj
def quarantine_discard(
    settings_of: SettingsOf,
    numbers: tuple[int, ...],
    device_id: int | None,
    code: str | None,
    reason: str,
    as_json: bool,
) -> None:
    """Refused messages will not be looked at again; they stay on record as discarded."""
    chosen = _chosen(numbers, device_id, code)
    with _at_work(settings_of, reason) as (desk, actor):
        done = desk.discard(ALL, chosen, actor)
    tell({"discarded": done}, f"{len(done)} discarded.", as_json)


@contextmanager
def _at_work(settings_of: SettingsOf, note: str) -> Iterator[tuple[Quarantine, Actor]]:
    settings = settings_of()
    actor = Actor(person(), domain_now(settings), note)
    with opened(settings) as ledger, closing(compose.journal_of(settings)) as journal:
        yield Quarantine(ledger, journal), actor


def _named(desk: Quarantine, actor: Actor, numbers: tuple[int, ...], fix: Fix, as_json: bool) -> None:
    """Each on its own: one that is refused does not keep the others. Raises RefusedStill at the end."""
    outcome, refused = Outcome(), []
    for number in numbers:
        try:
            outcome.replayed.append(desk.replay_one(ALL, number, actor, fix))
        except (Settled, RefusedStill) as error:
            refused.append(str(error))
    if outcome.replayed:
        tell(outcome.as_json(), _summary(outcome), as_json)
    if refused:
        raise RefusedStill("; ".join(refused))


def _summary(outcome: Outcome) -> str:
    lines = [f"{one.id} is in the journal: partition {one.partition}, offset {one.offset}" for one in outcome.replayed]
    lines += [f"{count} stay: {code}" for code, count in Counter(one.code for one in outcome.kept).most_common()]
    return "\n".join(lines) or "Nothing waits."


def _standing(held: Held, todo: str) -> str:
    if held.state == "held":
        return f"to do  {todo}"
    return f"{held.state} by {held.settled_by}, {moment(held.settled_at)}" + (f": {held.note}" if held.note else "")


def _texts(row: dict[str, Any]) -> dict[str, Any]:
    """Bytes as people read them."""
    return {name: None if row[name] is None else text_of(row[name]) for name in ("raw", "fixed")}


def _chosen(numbers: tuple[int, ...], device_id: int | None, code: str | None, *, whole: bool = False) -> Chosen:
    filters = device_id is not None or code is not None or whole
    if bool(numbers) == filters:
        raise click.UsageError("say which: either NUMBERS, or an option that chooses")
    return Chosen(numbers, device_id, code)


def _fix(fixes: tuple[str, ...]) -> Fix:
    """Raises BadFix, OSError."""
    if len(fixes) == 1 and "=" not in fixes[0]:
        message = Path(fixes[0]).read_bytes()
        try:
            json.loads(message)
        except (ValueError, RecursionError) as error:
            raise BadFix(f"{fixes[0]}: no JSON: {error}") from error
        return Fix(message=message)
    return Fix(patch=assignments(fixes)) if fixes else Fix()
