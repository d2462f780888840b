"""What each role's process runs: its stores opened, its parts joined, its end orderly."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import structlog

from api.server import serve as serve_api
from api.services import Services
from ingest.config import GatewayConfig
from ingest.gateway import serve as serve_gateway
from ledger import events
from ledger.clock import real_ms
from ledger.decisions.ledger import LedgerDecisions
from ledger.deliver import run as run_deliver
from ledger.directory import LedgerDirectory
from ledger.downlink import LedgerDownlink
from ledger.engine import Ledger
from ledger.listening import listened, report
from ledger.orders.facade import Orders
from ledger.registry import calendars
from ledger.sinks import FileSink, SupplierEndpoints, SupplierSink, WebhookSink
from models.outbox import Kind
from models.stores import Journal, Unavailable
from models.units import DAY, MINUTE
from streams.worker.config import WorkerConfig
from streams.worker.logic import this_logic
from streams.worker.run import run_worker
from ullage import clocks, compose
from ullage.clock import BUSY_EVERY, JumpGuard, Ticker, last_tick
from ullage.role import Role
from ullage.sinks import JournalSink

log = structlog.get_logger()

CAUGHT_UP = 5 * MINUTE
EVENTS_KEPT = 400 * DAY
CHORES_EVERY = 60.0  # real seconds: a simulated world's year may pass in two hours


def instance(role: Role) -> str:
    """Who it is, for people and leases: one process of one machine."""
    return f"{role.name}@{socket.gethostname()}:{os.getpid()}"


async def clock(role: Role) -> None:
    with closing(compose.journal_of(role.settings)) as journal, closing(compose.ledger_of(role.settings)) as ledger:
        ticker = await asyncio.to_thread(Ticker, journal, _guarded(role), lambda: _listened(ledger))
        ticks = await asyncio.to_thread(ticker.catch_up)
        log.info("clock.caught_up", ticks=ticks)
        role.ready()
        while not role.stop.is_set():
            try:
                await asyncio.to_thread(ticker.turn, time.monotonic())
            except Unavailable as error:  # a tick that is missing is made up for by the next one
                log.warning("clock.waits", reason=str(error))
            await _pause(role, BUSY_EVERY / 2)


def _guarded(role: Role) -> Callable[[], int]:
    if role.simulated:
        return role.now
    guard = JumpGuard()
    return lambda: guard.at(clocks.system_ms(), clocks.boot_ms())


def _listened(ledger: Ledger) -> int:
    with ledger.read() as tx:
        return listened(tx)


async def _pause(role: Role, seconds: float) -> None:
    """Wait, but not longer than until the role is to stop."""
    try:
        async with asyncio.timeout(seconds):
            await role.stop.wait()
    except TimeoutError:
        return


async def gateway(role: Role) -> None:
    s = role.settings
    config = GatewayConfig(
        host=s.mqtt_host,
        port=None if s.mqtt_tls_cert else s.mqtt_port,
        tls_port=s.mqtt_port if s.mqtt_tls_cert else None,
        certificate=s.mqtt_tls_cert,
        key=s.mqtt_tls_key,
        max_connections=s.mqtt_connections,
    )
    with closing(compose.journal_of(s)) as journal, closing(compose.ledger_of(s)) as ledger:
        await _clock_caught_up(role, journal)
        if role.stop.is_set():
            return
        name = instance(role)

        def listening(ms: int) -> None:
            with ledger.write() as tx:
                report(tx, name, role.now(), int(ms * role.speed))

        await serve_gateway(
            config,
            journal,
            LedgerDirectory(ledger),
            role.now,
            role.stop,
            lambda _ports: role.ready(),
            downlink=LedgerDownlink(ledger),
            report_listening=listening,
        )


async def _clock_caught_up(role: Role, journal: Journal) -> None:
    """After down-time devices' backlogs come only behind the ticks of the time that they are about."""
    behind = int(CAUGHT_UP * max(1.0, role.speed / 60))
    while not role.stop.is_set():
        ticks = [await asyncio.to_thread(last_tick, journal, p) for p in range(journal.partitions)]
        if role.now() - min(ticks) < behind:
            return
        log.info("gateway.waits", reason="the clock has not caught up: is the role `clock` running?")
        await _pause(role, 0.5)


async def worker(role: Role) -> None:
    s = role.settings
    config = WorkerConfig(
        broker=s.journal,
        datadir=Path(s.data) / "faust",
        owner=instance(role),
        checkpoint_readings=s.checkpoint_readings,
        checkpoint_interval=s.checkpoint_every.total_seconds(),
        keep_journal_ms=int(s.journal_keep.total_seconds() * 1000),
    )
    with (
        closing(compose.journal_of(s)) as journal,
        closing(compose.ledger_of(s)) as ledger,
        closing(compose.state_of(s)) as state,
        closing(compose.series_of(s)) as series,
    ):
        decisions = LedgerDecisions(ledger, partitions=journal.partitions, rules=compose.rules_of(s))
        role.healthy = lambda: False  # the worker beats itself, while progress is possible
        await run_worker(
            config,
            journal,
            decisions,
            state,
            series,
            role.stop,
            logic=this_logic(),
            ready=role.ready,
            heartbeat=role.beat,
        )


async def deliver(role: Role) -> None:
    s = role.settings
    with closing(compose.journal_of(s)) as journal, closing(compose.ledger_of(s)) as ledger:
        into_journal = JournalSink(journal)
        with WebhookSink(SupplierEndpoints(ledger)) as webhook:
            suppliers = SupplierSink(ledger, file=FileSink(s.purchase_orders), webhook=webhook)
            role.ready()
            chores = asyncio.create_task(_chores(role, ledger))
            await run_deliver(
                ledger,
                {Kind.FACT: into_journal, Kind.REQUEST: into_journal, Kind.PURCHASE_ORDER: suppliers},
                role.stop,
                owner=f"deliver@{socket.gethostname()}",
                now=role.now,
            )
            await chores


async def _chores(role: Role, ledger: Ledger) -> None:
    """What the ledger needs now and then: calendars that reach far enough ahead, an end to old events."""

    def turn() -> None:
        with ledger.write() as tx:
            calendars.extend(tx, role.now())
            events.expire(tx, role.now() - EVENTS_KEPT)

    while not role.stop.is_set():
        try:
            await asyncio.to_thread(turn)
        except Unavailable as error:
            log.warning("chores.wait", reason=str(error))
        await _pause(role, CHORES_EVERY)


async def api(role: Role) -> None:
    s = role.settings
    with (
        closing(compose.journal_of(s)) as journal,
        closing(compose.ledger_of(s)) as ledger,
        closing(compose.series_of(s)) as series,
    ):

        def not_ready() -> list[str]:
            ends = [journal.end(p) for p in range(journal.partitions)]
            return [] if any(ends) else ["the journal is empty: is the role `clock` running?"]

        services = Services(
            ledger,
            Orders(ledger, compose.rules_of(s)),
            series,
            role.now,
            real_ms,
            speed=role.speed,
            not_ready=not_ready,
        )
        await serve_api(
            services, s.api_host, s.api_port, s.api_tls_cert, s.api_tls_key, role.stop, lambda _port: role.ready()
        )


MAINS: dict[str, Callable[[Role], Awaitable[None]]] = {
    "clock": clock,
    "gateway": gateway,
    "worker": worker,
    "deliver": deliver,
    "api": api,
}
