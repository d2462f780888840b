"""What the commands share: the open ledger, output for people and for machines, who is calling."""

import getpass
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from ledger import audit
from ledger.clock import real_ms
from ledger.engine import Ledger
from ledger.migrate import upgrade
from models.stores import StoreError
from ullage import clocks, compose
from ullage.clock import last_tick
from ullage.settings import Settings

SettingsOf = Callable[..., Settings]
Noun = TypeVar("Noun", bound=msgspec.Struct)

UNWRAPPED = 1000  # columns, where no terminal says how many there are: a program or a file takes whole lines

as_json = click.option("--json", "as_json", is_flag=True, help="For machines.")


@contextmanager
def opened(settings: Settings) -> Iterator[Ledger]:
    """The installation's ledger. Raises StoreError when there is no installation yet."""
    data: Path = settings.data
    if settings.ledger.startswith("sqlite:") and not (data / "clock").exists():
        raise StoreError(f"there is no installation in {data}: start `ullage serve` or `ullage demo`, or give --data")
    ledger = compose.ledger_of(settings)
    try:
        upgrade(ledger)
        yield ledger
    finally:
        ledger.close()


@contextmanager
def reading(settings_of: SettingsOf) -> Iterator[Connection]:
    """A snapshot of the installation's ledger. Raises StoreError."""
    with opened(settings_of()) as ledger, ledger.read() as tx:
        yield tx


@contextmanager
def writing(settings_of: SettingsOf) -> Iterator[tuple[Connection, int]]:
    """A transaction in the installation's ledger, and domain time (ms). Raises StoreError: nothing was changed."""
    settings = settings_of()
    with opened(settings) as ledger:
        now = domain_now(settings)  # before the transaction: others wait for its end
        with ledger.write() as tx:
            yield tx, now


def domain_now(settings: Settings) -> int:
    """Domain time: the system's, or in a simulated world the newest tick's."""
    data: Path = settings.data
    if not (data / "clock").exists() or (data / "clock").read_text().strip() == "system":
        return clocks.system_ms()
    journal = compose.journal_of(settings)
    try:
        return max(last_tick(journal, p) for p in range(journal.partitions)) or clocks.system_ms()
    finally:
        journal.close()


def person() -> str:
    """Who types: stands in the audit and on approvals."""
    return f"{getpass.getuser()} (command line)"


def note(tx: Connection, action: str, subject: str, **more: Any) -> None:
    """What the caller does, into the audit. `more`: account_id, before, after."""
    audit.record(tx, person(), action, subject, real_ms(), **more)


def moment(ms: int | None) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC") if ms else "-"


def shown_at(at: str | None) -> str:
    """An RFC 3339 time of a view, for people."""
    return f"{at[:16].replace('T', ' ')} UTC" if at else "-"


def sized(count: float) -> str:
    """Bytes for people, in powers of 1,000 as settings have them."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


@contextmanager
def progress_bar(label: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr where a person looks; what it gives is told how much is done, and of how much."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def progress(done: int, whole: int) -> None:
            bar.length = whole
            bar.update(done - bar.pos)

        yield progress


def emit(value: Any) -> None:
    """JSON on stdout, money as strings."""
    click.echo(json.dumps(msgspec.to_builtins(value, enc_hook=str, str_keys=True), indent=2, ensure_ascii=False))


def tell(data: Any, text: str, as_json: bool) -> None:
    """What was done: `data` for machines, `text` for people."""
    emit(data) if as_json else click.echo(text)


def every(page: Callable[[int], Sequence[Noun]]) -> list[dict[str, Any]]:
    """All of a list that comes in pages; `page(after)` gives those behind an id."""
    rows: list[dict[str, Any]] = []
    while found := page(rows[-1]["id"] if rows else 0):
        rows += [msgspec.structs.asdict(one) for one in found]
    return rows


def show(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    empty: str,
    as_json: bool,
    **words: Callable[[Any], str],
) -> None:
    """A list: whole rows for machines, some columns for people. `words`: how the value of a column reads."""
    if as_json:
        emit(rows)
        return
    table([{**row, **{name: say(row[name]) for name, say in words.items()}} for row in rows], columns, empty)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], empty: str) -> None:
    """Rows for people; `empty` says what to do when there are none."""
    if not rows:
        click.echo(empty)
        return
    console = Console(soft_wrap=True)
    if not console.is_terminal:
        console.width = UNWRAPPED
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(column.replace("_", " "))
    for row in rows:
        drawn.add_row(*("" if row[c] is None else str(row[c]) for c in columns))
    console.print(drawn)
