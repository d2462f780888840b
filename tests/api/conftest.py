from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_world import ApiWorld, api_world


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores of a world, to be copied."""
    folder = tmp_path_factory.mktemp("model")
    with api_world(folder):
        return folder


@pytest.fixture
def world(tmp_path: Path, model: Path) -> Iterator[ApiWorld]:
    """A world that the test may change."""
    with api_world(tmp_path, model) as made:
        yield made


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[ApiWorld]:
    """A world that is only read."""
    with api_world(tmp_path_factory.mktemp("api"), model) as made:
        yield made
