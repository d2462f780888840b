"""The auditor is green on a sound installation and red on each corruption of it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.audit.evidence import Replayed, collected
from tests.faults.audit.tamper import IN_THE_JOURNAL, WAYS
from tests.faults.auditor import audit
from tests.support.installation import STARTING, Installation
from tests.support.sim import World

SPEED = 43_200.0
SCENARIO = """\
name: audit
about: Two small accounts for a fortnight, in which orders are made, goods come and supplies are swapped.
seed: 5
duration: 10d
fleet: {devices: 14, accounts: 2, sites: 3, kinds: {copier: 0.6, coffee: 0.4}, initial: [0.03, 0.4], spares: 0.5}
users: {early: 1.0, tell: 0.5, button: 0.3}
trouble: {no_seq: 0.0, duplicate: 0.05, disorder: 0.05}
events:  # what is ordered in the last days is still open at the end, or there would be no open need to corrupt
  - {at: 5d, kind: supplier_late, supplier: papierwerk, by: 14d, lasts: 5d}
  - {at: 5d, kind: supplier_late, supplier: roastery, by: 14d, lasts: 5d}
"""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that has stopped cleanly, with folders `data` and `world`."""
    made = Installation(tmp_path_factory.mktemp("sound"), SPEED)
    world = World(made, SCENARIO)
    try:
        made.start()
        made.wait_ready()
        world.start()
        _, report = world.ended(STARTING)
        made.stop()
    finally:
        world.end()
        made.end()
    assert report["purchase_orders"] > 3
    assert report["swaps"] + report["topups"] > 3
    return made.folder


@pytest.fixture(scope="module")
def known(sound: Path) -> Replayed:
    """The replay of its journal, which most corruptions leave as it is."""
    with collected(sound / "data", sound / "world") as evidence:
        return evidence.replayed


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_sound_installation_has_no_findings(sound: Path, known: Replayed) -> None:
    assert audit(sound / "data", sound / "world", known) == []


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize(("way", "said"), [pytest.param(*one, id=one[0].__name__) for one in WAYS.items()])
def test_every_corruption_is_found(
    sound: Path, known: Replayed, tmp_path: Path, way: Callable[[Path, Path], None], said: str
) -> None:
    shutil.copytree(sound, tmp_path / "copy")
    way(tmp_path / "copy" / "data", tmp_path / "copy" / "world")
    wrong = audit(tmp_path / "copy" / "data", tmp_path / "copy" / "world", None if way in IN_THE_JOURNAL else known)
    assert any(said in line for line in wrong), wrong
