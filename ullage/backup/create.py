"""Make a backup of a running installation. Nobody is stopped or held up."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from ledger.standing import ledger_standing
from models.stores import StoreError
from models.version import LOGIC
from sqlitefile.connection import sync_folder
from sqlitefile.snapshot import Snapshot
from ullage import __version__
from ullage.backup import manifest
from ullage.backup.manifest import File, Manifest, Position
from ullage.backup.parts import contradictions, paths, positions
from ullage.settings import Settings

LAST = "last-backup.json"
"""In the data folder: where the newest backup went, for `ullage status`."""
LOOKS = 3
"""At the stores, until they agree: two checkpoints of one partition between two looks would be the only reason not to,
and there are ten seconds between them at least."""

Progress = Callable[[int, int], None]
Snapshots = Mapping[str, Snapshot]


class LastBackup(msgspec.Struct, frozen=True):
    folder: str
    made: str  # RFC 3339
    bytes: int


def create(settings: Settings, folder: Path, progress: Progress = lambda _done, _all: None) -> Manifest:
    """A backup in `folder`, which must not be there yet. Raises StoreError, OSError: then nothing is left of it."""
    if folder.exists():
        raise StoreError(f"{folder} is there already: name a folder that is not, such as backup-2026-11-25")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    partial.mkdir(mode=0o700, parents=True)
    try:
        made = _filled(settings, partial, progress)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial)
        raise
    sync_folder(folder.parent)
    _remember(settings.data, LastBackup(str(folder.absolute()), made.made, made.bytes))
    return made


def _filled(settings: Settings, folder: Path, progress: Progress) -> Manifest:
    began, made = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    with _agreeing(paths(settings)) as (snapshots, found):
        connections = {part: one.connection for part, one in snapshots.items()}
        standing = ledger_standing(connections["ledger"])
        journal = connections["journal"].execute("SELECT journal FROM meta").fetchone()[0]
        files = _copied(snapshots, folder, progress)
    clock = (settings.data / "clock").read_text().strip()
    whole = Manifest(
        format=manifest.FORMAT,
        program=__version__,
        logic=LOGIC,
        made=made,
        seconds=round(time.monotonic() - began, 3),
        clock=clock,
        journal=journal,
        ledger_version=standing.version,
        incarnation=standing.incarnation,
        positions=found,
        files=files,
    )
    manifest.write(folder, whole)
    return whole


@contextmanager
def _agreeing(files: Mapping[str, Path]) -> Iterator[tuple[Snapshots, list[Position]]]:
    """Snapshots of all parts within milliseconds, in order, and where they stand."""
    for left in reversed(range(LOOKS)):
        with ExitStack() as stack:
            snapshots = {part: stack.enter_context(Snapshot(path)) for part, path in files.items()}
            found = positions({part: one.connection for part, one in snapshots.items()})
            wrong = contradictions(found)
            if not wrong:
                yield snapshots, found
                return
            if not left:
                raise StoreError(
                    f"the stores do not belong together, no worker could start from a copy: {'; '.join(wrong)}"
                )


def _copied(snapshots: Snapshots, folder: Path, progress: Progress) -> list[File]:
    whole = sum(one.size() for one in snapshots.values())
    done, files = 0, []
    for part, snapshot in snapshots.items():
        target = folder / f"{part}.db"
        snapshot.copy(target, lambda here, _, before=done: progress(before + here, whole))  # type: ignore[misc]  # a default binds the loop's value
        done += snapshot.size()
        snapshot.close()  # its log may be cut again
        files.append(manifest.described(target))
    return files


def _remember(data: Path, last: LastBackup) -> None:
    waiting = data / f".{LAST}.{os.getpid()}"
    waiting.write_bytes(msgspec.json.encode(last))
    waiting.replace(data / LAST)


def last_backup(data: Path) -> LastBackup | None:
    """None where there was none, or its note cannot be read."""
    try:
        return msgspec.json.decode((data / LAST).read_bytes(), type=LastBackup)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
