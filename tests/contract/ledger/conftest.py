"""An empty ledger per test, on every database that it supports: one more line in BACKENDS each."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

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


BACKENDS: dict[str, Callable[[pytest.FixtureRequest], str]] = {"sqlite": _sqlite}


@pytest.fixture(params=sorted(BACKENDS))
def url(request: pytest.FixtureRequest) -> str:
    return BACKENDS[request.param](request)


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    opened = open_ledger(url)
    yield opened
    opened.close()
