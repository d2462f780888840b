"""The worker watches over itself, and its heartbeat says whether progress is possible."""

import asyncio
import threading
from contextlib import closing
from pathlib import Path

from streams.worker.run import THREADS, Worker, real_clocks
from tests.support import worker as kit


def test_partitions_that_wait_for_the_ledger_do_not_hold_up_the_heartbeat(tmp_path: Path) -> None:
    """A busy ledger is waited for, on every thread that writes: killing the worker for it would not help."""
    stores, free, waiting = kit.stores_over(kit.Disks()), threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        waiting.release()
        free.wait()

    async def watched() -> bool:
        with closing(Worker(kit.config_in(tmp_path), stores, kit.LOGIC, real_clocks())) as worker:
            await worker.assigned(frozenset({0}))
            held = [asyncio.get_running_loop().run_in_executor(worker._executor, wait) for _ in range(THREADS)]
            for _ in range(THREADS):
                await asyncio.to_thread(waiting.acquire)
            try:
                return await asyncio.wait_for(worker.watch(), 10)
            finally:
                free.set()
                await asyncio.gather(*held)
                await worker.stop(checkpoint=False)

    assert asyncio.run(watched())
