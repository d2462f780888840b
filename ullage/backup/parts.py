"""The four stores of an embedded installation as parts of a backup, in the order in which they must be looked at.

While it runs, each store is at or behind the one that is written before it: checkpoint <= ledger <= end of the journal,
and checkpoint <= series. Looked at in just this order, every later part can only be further on, so the copies keep the
relation that a worker's start demands, and what the ledger has not seen yet lies in the journal to be decided again.
The other way round a checkpoint would refer to decisions and records that the backup does not have.
"""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from journal.sqlite import extents
from ledger.standing import ledger_standing
from models.stores import StoreError
from models.urls import scheme_of, sqlite_path
from series.sqlite import offsets as series_offsets
from streams.state.sqlite import newest_offsets
from ullage.backup.manifest import Position
from ullage.settings import Settings

PARTS: Final = ("state", "series", "ledger", "journal")
"""Also the names of the settings that say where they are. A part's file in a backup is its name with `.db`."""


class NotEmbedded(StoreError):
    """A store is not a file of this machine."""


def paths(settings: Settings) -> dict[str, Path]:
    """File of each part, in order. Raises NotEmbedded."""
    found = {}
    for part in PARTS:
        url = getattr(settings, part)
        if scheme_of(url) != "sqlite":
            raise NotEmbedded(
                f"ULLAGE_{part.upper()} is no SQLite file: `ullage backup` copies embedded stores only; use its own "
                "tools, in the order state, series, ledger, journal"
            )
        found[part] = Path(sqlite_path(url)).absolute()
    return found


def positions(connections: Mapping[str, sqlite3.Connection]) -> list[Position]:
    """Where each part stands, partition by partition."""
    state, series = newest_offsets(connections["state"]), series_offsets(connections["series"])
    ledger, journal = ledger_standing(connections["ledger"]), extents(connections["journal"])
    return [
        Position(p, state.get(p), series.get(p, 0), ledger.offsets.get(p, 0), earliest, end)
        for p, (earliest, end) in enumerate(journal.extents)
    ]


def contradictions(found: list[Position]) -> list[str]:
    """Why a worker could not start from these."""
    wrong = []
    for at in found:
        where = f"partition {at.partition}"
        start = at.checkpoint or 0
        if start > at.ledger:
            wrong.append(f"{where}: the checkpoint is at {start}, the ledger only at {at.ledger}")
        if at.ledger > at.end:
            wrong.append(f"{where}: the ledger is at {at.ledger}, the journal ends at {at.end}")
        if start < at.earliest:
            wrong.append(f"{where}: the checkpoint is at {start}, the journal begins at {at.earliest}")
    return wrong
