"""What the installation keeps on disk: how much, since when, how long, and how much room is left."""

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from journal.sqlite import oldest_ms
from models.urls import scheme_of, sqlite_path
from sqlitefile.connection import connect, translated
from ullage.backup.create import LastBackup, last_backup
from ullage.backup.parts import PARTS
from ullage.settings import Settings

BESIDE = ("", "-wal", "-shm")
"""Endings of the files that make up one store."""


@dataclass(frozen=True, slots=True)
class DiskUse:
    stores: dict[str, int]  # bytes by store, log included; of those that are files of this machine
    free: int  # bytes left where the data folder is
    whole: int  # bytes that this file system has
    journal_oldest: int | None  # real ms when its oldest record was appended; None: it is empty or no file
    kept: dict[str, str]  # retention: setting -> value
    last_backup: LastBackup | None


def disk_use(settings: Settings) -> DiskUse:
    """Raises Unavailable, StoreError."""
    room = shutil.disk_usage(settings.data)
    files = store_files(settings)
    return DiskUse(
        stores={part: size_of(path) for part, path in files.items()},
        free=room.free,
        whole=room.total,
        journal_oldest=_oldest(files["journal"]) if "journal" in files else None,
        kept={name: settings.effective[name].text for name in ("journal_keep", "journal_most", "series_keep")},
        last_backup=last_backup(settings.data),
    )


def store_files(settings: Settings) -> dict[str, Path]:
    """The stores that are SQLite files and are there."""
    urls = {part: getattr(settings, part) for part in PARTS}
    files = {part: Path(sqlite_path(url)) for part, url in urls.items() if scheme_of(url) == "sqlite"}
    return {part: path for part, path in files.items() if path.exists()}


def size_of(path: Path) -> int:
    """Bytes of a store's files; a log may go while we look."""
    total = 0
    for ending in BESIDE:
        try:
            total += path.with_name(path.name + ending).stat().st_size
        except FileNotFoundError:
            continue
    return total


def _oldest(path: Path) -> int | None:
    with translated(path), closing(connect(path)) as connection:
        return oldest_ms(connection)
