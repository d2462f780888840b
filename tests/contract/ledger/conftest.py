"""An empty ledger per test, on every database that it supports: one more line in BACKENDS each."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

from ledger import migrate
from ledger.engine import Ledger, open_ledger


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, made once: a copy per test is quicker than the migrations."""
    path = tmp_path_factory.mktemp("ledger") / "empty.db"
    ledger = open_ledger(f"sqlite:///{path}")
    migrate.upgrade(ledger)
    ledger.close()
    return path


def _sqlite(request: pytest.FixtureRequest) -> str:
    path = request.getfixturevalue("tmp_path") / "ledger.db"
    shutil.copy(request.getfixturevalue("empty_sqlite"), path)
    return f"sqlite:///{path}"


def _postgresql(request: pytest.FixtureRequest) -> str:
    """A database of its own on the server that ULLAGE_TEST_POSTGRES names; it goes when the test ends."""
    server = make_url(os.environ["ULLAGE_TEST_POSTGRES"])
    name = f"ullage_test_{uuid4().hex}"
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))

    def drop() -> None:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()

    request.addfinalizer(drop)
    url = server.set(database=name).render_as_string(hide_password=False)
    ledger = open_ledger(url)
    migrate.upgrade(ledger)
    ledger.close()
    return url


BACKENDS: dict[str, Callable[[pytest.FixtureRequest], str]] = {"sqlite": _sqlite}
if "ULLAGE_TEST_POSTGRES" in os.environ:
    BACKENDS["postgresql"] = _postgresql


@pytest.fixture(params=sorted(BACKENDS))
def url(request: pytest.FixtureRequest) -> str:
    return BACKENDS[request.param](request)


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    opened = open_ledger(url)
    yield opened
    opened.close()
