"""From a backup to an installation that can be started, in an empty place."""

import shutil
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from ledger import restored
from ledger.migrate import upgrade
from ledger.restored import Restored
from models.stores import StoreError
from sqlitefile.snapshot import synchronise
from ullage import compose
from ullage.backup import manifest
from ullage.backup.create import Progress
from ullage.backup.manifest import Manifest
from ullage.backup.parts import paths
from ullage.settings import Settings


class NotEmpty(StoreError):
    """Something is where the restored installation would go."""


def restore(
    settings: Settings, folder: Path, *, pause: bool, progress: Progress = lambda _done, _all: None
) -> tuple[Manifest, Restored]:
    """Bring the backup in `folder` to where the settings want the stores. `pause`: see ledger.restored.

    Raises NotEmpty, NoBackup, StoreError, OSError: then nothing is left of it."""
    said, targets = manifest.read(folder), paths(settings)
    _must_be_free(settings.data, targets)
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        _copy(folder, said, targets, progress)
        with closing(compose.ledger_of(settings)) as ledger:
            upgrade(ledger)
            with ledger.write() as tx:
                went_on = restored.go_on(tx, pause=pause)
    except BaseException:
        for path in targets.values():
            for mine in path.parent.glob(f"{path.name}*"):
                mine.unlink()
        raise
    clock = settings.data / "clock"  # last: before it no command takes the folder for an installation
    clock.write_text(said.clock + "\n")
    synchronise(clock)
    return said, went_on


def _must_be_free(data: Path, targets: Mapping[str, Path]) -> None:
    taken = [path for path in targets.values() if path.exists()]
    if data.exists() and any(data.iterdir()):
        taken.insert(0, data)
    if taken:
        raise NotEmpty(
            f"{taken[0]} is not empty and may be newer than the backup: move it away, or restore into an empty folder "
            "with `ullage --data DIR restore`"
        )


def _copy(folder: Path, said: Manifest, targets: Mapping[str, Path], progress: Progress) -> None:
    """Each file, compared with the manifest after it was written."""
    files, done = {file.name: file for file in said.files}, 0
    for part, target in targets.items():
        listed = files.get(f"{part}.db")
        if listed is None:
            raise manifest.NoBackup(f"{folder}: its manifest has no {part}.db")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / listed.name, target)
        target.chmod(0o600)
        synchronise(target)
        written = manifest.described(target)
        if (written.bytes, written.sha256) != (listed.bytes, listed.sha256):
            raise StoreError(f"{folder / listed.name} is not what was backed up: see `ullage backup verify {folder}`")
        done += listed.bytes
        progress(done, said.bytes)
