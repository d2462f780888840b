"""Fixtures of the simulated world's tests."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.simulated import FakeBroker, FakeProduct


@pytest.fixture
def run() -> Callable[[Awaitable[Any]], Any]:
    """Run a coroutine to its end."""

    async def whole(work: Awaitable[Any]) -> Any:
        async with asyncio.timeout(60):
            return await work

    return lambda work: asyncio.run(whole(work))


@pytest.fixture
def product() -> FakeProduct:
    return FakeProduct()


@pytest.fixture
def new_broker() -> Callable[[], FakeBroker]:
    return FakeBroker
