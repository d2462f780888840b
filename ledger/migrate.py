"""Bring the ledger's tables to the shape that this version of the program uses."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from ledger.engine import Ledger
from models.stores import StoreError

SCRIPTS = Path(__file__).parent / "migrations"


class WrongVersion(StoreError):
    """The ledger was made by a newer program."""


def upgrade(ledger: Ledger) -> bool:
    """Run the missing revisions, all in one transaction; whether there were any. Several processes may call it at once.

    Raises WrongVersion for a ledger of a newer program, Unavailable."""
    scripts = ScriptDirectory(str(SCRIPTS))
    head = scripts.get_current_head()
    with ledger.read() as tx:
        if _current(tx) == head:
            return False
    with ledger.write() as tx:
        current = _current(tx)
        if current == head:
            return False
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise WrongVersion(
                f"ledger: its shape {current} is newer than this program's {head}: use the newer program, or restore"
            )
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
        config.attributes["connection"] = tx
        command.upgrade(config, "head")
        return True


def _current(tx: Connection) -> str | None:
    return MigrationContext.configure(tx).get_current_revision()
