"""kill -9 of an import, while it checks and while it appends: the next one goes on, and nothing counts twice."""

import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from journal.codec import decode
from models.frame import Frame
from models.layout import Verdict
from models.partition import Partition
from tests.support.history import ordering, ullage
from tests.support.installation import waited
from ullage import compose
from ullage.settings import Settings

READINGS = 40_000
KILLS = 3
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "history.csv"
    with path.open("w") as file:
        file.write("account,device,ts,supply.black,counter.pages\n")
        for n in range(READINGS):
            at = (BEGAN + timedelta(minutes=n)).isoformat()
            file.write(f"acme,copier-01,{at},{1 - n / READINGS / 2:.4f},{10_000 + n // 10}\n")
    return path


def started(settings: Settings, file: Path) -> "subprocess.Popen[bytes]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ULLAGE_")}
    command = [sys.executable, "-m", "ullage", "--data", str(settings.data), "import-readings", str(file)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def appended(settings: Settings) -> int:
    with closing(compose.journal_of(settings)) as journal:
        return sum(journal.end(p) for p in range(journal.partitions))


def verdicts(settings: Settings) -> list[int]:
    found: list[int] = []
    with closing(compose.journal_of(settings)) as journal:
        for number in range(journal.partitions):
            partition, offset = Partition(number), 0
            while records := journal.read(number, offset):
                for record in records:
                    decoded = decode(record.value)
                    outcome = partition.step(record.offset, decoded, frozenset())
                    if isinstance(decoded, Frame):
                        found += outcome.verdicts.tolist()
                offset = records[-1].offset + 1
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_an_import_survives_kills_and_counts_everything_once(tmp_path: Path, history: Path) -> None:
    settings = ordering(tmp_path / "data")
    process = started(settings, history)
    waited(lambda: list(settings.data.glob("imports/*.db")), "it checks the file", 120)
    process.kill()  # nothing is in the journal yet, or little
    process.wait()
    for _ in range(KILLS):
        before = appended(settings)
        process = started(settings, history)
        waited(lambda: process.poll() is not None or appended(settings) > before, "it appends", 120)  # noqa: B023 - at once
        process.kill()
        process.wait()
    ullage(settings, "import-readings", str(history))
    found = verdicts(settings)
    assert found.count(Verdict.LIVE) == READINGS
    assert set(found) <= {Verdict.LIVE, Verdict.OLD}
