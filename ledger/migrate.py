"""Bring the ledger's tables to the shape that this version of the program uses."""

from pathlib import Path

from sqlalchemy import Connection, text

from ledger.engine import Ledger
from ledger.migrations import HEAD
from models.stores import StoreError

SCRIPTS = Path(__file__).parent / "migrations"


class WrongVersion(StoreError):
    """The ledger was made by a newer program."""


def upgrade(ledger: Ledger) -> bool:
    """Run the missing revisions, all in one transaction; whether there were any. Several processes may call it at once.

    Raises WrongVersion for a ledger of a newer program, Unavailable."""
    with ledger.read() as tx:
        if _current(tx) == HEAD:
            return False
    with ledger.write() as tx:
        current = _current(tx)
        if current == HEAD:
            return False
        _run(tx, current)
        return True


def _run(tx: Connection, current: str | None) -> None:
    from alembic import command  # noqa: PLC0415 - only a new installation or a new program needs it
    from alembic.config import Config  # noqa: PLC0415 - as above
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - as above

    known = {script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions()}
    if current is not None and current not in known:
        raise WrongVersion(
            f"ledger: its shape {current} is newer than this program's {HEAD}: use the newer program, or restore"
        )
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = tx
    command.upgrade(config, "head")


def _current(tx: Connection) -> str | None:
    if not tx.dialect.has_table(tx, "alembic_version"):
        return None
    found: str | None = tx.scalar(text("SELECT version_num FROM alembic_version"))
    return found
