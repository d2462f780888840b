"""`python -m pytest tests/faults --kills 20` is the long form of the fault tests; three kills are the short one."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).parents[2] / "bench" / "results"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=3, help="kill -9 so many times of each role")
    parser.addoption("--kill-seed", type=int, default=0, help="of the phases at which roles are killed; 0: any")
    parser.addoption("--kill-figures", action="store_true", help="write recovery times to bench/results")


@pytest.fixture
def kills(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--kills", default=3))


@pytest.fixture
def kill_seed(pytestconfig: pytest.Config) -> int:
    return int(pytestconfig.getoption("--kill-seed", default=0)) or random.SystemRandom().randrange(1, 1_000_000)


@pytest.fixture
def figures(pytestconfig: pytest.Config) -> Iterator[dict[str, Any]]:
    """What a test puts in is written to bench/results when `--kill-figures` asks for it."""
    found: dict[str, Any] = {}
    yield found
    if found and pytestconfig.getoption("--kill-figures", default=False):
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "recovery.json").write_text(json.dumps(found, indent=2) + "\n")
