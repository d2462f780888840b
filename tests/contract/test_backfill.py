"""A file of history through command, journal and `step`: it trains, orders nothing, and counts once however often it is
interrupted."""

import json
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingest.backfill import run
from ingest.backfill.staging import Staging
from ingest.frames import Resolver, build
from ingest.limits import Rejected
from ingest.message import decode as decoded
from journal.codec import decode, encode_tick
from journal.routing import partition_of
from ledger.directory import LedgerDirectory
from models.effects import Need, SlotView
from models.frame import Frame, ReadingFlag
from models.layout import Verdict
from models.partition import Partition
from models.records import Tick
from models.units import HOUR
from tests.support.history import DAYS, NOW, PER_DAY, deliver, history, ordering, ullage
from ullage import compose
from ullage.cli import main
from ullage.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return ordering(tmp_path / "data")


def folded(settings: Settings) -> tuple[list[Any], list[int], list[Partition], list[int]]:
    """Effects, verdicts of the backfilled readings, the partitions after all of the journal, and where it ends."""
    effects: list[Any] = []
    verdicts: list[int] = []
    partitions, ends = [], []
    with closing(compose.journal_of(settings)) as journal:
        for number in range(journal.partitions):
            partition, offset = Partition(number), 0
            while records := journal.read(number, offset):
                for record in records:
                    found = decode(record.value)
                    outcome = partition.step(record.offset, found, frozenset())
                    effects += outcome.effects
                    if isinstance(found, Frame):
                        history = (found.readings["flags"] & ReadingFlag.BACKFILLED) != 0
                        verdicts += outcome.verdicts[history].tolist()
                offset = records[-1].offset + 1
            partitions.append(partition)
            ends.append(offset)
    return effects, verdicts, partitions, ends


def ticks(settings: Settings, count: int) -> None:
    first = int(NOW.timestamp() * 1000)
    with closing(compose.journal_of(settings)) as journal:
        journal.append(
            [(p, encode_tick(Tick(first + n * HOUR, 0))) for n in range(count) for p in range(journal.partitions)]
        )


def test_history_trains_and_never_orders(settings: Settings, tmp_path: Path) -> None:
    ticks(settings, 1)
    told = json.loads(ullage(settings, "import-readings", str(history(tmp_path)), "--json").stdout)
    assert told == told | {"readings": DAYS * PER_DAY, "imported_now": DAYS * PER_DAY, "bad_lines": 0}
    ticks(settings, 6)
    ullage(settings, "account", "pause", "acme")
    ullage(settings, "account", "resume", "acme")  # all of the account's slots are looked at again
    deliver(settings)
    ticks(settings, 24)
    effects, verdicts, partitions, _ = folded(settings)
    assert verdicts == [Verdict.LIVE] * (DAYS * PER_DAY)
    assert not [e for e in effects if isinstance(e, Need)]
    assert {e.status for e in effects if isinstance(e, SlotView)} >= {"imported"}
    (rate,) = [float(row["rate"]) for p in partitions for row in p.state.slots.live if row["level"] > 0]
    assert 2 < rate < 5  # per cent a day
    says(settings, 0.04)
    ticks(settings, 26)
    assert [e.cause for e in folded(settings)[0] if isinstance(e, Need)]  # what is known now is ordered for


def says(settings: Settings, level: float) -> None:
    """The device itself, now."""
    with closing(compose.ledger_of(settings)) as ledger, closing(compose.journal_of(settings)) as journal:
        identity = LedgerDirectory(ledger).lookup("acme", "copier-01")
        assert identity is not None
        at = (NOW + timedelta(hours=25)).isoformat()
        message = json.dumps({"ts": at, "boot": "live", "seq": 1, "supplies": {"black": {"level": level}}}).encode()
        reading = decoded(message)
        assert not isinstance(reading, Rejected)
        row = Resolver(identity).row(reading, message, int((NOW + timedelta(hours=25)).timestamp() * 1000))
        assert not isinstance(row, Rejected)
        journal.append([(partition_of(identity.shard, journal.partitions), record) for record in build([row])])


def test_an_import_that_is_killed_goes_on_and_counts_nothing_twice(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at the worst moment: a batch is in the journal, but nobody has noted it."""
    file = history(tmp_path)
    monkeypatch.setattr(run, "APPENDED", 500)
    note, batches = Staging.done, []

    def killed(staging: Staging, upto: int) -> None:
        batches.append(upto)
        if len(batches) == 2:
            raise KeyboardInterrupt
        note(staging, upto)

    monkeypatch.setattr(Staging, "done", killed)
    assert CliRunner().invoke(main, ["--data", str(settings.data), "import-readings", str(file)]).exit_code == 1
    told = json.loads(ullage(settings, "import-readings", str(file), "--json").stdout)
    assert told["imported_now"] == DAYS * PER_DAY - 500
    _, verdicts, _, _ = folded(settings)
    assert verdicts.count(Verdict.LIVE) == DAYS * PER_DAY
    assert verdicts.count(Verdict.OLD) == 500  # appended once more, and taken for seen
    assert len(verdicts) == DAYS * PER_DAY + 500
    again = json.loads(ullage(settings, "import-readings", str(file), "--json").stdout)
    assert again["imported_now"] == 0


def test_nothing_of_a_file_with_mistakes_is_imported_unless_they_are_to_be_left_out(
    settings: Settings, tmp_path: Path
) -> None:
    file = history(tmp_path)
    file.write_text(file.read_text() + "acme,copier-99,2026-01-01T00:00:00Z,0.5,\n" + "acme,copier-01,yesterday,0.5,\n")
    said = json.loads(ullage(settings, "import-readings", str(file), "--json", code=1).stdout)
    assert said["bad_lines"] == 2
    assert said["mistakes"][0] == {
        "line": DAYS * PER_DAY + 2,
        "reason": "there is no device acme/copier-99",
    }
    assert folded(settings)[1] == []
    assert "line 1442: there is no device" in ullage(settings, "import-readings", str(file), code=1).output
    told = json.loads(ullage(settings, "import-readings", str(file), "--skip-bad", "--json").stdout)
    assert (told["imported_now"], told["bad_lines"]) == (DAYS * PER_DAY, 2)


def test_a_check_imports_nothing(settings: Settings, tmp_path: Path) -> None:
    assert (
        "1440 readings can be imported" in ullage(settings, "import-readings", str(history(tmp_path)), "--check").output
    )
    assert folded(settings)[1] == []
