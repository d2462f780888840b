"""A backup of an installation that is at work, everything killed, restored elsewhere: as if the time between were none.

The audit holds the restored one to what it holds every installation to; of what devices and suppliers were told, only
what is from before the backup can be asked of it.
"""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from journal.open import open_journal
from tests.faults.audit.evidence import Sent, collected, sent_by, taken_by
from tests.faults.auditor import findings
from tests.faults.test_kill_roles import SCENARIO, SPEED, all_partitions_live, nothing_waits
from tests.support.installation import Installation, waited
from tests.support.sim import World
from ullage import clocks
from ullage.backup.create import create
from ullage.backup.manifest import Manifest
from ullage.backup.manifest import read as manifest_of

BEFORE, AFTER = 400, 300
"""Readings acknowledged before the first backup, and between it and the next."""


def told_so_far(world: World, into: Path) -> tuple[list[Sent], list[dict[str, Any]]]:
    """What devices and suppliers were told up to now, from a copy of the running world's books."""
    into.mkdir()
    for file in world.folder.iterdir():
        if file.is_file() and not file.name.startswith("truth.db"):
            shutil.copyfile(file, into / file.name)  # acknowledgements first: each one's reading is in the books
    with (
        closing(sqlite3.connect(world.folder / "truth.db")) as books,
        closing(sqlite3.connect(into / "truth.db")) as to,
    ):
        books.backup(to)
    return list(sent_by(into)), taken_by(into)


def checkpoints(made: Installation) -> int:
    return len(made.log("checkpoint.saved"))


class Lived:
    """One life of an installation under load with two backups in it, and its end by kill -9."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.made = Installation(folder / "first", SPEED, {"ULLAGE_CHECKPOINT_EVERY": "11s"})
        self.world = World(self.made, SCENARIO.format(seed=seed))
        self.older, self.newer = folder / "older", folder / "newer"
        try:
            self._live(folder)
        finally:
            self.made.end()
            self.world.end()

    def _live(self, folder: Path) -> None:
        made, world = self.made, self.world
        made.start()
        made.wait_ready()
        world.start()
        world.wait_acked(BEFORE)
        made.ullage("backup", "create", str(self.older))
        saved, partitions = checkpoints(made), len(manifest_of(self.older).positions)
        waited(lambda: checkpoints(made) >= saved + partitions, "a checkpoint of each partition", 120)
        world.wait_acked(BEFORE + AFTER)
        self.sent, self.orders = told_so_far(world, folder / "told")
        made.ullage("backup", "create", str(self.newer))
        world.wait_acked(int(world.status()["acked"]) + AFTER)  # is lost with the disk


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return Lived(tmp_path_factory.mktemp("backup"), seed=4711)


@pytest.fixture
def restored(lived: Lived, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, SPEED, {"ULLAGE_CHECKPOINT_EVERY": "11s"})
    made.ullage("backup", "verify", str(lived.newer))
    made.ullage("restore", str(lived.newer), "--go-on")
    try:
        yield made
    finally:
        made.end()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_restored_installation_has_all_up_to_the_backup_and_nothing_twice(
    lived: Lived, restored: Installation
) -> None:
    restored.start()
    restored.wait_ready()
    all_partitions_live(restored)
    waited(lambda: nothing_waits(restored), "the outbox is empty", 60)
    restored.stop()
    with collected(restored.data, lived.world.folder) as evidence:
        ours = {row.id for row in evidence.rows("select id from purchase_order")}
        missing = [d["purchase_order"] for d in lived.orders if d["purchase_order"] not in ours]
        assert not missing, "suppliers were sent these before the backup"
        taken = [d for d in evidence.purchase_orders if d["purchase_order"] in ours]
        wrong = list(findings(replace(evidence, sent=lived.sent, purchase_orders=taken)))
        lost = {d["purchase_order"] for d in evidence.purchase_orders} - ours
        assert not lost & ours
        after = evidence.rows("select coalesce(min(id), 1000001) as first from purchase_order where id > 1000000")
        assert max(lost, default=0) < after[0].first
    assert not wrong, "\n".join(wrong[:50])
    assert len(lived.sent) >= BEFORE
    replayed = restored.ullage("replay", check=False)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def mixed(lived: Lived, data: Path, old: str) -> Manifest:
    """The newer backup with one part of the older one, as somebody would copy it by hand."""
    data.mkdir()
    for part in ("state", "series", "ledger", "journal"):
        source = lived.older if part == old else lived.newer
        shutil.copyfile(source / f"{part}.db", data / f"{part}.db")
    (data / "clock").write_text("simulated\n")
    return manifest_of(lived.older)


def worker(made: Installation) -> "subprocess.Popen[bytes]":
    line = made.timeline()
    assert line is not None
    environment = made.environment() | {clocks.VARIABLE: clocks.encode(line)}
    with made.log_file.open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "ullage", "worker"], env=environment, stdout=log, stderr=log)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("ledger", "the ledger was restored from an older copy"),
        ("journal", "the journal ends at"),
        ("state", "the journal begins at"),
    ],
)
def test_one_part_alone_that_is_too_old_is_told_at_the_start(lived: Lived, tmp_path: Path, old: str, said: str) -> None:
    made = Installation(tmp_path, SPEED)
    older = mixed(lived, made.data, old)
    if old == "state":  # the retention has passed it
        with closing(open_journal(f"sqlite:///{made.data}/journal.db")) as journal:
            for at in older.positions:
                journal.truncate(at.partition, (at.checkpoint or 0) + 1)
    process = worker(made)
    assert process.wait(120) == 1
    (failed,) = made.log("role.failed")
    assert said in failed["reason"]
    assert "Restore" in failed["reason"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_old_series_is_told_and_stops_nothing(lived: Lived, tmp_path: Path) -> None:
    """Its history has a gap; no order depends on it."""
    made = Installation(tmp_path, SPEED)
    mixed(lived, made.data, "series")
    process = worker(made)
    try:
        waited(lambda: made.log("role.ready") or process.poll() is not None, made.log_file.read_text, 120)
        waited(lambda: len(made.log("partition.recovered")) >= 4, made.log_file.read_text, 120)
        assert "the series store was restored or emptied" in made.log("series.behind")[0]["what"]
    finally:
        process.terminate()
        assert process.wait(60) == 0


def test_a_backup_is_made_of_what_is_there_when_it_is_asked_for(lived: Lived, tmp_path: Path) -> None:
    """Also of what was killed: the stores are whole at every moment."""
    found = create(lived.made.settings(), tmp_path / "dead")
    before = manifest_of(lived.newer)
    assert found.journal == before.journal
    assert all(a.end >= b.end for a, b in zip(found.positions, before.positions, strict=True))
