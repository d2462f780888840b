"""A refused message is taken again when its reason is gone."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from journal.codec import decode
from ledger.decisions import poison
from models.frame import Frame
from models.stores import Journal
from tests.support.mqtt import reading
from ullage import compose
from ullage.cli import main
from ullage.settings import load

FLEET = Path(__file__).parents[3] / "docs/examples/fleet.yaml"
RECEIVED = 1_795_000_000_000
GOOD = reading(7, ts=None, supplies={"black": {"level": 0.42}}, counters=None)


def ullage(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--data", str(data), *arguments])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    compose.initialise(load({"data": str(tmp_path)}, environ={}), line=None)
    assert ullage(tmp_path, "fleet", "apply", str(FLEET)).exit_code == 0
    return tmp_path


@pytest.fixture
def journal(data: Path) -> Iterator[Journal]:
    with closing(compose.journal_of(load({"data": str(data)}, environ={}))) as opened:
        yield opened


def keep(data: Path, raw: bytes, device: int = 1) -> int:
    """Its number in the quarantine."""
    with closing(compose.ledger_of(load({"data": str(data)}, environ={}))) as ledger, ledger.write() as tx:
        assert poison.keep(tx, device, RECEIVED, "wrong_unit", "it was so", raw, source="here")
    (held,) = json.loads(ullage(data, "quarantine", "list", "--json").stdout)
    return int(held["id"])


def frames(journal: Journal) -> list[Frame]:
    found = [decode(r.value) for p in range(journal.partitions) for r in journal.read(p, 0)]
    return [record for record in found if isinstance(record, Frame)]


def test_it_is_in_the_journal_as_the_reading_that_it_was(data: Path, journal: Journal) -> None:
    number = keep(data, GOOD)
    assert "wrong_unit" in ullage(data, "quarantine", "list").stdout
    done = ullage(data, "quarantine", "replay", str(number), "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["state"] == "replayed"
    (frame,) = frames(journal)
    assert frame.readings[["device", "seq", "ts"]].tolist() == [(1, 7, RECEIVED)]
    assert frame.supplies["low"].tolist() == [42.0]
    assert "Nothing" in ullage(data, "quarantine", "list").stdout


def test_it_is_replayed_once(data: Path, journal: Journal) -> None:
    number = keep(data, GOOD)
    assert ullage(data, "quarantine", "replay", str(number)).exit_code == 0
    again = ullage(data, "quarantine", "replay", str(number))
    assert (again.exit_code, "was replayed already" in again.output) == (1, True)
    assert len(frames(journal)) == 1


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (reading(7, supplies={"black": {"level": 42}}), "supplies.black.level is 42: use 0..1"),
        (reading(7, supplies={"black": {"remaining": 3, "unit": "kg"}}), "this supply is counted in"),
        (b"", "nothing was kept"),
        (b" " * 4096, "only the first 4096 bytes"),
    ],
)
def test_what_is_refused_still_stays(data: Path, journal: Journal, raw: bytes, said: str) -> None:
    number = keep(data, raw)
    refused = ullage(data, "quarantine", "replay", str(number))
    assert (refused.exit_code, said in refused.output) == (1, True)
    assert frames(journal) == []
    assert "wrong_unit" in ullage(data, "quarantine", "list").stdout


def test_what_nobody_sent_cannot_be_replayed(data: Path) -> None:
    assert "of no registered device" in ullage(data, "quarantine", "replay", str(keep(data, GOOD, device=0))).output
    assert ullage(data, "quarantine", "replay", "99").exit_code == 1
