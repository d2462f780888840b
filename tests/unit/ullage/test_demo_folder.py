"""The demo's folder remembers how large its world is, and is deleted only where it is a demo's."""

from pathlib import Path

import pytest

from models.stores import StoreError
from ullage.demo.folder import DEVICES, fresh, remember_devices, settle_devices


@pytest.mark.parametrize(("wanted", "settled"), [(None, DEVICES), (7, 7)])
def test_a_new_demo_has_as_many_devices_as_are_wanted(tmp_path: Path, wanted: int | None, settled: int) -> None:
    assert settle_devices(tmp_path, wanted) == settled


def test_a_demo_goes_on_with_the_devices_that_it_has(tmp_path: Path) -> None:
    remember_devices(tmp_path, 2_000)
    assert settle_devices(tmp_path, None) == settle_devices(tmp_path, 2_000) == 2_000
    with pytest.raises(
        StoreError, match="has 2000 devices, not 30: leave --devices out to go on with it, or give --fresh"
    ):
        settle_devices(tmp_path, 30)


def test_fresh_forgets_a_demo_and_nothing_else(tmp_path: Path) -> None:
    fresh(tmp_path / "never-there")
    demo, mine = tmp_path / "demo", tmp_path / "mine"
    for folder, clock in ((demo, "simulated\n"), (mine, "system\n")):
        folder.mkdir()
        (folder / "clock").write_text(clock)
    fresh(demo)
    assert not demo.exists()
    for folder in (mine, tmp_path):
        with pytest.raises(StoreError, match="is no demo's folder: delete it yourself"):
            fresh(folder)
    assert mine.exists()
