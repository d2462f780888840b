"""Look at a backup as a restore and a worker's start would, and leave no trace in it."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from ledger.standing import ledger_standing
from models.stores import StoreError
from sqlitefile.snapshot import frozen
from ullage.backup import manifest
from ullage.backup.manifest import Manifest
from ullage.backup.parts import PARTS, contradictions, positions


def verify(folder: Path) -> tuple[Manifest, list[str]]:
    """What the backup says of itself, and what is wrong with it; no sentences: nothing. Raises NoBackup."""
    said = manifest.read(folder)
    wrong = list(_files(folder, said))
    if not wrong:  # what is inside of a file that was changed says nothing
        wrong = list(_contents(folder, said))
    return said, wrong


def _files(folder: Path, said: Manifest) -> Iterator[str]:
    listed = {file.name: file for file in said.files}
    for part in PARTS:
        name = f"{part}.db"
        if name not in listed:
            yield f"{name} is not in the manifest"
        elif not (folder / name).exists():
            yield f"{name} is missing"
        else:
            found = manifest.described(folder / name)
            if found != listed[name]:
                yield f"{name} has {found.bytes} bytes with SHA-256 {found.sha256}, not what was copied"


def _contents(folder: Path, said: Manifest) -> Iterator[str]:
    try:
        with ExitStack() as stack:
            opened = {part: stack.enter_context(closing(frozen(folder / f"{part}.db"))) for part in PARTS}
            for part, connection in opened.items():
                found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if found != "ok":
                    yield f"{part}.db is damaged: {found}"
            standing = positions(opened)
            incarnation = ledger_standing(opened["ledger"]).incarnation
    except (sqlite3.Error, StoreError) as error:
        yield f"it cannot be read: {error}"
        return
    if standing != said.positions or incarnation != said.incarnation:
        yield "the stores stand elsewhere than the manifest says"
    yield from contradictions(standing)
