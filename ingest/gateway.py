"""The gateway: puts the parts together, runs them until it is told to stop, ends in good order."""

import asyncio
import gc
from collections.abc import Callable, Sequence

import structlog

from ingest.auth import Authenticator
from ingest.commit import Committer
from ingest.config import GatewayConfig
from ingest.directory import DeviceTable, Directory, Follower, wait
from ingest.downlink import Downlink, DownlinkSource
from ingest.listener import Server, listen
from ingest.metrics import GatewayMetrics
from ingest.mqtt.codes import Reason
from ingest.shared import Shared
from models.identity import DeviceIdentity
from models.stores import Journal, Unavailable

log = structlog.get_logger()

Ready = Callable[[Sequence[int]], None]


async def serve(
    config: GatewayConfig,
    journal: Journal,
    directory: Directory,
    now: Callable[[], int],
    stop: asyncio.Event,
    ready: Ready,
    *,
    downlink: DownlinkSource | None = None,
    report_listening: Callable[[int], None] | None = None,
    metrics: GatewayMetrics | None = None,
) -> None:
    """Listen until `stop` is set. `ready` hears the ports once devices may come (TCP, then TLS).

    `now`: domain time, ms. `report_listening` hears about every 5 s for how many ms the gateway accepted since it was
    last called; it runs in a thread and may raise Unavailable. Raises CannotListen, Unavailable when the directory
    cannot be read at the start, and whatever lasting fault the journal has.
    """
    loop = asyncio.get_running_loop()
    metrics = metrics or GatewayMetrics()
    fault: list[BaseException] = []

    def failed(error: BaseException) -> None:
        fault.append(error)
        stop.set()

    table = DeviceTable()
    follower = Follower(directory, table, config.directory_poll)
    await follower.load()
    committer = Committer(journal, config, metrics, lambda away: _suspend(shared, away), failed)
    authenticator = Authenticator(directory, table, config.lookups_per_second)
    shared = Shared(config, metrics, committer, authenticator, Downlink(downlink, config.downlink_poll), now, loop)
    servers: list[Server] = []
    tasks: list[asyncio.Task[None]] = []
    try:
        servers = await listen(shared)
        ports = [server.sockets[0].getsockname()[1] for server in servers]
        _collect_seldom()
        log.info("gateway.ready", host=config.host, ports=ports, devices=len(table))
        ready(ports)
        tasks = [
            loop.create_task(follower.follow(lambda identity: _changed(shared, identity), stop)),
            loop.create_task(shared.downlink.run(stop)),
            loop.create_task(_sweep(shared, stop)),
            loop.create_task(_report(shared, report_listening, stop)),
        ]
        for task in tasks:
            task.add_done_callback(lambda done: _watch(done, failed))
        await stop.wait()
    finally:
        await _end(shared, servers, tasks)
    if fault:
        raise fault[0]


def _collect_seldom() -> None:
    """What is left of a start-up is not looked at again; what a batch of readings makes is no garbage in cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _watch(task: asyncio.Task[None], failed: Callable[[BaseException], None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        failed(error)


def _suspend(shared: Shared, suspended: bool) -> None:
    shared.suspended = suspended
    shared.metrics.paused.set(int(suspended))
    for connection in list(shared.connections):
        connection.suspension_changed()


def _changed(shared: Shared, identity: DeviceIdentity) -> None:
    connection = shared.sessions.get(identity.device_id)
    if connection is not None:
        connection.identity_changed(identity)


async def _sweep(shared: Shared, stop: asyncio.Event) -> None:
    """Time-outs of all connections, now and then: a timer for each would cost more."""
    while not await wait(stop, shared.config.sweep):
        if shared.suspended:
            continue
        now = shared.loop.time()
        for connection in list(shared.connections):
            if connection.overdue(now):
                connection.expire()


async def _report(shared: Shared, report: Callable[[int], None] | None, stop: asyncio.Event) -> None:
    if report is None:
        return
    last = shared.loop.time()
    while not await wait(stop, shared.config.listening_report):
        now = shared.loop.time()
        if not shared.suspended:
            try:
                await asyncio.to_thread(report, int((now - last) * 1000))
            except Unavailable as error:
                log.warning("gateway.listening_not_reported", error=str(error))
                continue  # the time is told with the next report
        last = now


async def _end(shared: Shared, servers: list[Server], tasks: list[asyncio.Task[None]]) -> None:
    """No more accepts, no more reading; what came becomes durable and is acknowledged; then everyone is told."""
    within = shared.config.stop_within
    shared.stopping = True
    for server in servers:
        server.close()
    for connection in list(shared.connections):
        connection.suspension_changed()
    flushed = await shared.committer.close(within * 0.6)
    for connection in list(shared.connections):
        connection.end(Reason.SHUTTING_DOWN, "the gateway is going down")
    if shared.connections:
        shared.emptied.clear()
        await wait(shared.emptied, within * 0.25)
    for connection in list(shared.connections):
        connection.abort()
    for task in [*tasks, *shared.tasks]:
        task.cancel()
    await asyncio.gather(*tasks, *shared.tasks, return_exceptions=True)
    log.info("gateway.stopped", flushed=flushed, unacknowledged=shared.committer.pending)
