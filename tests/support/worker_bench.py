"""A partition task over stores in memory, fed by hand."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path
from typing import Any

from streams.worker.partition_task import PartitionTask
from tests.support import worker as kit


class Later(Executor):
    """Runs what it is given when everybody else on the event loop has had a turn."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        asyncio.get_running_loop().call_soon(self._run, future, partial(fn, *args, **kwargs))
        return future

    def _run(self, future: Future[Any], call: Callable[[], Any]) -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001  as an executor does
            future.set_exception(error)


class Bench:
    """A task over fakes that a test feeds by hand."""

    def __init__(self, disks: kit.Disks, folder: Path, *, executor: Executor | None = None, **changes: Any) -> None:
        self.disks, self.time, self.failures = disks, kit.Time(), list[BaseException]()
        scythe = kit.Scythe()
        self.log = scythe.log
        """What was written, in order."""
        self.stores = kit.stores_over(disks, scythe)
        self.ledger: Any = self.stores.decisions
        self.task = PartitionTask(
            0, self.stores, kit.LOGIC, kit.config_in(folder, **changes), self.time.clocks(), executor or kit.Inline(),
            self.failures.append, lambda: None,
        )  # fmt: skip

    async def feed(self) -> None:
        await self.task.feed(self.stores.journal.read(0, self.task.offset))
        await self.settle()

    async def settle(self) -> None:
        for _ in range(12):
            await self.turn()

    async def turn(self) -> None:
        await asyncio.sleep(0)

    def run(self, scenario: Callable[["Bench"], Any]) -> None:
        async def whole() -> None:
            await self.task.start()
            try:
                await scenario(self)
            finally:
                await self.task.stop(checkpoint=True)

        asyncio.run(whole())
