"""Tell our SQLite files apart from each other, from other programs' and from other versions of Ullage."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from models.stores import StoreError
from sqlitefile.connection import make_wal, transaction
from sqlitefile.patience import retried


class OtherFile(StoreError):
    """The file belongs to something else."""


class OtherVersion(StoreError):
    """The file was written by another version of Ullage."""


@dataclass(frozen=True, slots=True)
class Format:
    what: str  # for people: "journal"
    application: int  # PRAGMA application_id
    version: int  # PRAGMA user_version
    page_size: int
    schema: str  # statements, separated by ";"


def prepare(
    connection: sqlite3.Connection, path: Path, fmt: Format, first: tuple[str, tuple[object, ...]] | None = None
) -> None:
    """Make the tables in a new file (and run `first` once), or check that the file is one of ours.

    Safe when several processes do it at once. Raises OtherFile, OtherVersion, sqlite3.Error."""
    if not _is_new(connection, path, fmt):
        return
    make_wal(connection, fmt.page_size)
    with transaction(connection):
        if not _is_new(connection, path, fmt):
            return  # another process was first
        for statement in fmt.schema.split(";"):
            connection.execute(statement)
        if first is not None:
            connection.execute(*first)
        connection.execute(f"PRAGMA application_id={fmt.application}")
        connection.execute(f"PRAGMA user_version={fmt.version}")


def _is_new(connection: sqlite3.Connection, path: Path, fmt: Format) -> bool:
    def look() -> tuple[int, int, int]:
        return (
            connection.execute("PRAGMA application_id").fetchone()[0],
            connection.execute("PRAGMA user_version").fetchone()[0],
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0],
        )

    application, version, tables = retried(look)
    if application == fmt.application:
        if version != fmt.version:
            raise OtherVersion(
                f"{path} is a {fmt.what} of version {version}; this program uses version {fmt.version}: "
                "start the version that wrote it, or use another folder"
            )
        return False
    if application or version or tables:
        raise OtherFile(f"{path} is an SQLite file, but no {fmt.what} of Ullage: use another path")
    return True
