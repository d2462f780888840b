"""Ledgers of an older program, to be upgraded with what is in them."""

from alembic import command
from alembic.config import Config

from ledger.engine import Ledger
from ledger.migrate import SCRIPTS


def upgrade_to(ledger: Ledger, revision: str) -> None:
    """From nothing, or from an older revision."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with ledger.write() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, revision)
