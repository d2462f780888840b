"""What the commands share: the open ledger, output for people and for machines, who is calling."""

import getpass
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from ledger.engine import Ledger
from ledger.migrate import upgrade
from models.stores import StoreError
from ullage import clocks, compose
from ullage.clock import last_tick
from ullage.settings import Settings

SettingsOf = Callable[..., Settings]

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


def moment(ms: int | None) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M") if ms else "-"


def shown_at(at: str | None) -> str:
    """An RFC 3339 time of a view, for people."""
    return at[:16].replace("T", " ") if at else "-"


def emit(value: Any) -> None:
    """JSON on stdout, money as strings."""
    click.echo(json.dumps(msgspec.to_builtins(value, enc_hook=str, str_keys=True), indent=2, ensure_ascii=False))


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], empty: str) -> None:
    """Rows for people; `empty` says what to do when there are none."""
    if not rows:
        click.echo(empty)
        return
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(column.replace("_", " "))
    for row in rows:
        drawn.add_row(*("" if row[c] is None else str(row[c]) for c in columns))
    Console(soft_wrap=True).print(drawn)
