"""The migrations make exactly the tables that the code uses."""

import multiprocessing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
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


def test_sites_of_before_have_been_given_their_calendar(tmp_path) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db")
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    with ledger.write() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, "0002")
        tx.execute(text("INSERT INTO account (id, name, currency, created) VALUES (1, 'acme', 'EUR', 5)"))
        tx.execute(
            text(
                "INSERT INTO calendar (id, digest, time_zone, spec, first, last, starts, weights, open_days)"
                " VALUES (3, 'd', 'UTC', '{}', 0, 1, x'', x'', x'')"
            )
        )
        values = "(7, 1, 'hq', 'UTC', 3, 0, 5)"
        tx.execute(
            text(f"INSERT INTO site (id, account_id, name, time_zone, calendar_id, shard, created) VALUES {values}")  # noqa: S608 - of our own
        )
    assert migrate.upgrade(ledger) is True
    with ledger.read() as tx:
        assert tx.execute(text("SELECT site_id, given_calendar_id, pinned, looked FROM site_week")).all() == [
            (7, 3, 0, 0)
        ]
        since = tx.execute(text("SELECT site_id, calendar_id, since, cause FROM site_calendar")).all()
    assert since == [(7, 3, 5, "given")]
    ledger.close()
