"""The demo's folder: how many devices its world has, and how it is forgotten."""

import shutil
from pathlib import Path

from models.stores import StoreError

DEVICES = 200


def settle_devices(folder: Path, wanted: int | None) -> int:
    """How many devices the demo in `folder` has: those it began with, or in a new one `wanted`.

    Raises StoreError when another number is wanted: a world does not change its size."""
    file = folder / "devices"
    if not file.exists():
        return wanted or DEVICES
    known = int(file.read_text())
    if wanted not in {None, known}:
        raise StoreError(
            f"the demo in {folder} has {known} devices, not {wanted}: leave --devices out to go on with it, "
            "or give --fresh to forget it and start anew"
        )
    return known


def remember_devices(folder: Path, devices: int) -> None:
    (folder / "devices").write_text(f"{devices}\n")


def fresh(folder: Path) -> None:
    """Delete an earlier demo. Raises StoreError for a folder that is not one's own to delete."""
    if not folder.exists():
        return
    if not (folder / "clock").exists() or (folder / "clock").read_text().strip() != "simulated":
        raise StoreError(f"{folder} is no demo's folder: delete it yourself if you mean it")
    shutil.rmtree(folder)
