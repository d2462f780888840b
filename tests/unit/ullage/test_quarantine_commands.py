"""Refused messages are looked at, taken again when their reason is gone or corrected, or discarded."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from journal.codec import decode
from ledger.decisions import poison
from ledger.engine import Ledger
from ledger.ready import mark_ready
from ledger.tables import audit, outbox
from models.frame import Frame
from models.stores import Journal
from tests.support.mqtt import reading
from ullage import compose
from ullage.cli import main
from ullage.settings import load

FLEET = Path(__file__).parents[3] / "docs/examples/fleet.yaml"
RECEIVED = 1_795_000_000_000
COPIER, COFFEE = 1, 2
GOOD = reading(7, ts=None, supplies={"black": {"level": 0.42}}, counters=None)
WRONG = reading(7, ts=None, supplies={"black": {"level": 42}}, counters=None)
BAGS = reading(9, ts=None, supplies={"beans": {"remaining": 3, "unit": "bags"}}, counters=None)


def ullage(data: Path, *arguments: str, code: int = 0) -> Result:
    done = CliRunner().invoke(main, ["--data", str(data), *arguments])
    assert done.exit_code == code, done.output
    return done


def told(data: Path, *arguments: str) -> Any:
    return json.loads(ullage(data, "quarantine", *arguments, "--json").stdout)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    compose.initialise(load({"data": str(tmp_path)}, environ={}), line=None)
    ullage(tmp_path, "fleet", "apply", str(FLEET))
    return tmp_path


@pytest.fixture
def ledger(data: Path) -> Iterator[Ledger]:
    with closing(compose.ledger_of(load({"data": str(data)}, environ={}))) as opened:
        sent(opened)
        yield opened


@pytest.fixture
def journal(data: Path) -> Iterator[Journal]:
    with closing(compose.journal_of(load({"data": str(data)}, environ={}))) as opened:
        yield opened


def sent(ledger: Ledger) -> None:
    """All facts have left for the journal, as the role `deliver` does it."""
    with ledger.write() as tx:
        tx.execute(outbox.delete())
        mark_ready(tx)


def keep(ledger: Ledger, data: Path, raw: bytes, device: int = COPIER, code: str = "level_out_of_range") -> str:
    """Its number in the quarantine."""
    known = told(data, "list")
    with ledger.write() as tx:
        assert poison.keep(tx, device, RECEIVED, code, "it was so", raw, source=f"test/{len(known)}/{raw!r}")
    return str(told(data, "list")[-1]["id"])


def frames(journal: Journal) -> list[Frame]:
    found = [decode(r.value) for p in range(journal.partitions) for r in journal.read(p, 0)]
    return [record for record in found if isinstance(record, Frame)]


def test_it_is_in_the_journal_as_the_reading_that_it_was(data: Path, journal: Journal, ledger: Ledger) -> None:
    number = keep(ledger, data, GOOD)
    assert "level_out_of_range" in ullage(data, "quarantine", "list").stdout
    (done,) = told(data, "replay", number, "--reason", "it was mapped")["replayed"]
    assert (done["id"], done["offset"]) == (int(number), 0)
    (frame,) = frames(journal)
    assert frame.readings[["device", "seq", "ts"]].tolist() == [(1, 7, RECEIVED)]
    assert frame.supplies["low"].tolist() == [42.0]
    assert "Nothing" in ullage(data, "quarantine", "list").stdout
    assert "it was mapped" in ullage(data, "quarantine", "list", "--state", "replayed").stdout
    with ledger.read() as tx:
        (row,) = tx.execute(audit.select().where(audit.c.action == "quarantine.replayed")).all()
    assert (row.subject, row.after["state"]) == (f"quarantine/{number}", "replayed")


def test_it_is_replayed_once(data: Path, journal: Journal, ledger: Ledger) -> None:
    number = keep(ledger, data, GOOD)
    ullage(data, "quarantine", "replay", number)
    assert "was replayed already" in ullage(data, "quarantine", "replay", number, code=1).output
    assert len(frames(journal)) == 1


def test_what_is_refused_still_stays_and_the_others_go(data: Path, journal: Journal, ledger: Ledger) -> None:
    wrong, good = keep(ledger, data, WRONG), keep(ledger, data, GOOD)
    refused = ullage(data, "quarantine", "replay", wrong, good, code=1)
    assert f"{wrong} is refused still: supplies.black.level is 42: use 0..1" in refused.stderr
    assert f"{good} is in the journal" in refused.stdout
    assert [row["id"] for row in told(data, "list")] == [int(wrong)]
    assert len(frames(journal)) == 1


def test_it_is_corrected_by_parts_or_as_a_whole(data: Path, journal: Journal, ledger: Ledger, tmp_path: Path) -> None:
    parts, whole = keep(ledger, data, WRONG), keep(ledger, data, b"{", code="not_json")
    ullage(data, "quarantine", "replay", parts, "--fix", "supplies.black.level=0.3", "--fix", "counters.pages=12")
    message = tmp_path / "message.json"
    message.write_bytes(GOOD)
    ullage(data, "quarantine", "replay", whole, "--fix", str(message))
    assert [frame.supplies["low"].tolist() for frame in frames(journal)] == [[pytest.approx(30.0)], [42.0]]
    assert frames(journal)[0].counters["value"].tolist() == [12]
    assert [json.loads(row["fixed"])["seq"] for row in told(data, "list", "--state", "replayed")] == [7, 7]
    assert (
        "no part of it"
        in ullage(data, "quarantine", "replay", keep(ledger, data, b"["), "--fix", "seq=1", code=1).output
    )


def test_what_became_usable_is_released(data: Path, journal: Journal, ledger: Ledger, tmp_path: Path) -> None:
    number, other = keep(ledger, data, BAGS, COFFEE, "wrong_unit"), keep(ledger, data, WRONG)
    assert told(data, "replay", "--released")["replayed"] == []
    fleet = yaml.safe_load(FLEET.read_text())
    (slot,) = [s for m in fleet["device_models"] for s in m["slots"] if s["name"] == "beans"]
    slot |= {"unit": "bags", "capacity": 4}
    changed = tmp_path / "fleet.yaml"
    changed.write_text(yaml.safe_dump(fleet))
    assert "ullage quarantine replay --released" in ullage(data, "fleet", "apply", str(changed)).stdout
    sent(ledger)
    assert "it can be used by now" in ullage(data, "quarantine", "show", number).stdout
    done = ullage(data, "quarantine", "replay", "--released").stdout
    assert f"{number} is in the journal" in done
    assert "1 stay: level_out_of_range" in done
    assert frames(journal)[0].supplies["low"].tolist() == [75.0]
    assert [row["id"] for row in told(data, "list")] == [int(other)]


def test_one_is_shown_with_all_that_it_says(data: Path, ledger: Ledger) -> None:
    number = keep(ledger, data, WRONG)
    text = ullage(data, "quarantine", "show", number).stdout
    for words in ("A level outside of its range: it was so", "acme/copier-01", "Correct what the device", "use 0..1"):
        assert words in text
    shown = told(data, "show", number)
    assert [part["path"] for part in shown["parts"] if part["fault"]] == ["supplies.black"]
    assert (shown["usable"], shown["raw"]) == (False, WRONG.decode())
    nobodys = keep(ledger, data, b"", device=0, code="unknown_device")
    assert "no known device" in ullage(data, "quarantine", "show", nobodys).stdout
    assert "no quarantined input 99" in ullage(data, "quarantine", "show", "99", code=1).output


def test_one_and_many_are_discarded_for_a_reason(data: Path, journal: Journal, ledger: Ledger) -> None:
    first, *_ = [keep(ledger, data, raw, code=code) for raw, code in ((GOOD, "a"), (WRONG, "b"), (b"{", "b"))]
    assert told(data, "discard", first, "--reason", "a test") == {"discarded": [int(first)]}
    assert "2 discarded" in ullage(data, "quarantine", "discard", "--code", "b", "--reason", "noise").stdout
    assert told(data, "list") == []
    assert [row["note"] for row in told(data, "list", "--state", "discarded")] == ["a test", "noise", "noise"]
    assert "was discarded already" in ullage(data, "quarantine", "replay", first, code=1).output
    assert frames(journal) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["replay", "1", "--released"],
        ["replay", "--code", "x", "--fix", "message.json"],
        ["discard", "1"],
        ["discard", "--reason", "x"],
        ["list", "--state", "lost"],
    ],
)
def test_what_is_meant_must_be_said(data: Path, arguments: list[str]) -> None:
    ullage(data, "quarantine", *arguments, code=2)


@pytest.mark.parametrize("fix", ["no-such-file.json", "=3"])
def test_a_correction_that_is_none(data: Path, ledger: Ledger, fix: str) -> None:
    ullage(data, "quarantine", "replay", keep(ledger, data, WRONG), "--fix", fix, code=1)
