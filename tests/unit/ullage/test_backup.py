"""Backups of an installation that no role runs on: what is in them, what is refused, what a restored ledger does."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from journal.codec import encode_tick
from ledger.tables import account, order, outbox
from models.outbox import Kind
from models.records import Tick
from tests.support.reference import DOCS
from ullage import compose
from ullage.backup.manifest import Position
from ullage.backup.parts import contradictions
from ullage.cli import main
from ullage.settings import Settings, load

FLEET = DOCS / "examples/fleet.yaml"
TICKS = 5


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [v for v in os.environ if v.startswith("ULLAGE_")]:
        monkeypatch.delenv(variable)


def settings(data: Path) -> Settings:
    return load({"data": str(data)}, environ={})


def ullage(data: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["--data", str(data), *arguments])
    assert result.exit_code == code, result.output
    return result


def told(data: Path, *arguments: str, code: int = 0) -> Any:
    return json.loads(ullage(data, *arguments, "--json", code=code).stdout)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    compose.initialise(settings(folder), line=None)
    ullage(folder, "fleet", "apply", str(FLEET))
    with closing(compose.journal_of(settings(folder))) as journal:
        journal.append([(p, encode_tick(Tick(1000 + n, 0))) for p in range(4) for n in range(TICKS)])
    return folder


@pytest.fixture
def backup(data: Path, tmp_path: Path) -> Path:
    told(data, "backup", "create", str(tmp_path / "backup"))
    return tmp_path / "backup"


def test_a_backup_says_what_it_holds_and_is_verified(data: Path, tmp_path: Path) -> None:
    made = told(data, "backup", "create", str(tmp_path / "b"))["manifest"]
    assert [f["name"] for f in made["files"]] == ["state.db", "series.db", "ledger.db", "journal.db"]
    assert made["positions"][2] == {
        "partition": 2, "checkpoint": None, "series": 0, "ledger": 0, "earliest": 0, "end": TICKS,
    }  # fmt: skip
    assert made["clock"] == "system"
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "b").iterdir()}
    checked = told(data, "backup", "verify", str(tmp_path / "b"))
    assert checked["wrong"] == []
    assert checked["manifest"] == made
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "b").iterdir()} == before
    assert "whole and can be restored" in ullage(data, "backup", "verify", str(tmp_path / "b")).stdout


def test_a_folder_that_is_there_is_not_overwritten(data: Path, backup: Path) -> None:
    assert "is there already" in ullage(data, "backup", "create", str(backup), code=1).output


def test_without_an_installation_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    assert "no installation" in ullage(tmp_path / "none", "backup", "create", str(tmp_path / "b"), code=1).output
    assert not (tmp_path / "b").exists()


def test_stores_of_another_kind_are_left_to_their_own_tools(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ullage.backup.parts.scheme_of", lambda url: "postgresql" if "ledger" in url else "sqlite")
    said = ullage(data, "backup", "create", str(tmp_path / "b"), code=1).output
    assert "ULLAGE_LEDGER is no SQLite file" in said
    assert not list(tmp_path.glob("*partial"))


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _forge(file: Path) -> None:
    """A journal that is shorter, with a manifest that says the hash of just this file."""
    with closing(sqlite3.connect(file)) as db:
        db.execute("DELETE FROM record")
        db.commit()
    manifest = json.loads((file.parent / "manifest.json").read_bytes())
    from ullage.backup.manifest import described  # noqa: PLC0415 - only this forger needs it

    manifest["files"] = [msgspec.to_builtins(described(file.parent / f["name"])) for f in manifest["files"]]
    (file.parent / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda b: _flip(b / "ledger.db"), "ledger.db has"),
        (lambda b: (b / "series.db").unlink(), "series.db is missing"),
        (lambda b: _forge(b / "journal.db"), "stand elsewhere than the manifest says"),
    ],
)
def test_a_harmed_backup_is_told(data: Path, backup: Path, harm: Any, said: str) -> None:
    harm(backup)
    assert any(said in line for line in told(data, "backup", "verify", str(backup), code=1)["wrong"])


def test_a_folder_without_a_manifest_is_no_backup(data: Path, backup: Path, tmp_path: Path) -> None:
    (backup / "manifest.json").unlink()
    for command in (("backup", "verify"), ("restore",)):
        assert "interrupted" in ullage(tmp_path / "new", *command, str(backup), code=1).output


def test_a_backup_of_a_later_format_is_refused(data: Path, backup: Path, tmp_path: Path) -> None:
    text = (backup / "manifest.json").read_text()
    (backup / "manifest.json").write_text(text.replace('"format": 1', '"format": 2'))
    assert "is of format 2" in ullage(tmp_path / "new", "restore", str(backup), code=1).output


def test_a_harmed_backup_is_not_restored_and_leaves_nothing(data: Path, backup: Path, tmp_path: Path) -> None:
    _flip(backup / "journal.db")
    assert "is not what was backed up" in ullage(tmp_path / "new", "restore", str(backup), code=1).output
    assert not list((tmp_path / "new").iterdir())


def test_nothing_is_restored_over_anything(data: Path, backup: Path, tmp_path: Path) -> None:
    assert "is not empty" in ullage(data, "restore", str(backup), code=1).output
    elsewhere = tmp_path / "elsewhere.db"
    elsewhere.touch()
    runner = CliRunner(env={"ULLAGE_SERIES": f"sqlite:///{elsewhere}"})
    result = runner.invoke(main, ["--data", str(tmp_path / "new"), "restore", str(backup)])
    assert result.exit_code == 1
    assert f"{elsewhere} is not empty" in result.output


def test_a_restored_ledger_counts_as_newer_and_gives_no_number_again(data: Path, backup: Path, tmp_path: Path) -> None:
    """What it says of every aggregate supersedes what the journal heard of it in the lost time."""
    new = tmp_path / "new"
    said = told(new, "restore", str(backup))
    assert said["restored"]["incarnation"] == 2
    with closing(compose.ledger_of(settings(new))) as ledger, ledger.write() as tx:
        facts = tx.execute(select(outbox).where(outbox.c.kind == Kind.FACT, outbox.c.id > 1_000_000)).all()
        assert {msgspec.msgpack.decode(fact.payload)["incarnation"] for fact in facts} == {2}
        row = tx.execute(account.insert().values(name="later", currency="EUR", created=0).returning(account.c.id))
        assert row.scalar_one() > 1_000_000
        sequences = dict(tx.exec_driver_sql("SELECT name, seq FROM sqlite_sequence").all())
        assert sequences[order.name] >= 1_000_000  # of a table that is empty
    kinds = {fact.aggregate.split("/")[0] for fact in facts}
    assert kinds == {"account", "calendar", "class", "site", "lane", "device", "slot", "stock"}
    assert said["restored"]["facts"] == len(facts)
    assert told(new, "status")["findings"] == []


def test_after_a_restore_nothing_is_ordered_before_a_person_has_looked(
    data: Path, backup: Path, tmp_path: Path
) -> None:
    said = told(tmp_path / "new", "restore", str(backup))
    assert said["restored"]["paused"] == ["acme"]
    assert told(tmp_path / "new", "account", "list")[0]["paused"] is True
    assert told(tmp_path / "new", "account", "resume", "acme")["paused"] is False
    assert told(tmp_path / "new", "account", "list")[0]["paused"] is False
    assert told(tmp_path / "on", "restore", str(backup), "--go-on")["restored"]["paused"] == []
    assert told(tmp_path / "on", "account", "list")[0]["paused"] is False


def test_a_person_is_told_what_to_do_after_a_restore(data: Path, backup: Path, tmp_path: Path) -> None:
    said = ullage(tmp_path / "new", "restore", str(backup)).output
    assert "Ordering is paused in 1 accounts" in said
    assert "ullage account resume" in said


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (Position(0, 5, 5, 4, 0, 9), "the checkpoint is at 5, the ledger only at 4"),
        (Position(0, 5, 5, 10, 0, 9), "the ledger is at 10, the journal ends at 9"),
        (Position(0, 5, 5, 6, 6, 9), "the checkpoint is at 5, the journal begins at 6"),
        (Position(0, None, 5, 6, 6, 9), "the checkpoint is at 0, the journal begins at 6"),
    ],
)
def test_stores_from_which_no_worker_could_start_are_told(at: Position, said: str) -> None:
    (told_,) = contradictions([Position(0, 5, 5, 5, 5, 5), at])
    assert said in told_
