"""What a backup says of itself: `manifest.json`, written last, so that a folder without it is no backup."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from models.stores import StoreError
from sqlitefile.snapshot import synchronise

NAME: Final = "manifest.json"
FORMAT: Final = 1
CHUNK: Final = 1 << 20


class NoBackup(StoreError):
    """The folder holds no whole backup, or one of another program."""


class Position(msgspec.Struct, frozen=True):
    """Where the four stores stand in one partition of the journal, as offsets."""

    partition: int
    checkpoint: int | None  # None: there is none yet
    series: int
    ledger: int
    earliest: int
    end: int


class File(msgspec.Struct, frozen=True):
    name: str
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    format: int
    program: str  # version that made it
    logic: str  # version of the logic that decided
    made: str  # RFC 3339, real time at which the stores were looked at
    seconds: float
    clock: str  # system or simulated
    journal: str  # id
    ledger_version: str  # the revision of its tables
    incarnation: int
    positions: list[Position]
    files: list[File]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


def write(folder: Path, manifest: Manifest) -> None:
    path = folder / NAME
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")
    synchronise(path)


def read(folder: Path) -> Manifest:
    """Raises NoBackup."""
    path = folder / NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise NoBackup(f"{folder} has no {NAME}: it is no backup, or one that was interrupted") from None
    except msgspec.DecodeError as error:
        raise NoBackup(f"{path} cannot be read: {error}") from error
    if found.format != FORMAT:
        raise NoBackup(f"{path} is of format {found.format}; this program reads {FORMAT}: use version {found.program}")
    return found


def described(path: Path) -> File:
    """Name, size and SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return File(path.name, size, digest.hexdigest())
