"""The migrations make exactly the tables that the code uses."""

import multiprocessing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from ledger import migrate
from ledger.engine import Ledger, open_ledger
from ledger.migrations import HEAD
from ledger.tables import metadata

EVERYTHING = text("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE '%alembic%' AND sql IS NOT NULL")


def _parts(ledger: Ledger) -> dict[str, list[str]]:
    """Each object's definition as its sorted parts: the order of columns and constraints does not matter."""
    brackets = str.maketrans("", "", "()")
    with ledger.read() as tx:
        rows = tx.execute(EVERYTHING).all()
    return {
        row.name: sorted(part.translate(brackets).strip() for part in " ".join(row.sql.split()).split(","))
        for row in rows
    }


def test_the_head_that_the_program_knows_is_the_newest_revision() -> None:
    assert ScriptDirectory(str(migrate.SCRIPTS)).get_current_head() == HEAD


def test_migrations_and_metadata_agree(ledger: Ledger) -> None:
    with ledger.read() as tx:
        assert compare_metadata(MigrationContext.configure(tx), metadata) == []


def test_sqlite_has_the_same_checks_and_partial_indexes(tmp_path) -> None:  # compare_metadata does not look at these
    migrated, created = (open_ledger(f"sqlite:///{tmp_path}/{name}.db") for name in ("migrated", "created"))
    migrate.upgrade(migrated)
    with created.write() as tx:
        metadata.create_all(tx)
    assert _parts(migrated) == _parts(created)
    migrated.close()
    created.close()


def test_upgrade_twice_does_nothing(ledger: Ledger) -> None:
    assert migrate.upgrade(ledger) is False


def test_a_newer_ledger_is_refused(ledger: Ledger) -> None:
    with ledger.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(migrate.WrongVersion, match="9999"):
        migrate.upgrade(ledger)


def _upgrade(url: str) -> None:
    ledger = open_ledger(url)
    migrate.upgrade(ledger)
    ledger.close()


def test_processes_that_start_at_once_upgrade_once(tmp_path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(3) as pool:
        pool.map(_upgrade, [url] * 3)
    ledger = open_ledger(url)
    assert migrate.upgrade(ledger) is False
    ledger.close()
