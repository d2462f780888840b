"""Where a ledger in an SQLite file stands, read from any connection to it: also a copy that nobody else may touch."""

import sqlite3
from typing import NamedTuple

from ledger.meta import INCARNATION


class LedgerStanding(NamedTuple):
    version: str  # revision of its tables
    incarnation: int
    offsets: dict[int, int]  # partition -> the next journal offset that it expects


def ledger_standing(connection: sqlite3.Connection) -> LedgerStanding:
    """Raises sqlite3.Error where it is no ledger."""
    (version,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (INCARNATION,)).fetchone()
    offsets = connection.execute('SELECT partition, "offset" FROM partition_owner').fetchall()
    return LedgerStanding(version, int(row[0]) if row else 1, dict(offsets))
