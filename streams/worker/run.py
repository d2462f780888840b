"""The worker's process: Faust app, partition tasks, watch over itself, orderly stop."""

import asyncio
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from models.stores import DecisionLedger, Record, Series, StateStore, StoreError
from streams.worker import metrics
from streams.worker.app import make_app
from streams.worker.config import WorkerConfig
from streams.worker.logic import this_logic
from streams.worker.partition_task import PartitionTask
from streams.worker.ports import AgedJournal, Clocks, Logic, Stores
from streams.worker.showing import Pace

log = structlog.get_logger(__name__)
WATCH = 1.0
APP_STOPS = 0.8  # s; nothing of it is needed any more
STANDS_BY = 3.0  # s; an app that takes longer to start stands by
THREADS = 4


class Stuck(StoreError):
    """Records wait and nothing is folded. The worker ends, so that it is started again."""


def real_clocks() -> Clocks:
    return Clocks(time.monotonic, lambda: time.time_ns() // 1_000_000, time.sleep)


class Worker:
    """What the app calls (streams.worker.app.Handlers). The first failure is kept and ends the process."""

    def __init__(self, config: WorkerConfig, stores: Stores, logic: Logic, clocks: Clocks) -> None:
        self.tasks: dict[int, PartitionTask] = {}
        self.failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.active = asyncio.Event()
        self._config, self._stores, self._logic, self._clocks = config, stores, logic, clocks
        self._executor = ThreadPoolExecutor(THREADS, "stores")
        # Its own: writers that wait for a busy store may hold all of the others, and that is no reason to be killed.
        self._watcher = ThreadPoolExecutor(1, "watch")
        self._pace = Pace(config.show_share)
        self._touched = clocks.monotonic()

    # -- called by the app

    async def assigned(self, partitions: frozenset[int]) -> None:
        """One after another: recovery is bound by one core anyhow, and memory stays bounded."""
        try:
            for partition in sorted(partitions):
                await self._start(partition)
            self.active.set()
        except Exception as error:
            self.fail(error)
            raise

    async def revoked(self, partitions: frozenset[int]) -> None:
        for partition in partitions:
            task = self.tasks.pop(partition, None)
            if task is not None:
                await task.stop(checkpoint=False)

    async def feed(self, partition: int, records: list[Record]) -> None:
        task = self.tasks.get(partition)
        if task is None:
            return
        try:
            await task.feed(records)
        except Exception as error:  # noqa: BLE001  Faust would log it and read on
            self.fail(error)

    def position(self, partition: int) -> int:
        """Raises StoreError when recovery failed: then the process is about to end with the cause."""
        task = self.tasks.get(partition)
        if task is None:
            raise StoreError(f"partition {partition} was not recovered, so nothing of it is read")
        return task.offset

    # -- called by the process

    def fail(self, error: BaseException) -> None:
        if not self.failure.done():
            self.failure.set_exception(error)

    def started(self, starting: asyncio.Task[Any]) -> None:
        """A start that failed ends the process."""
        if not starting.cancelled() and (error := starting.exception()) is not None:
            self.fail(error)

    async def stop(self, *, checkpoint: bool) -> None:
        """Write what waits. Partitions stop side by side."""
        tasks, self.tasks = list(self.tasks.values()), {}
        await asyncio.gather(*(task.stop(checkpoint=checkpoint) for task in tasks))

    def close(self) -> None:
        for executor in (self._executor, self._watcher):
            executor.shutdown(wait=False, cancel_futures=True)

    async def watch(self) -> bool:
        """Is progress possible? Raises Stuck when records wait and none was folded for too long."""
        now = self._clocks.monotonic()
        for partition, task in list(self.tasks.items()):
            end = await asyncio.get_running_loop().run_in_executor(self._watcher, self._stores.journal.end, partition)
            lag = max(0, end - task.offset)
            metrics.LAG.labels(str(partition)).set(lag)
            idle = now - max(task.progress, self._touched)
            if lag == 0:
                task.progress = now
            elif idle > self._config.stuck:
                raise Stuck(
                    f"partition {partition}: {lag} records wait and none was folded for {idle:.0f} s"
                    + (" (another worker took it, but it is still assigned here)" if task.lost else "")
                )
        return True

    def _alive(self) -> None:
        self._touched = self._clocks.monotonic()

    async def _start(self, partition: int) -> None:
        kept = self.tasks.get(partition)
        if kept is not None and not kept.lost:
            return  # stays ours: its epoch is fenced if someone had it meanwhile
        task = PartitionTask(
            partition,
            self._stores,
            self._logic,
            self._config,
            self._clocks,
            self._executor,
            self.fail,
            self._alive,
            self._pace,
        )
        await task.start()
        self.tasks[partition] = task


async def run_worker(
    config: WorkerConfig,
    journal: AgedJournal,
    decisions: DecisionLedger,
    state: StateStore,
    series: Series,
    stop: asyncio.Event,
    *,
    logic: Logic | None = None,
    ready: Callable[[], None] = lambda: None,
    heartbeat: Callable[[], None] = lambda: None,
    clocks: Clocks | None = None,
) -> None:
    """Work until `stop` is set, then write everything and take checkpoints. The stores stay open: they are the
    caller's.

    `ready` is called once the app runs (a worker that stands by is ready), `heartbeat` every second while progress is
    possible.
    Raises whatever ended the work: StoresDisagree, OtherLogic, OffsetGap, PoisonTick, Unavailable, Stuck; run anew, it
    goes on."""
    config.datadir.mkdir(parents=True, exist_ok=True)
    logic = logic or this_logic()
    worker = Worker(config, Stores(journal, decisions, state, series), logic, clocks or real_clocks())
    app = make_app(config.installation, config.broker, config.datadir, worker)
    log.info("worker.starts", broker=config.broker, logic=logic.version, pid=os.getpid())
    clean = False
    watching = asyncio.create_task(_watch(worker, heartbeat))
    stopping = asyncio.create_task(stop.wait())
    crashed = asyncio.create_task(app.wait_until_stopped())
    tasks: list[asyncio.Task[Any]] = [watching, stopping, crashed]
    try:
        await asyncio.to_thread(logic.warm_up)  # beside the watch: a cold cache takes long, and is no reason to restart
        # A task: a worker that stands by is not done with it until it becomes the active one.
        tasks.append(starting := asyncio.create_task(app.start()))
        starting.add_done_callback(worker.started)
        ends: list[asyncio.Future[Any]] = [stopping, crashed, watching, worker.failure]
        await asyncio.wait([*ends, starting], timeout=STANDS_BY, return_when=asyncio.FIRST_COMPLETED)
        if not any(ended.done() for ended in ends):
            ready()
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for ended in (worker.failure, watching):
            if ended.done():
                ended.result()
        if crashed.done() and not stopping.done():
            raise app.crash_reason or Stuck("the stream engine stopped by itself: its log says why")
        clean = True
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _end(worker, app, config, clean=clean)


async def _watch(worker: Worker, heartbeat: Callable[[], None]) -> None:
    while True:
        if await worker.watch():
            heartbeat()
        await asyncio.sleep(WATCH)


async def _end(worker: Worker, app: Any, config: WorkerConfig, *, clean: bool) -> None:
    try:
        async with asyncio.timeout(config.stop_timeout):
            if clean:
                await worker.stop(checkpoint=True)
    except TimeoutError:
        clean = False
        log.warning("worker.stop_timeout", seconds=config.stop_timeout, what="the next start replays a little more")
    try:
        async with asyncio.timeout(APP_STOPS):
            await app.stop()
    except TimeoutError:
        log.warning("worker.engine_stop_timeout", seconds=APP_STOPS)
    worker.close()
    if clean and worker.failure.done():
        worker.failure.result()
    log.info("worker.stopped", clean=clean)
