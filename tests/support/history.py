"""An installation on which no role runs, and two months of one of its machines in a file."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner, Result

from ledger.deliver import deliver_once
from models.outbox import Kind
from models.units import DAY
from tests.support.reference import DOCS
from ullage import compose
from ullage.cli import main
from ullage.settings import Settings, load
from ullage.sinks import JournalSink

DAYS = 60
PER_DAY = 24
NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
BEGAN = NOW - timedelta(days=DAYS, hours=1)


def ordering(data: Path) -> Settings:
    """An installation with the example fleet, which may order, nothing on its shelf, its facts in the journal."""
    made = load({"data": str(data)}, environ={})
    compose.initialise(made, line=None)
    fleet = data.parent / "fleet.yaml"
    text = (DOCS / "examples/fleet.yaml").read_text()
    fleet.write_text(text.replace("mode: observe", "mode: auto").replace("TN-K: 1,", "TN-K: 0,"))
    ullage(made, "fleet", "apply", str(fleet))
    deliver(made)
    return made


def deliver(settings: Settings) -> None:
    """The facts that wait, into the journal."""
    with closing(compose.ledger_of(settings)) as ledger, closing(compose.journal_of(settings)) as journal:
        while deliver_once(ledger, {Kind.FACT: JournalSink(journal)}, int(NOW.timestamp() * 1000) + DAY):
            continue


def ullage(settings: Settings, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["--data", str(settings.data), *arguments])
    assert result.exit_code == code, result.output
    return result


def history(folder: Path, name: str = "history.csv") -> Path:
    """Two months of a copier that uses 3 % a day, swapped at 10 %, at 4 % in the end; newest first."""
    level, lines = 1.0, []
    for hour in range(DAYS * PER_DAY):
        at = BEGAN + timedelta(hours=hour)
        level = 1.0 if level < 0.1 and hour < 45 * PER_DAY else max(0.04, level - 0.03 / PER_DAY)
        lines.append(f"acme,copier-01,{at.isoformat()},{level:.4f},{10_000 + 15 * hour}")
    path = folder / name
    path.write_text("\n".join(["account,device,ts,supply.black,counter.pages", *reversed(lines)]) + "\n")
    return path
