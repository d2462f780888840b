"""Role `gateway`: devices -> journal."""

import asyncio
import time
from contextlib import closing

import structlog

from ingest.config import GatewayConfig
from ingest.gateway import serve
from ledger.directory import LedgerDirectory
from ledger.downlink import LedgerDownlink
from ledger.listening import report
from models.stores import Journal
from models.units import MINUTE
from ullage import compose
from ullage.clock import last_tick
from ullage.role import Role
from ullage.roles.common import instance, pause
from ullage.settings import Settings

log = structlog.get_logger()

CAUGHT_UP = 5 * MINUTE
LOOK_EVERY, TELL_EVERY = 0.02, 5.0
"""Seconds between looks at the clock's ticks, and between log lines about them."""


def config_of(s: Settings) -> GatewayConfig:
    """With a certificate TLS alone on the one port, or plain and TLS on two."""
    plain, tls = s.mqtt_port, s.mqtt_tls_port
    if s.mqtt_tls_cert and tls is None:
        plain, tls = None, s.mqtt_port
    return GatewayConfig(
        host=s.mqtt_host,
        port=plain,
        tls_port=tls,
        certificate=s.mqtt_tls_cert,
        key=s.mqtt_tls_key,
        max_connections=s.mqtt_connections,
    )


async def main(role: Role) -> None:
    s = role.settings
    config = config_of(s)
    with closing(compose.journal_of(s)) as journal, closing(compose.ledger_of(s)) as ledger:
        await clock_caught_up(role, journal)
        if role.stop.is_set():
            return
        name = instance(role)

        def listening(ms: int) -> None:
            with ledger.write() as tx:
                report(tx, name, role.now(), int(ms * role.speed))

        await serve(
            config,
            journal,
            LedgerDirectory(ledger),
            role.now,
            role.stop,
            lambda _ports: role.ready(),
            downlink=LedgerDownlink(ledger),
            report_listening=listening,
        )


async def clock_caught_up(role: Role, journal: Journal) -> None:
    """After down-time devices' backlogs come only behind the ticks of the time that they are about.

    The clock starts beside the gateway, so a short wait is no news."""
    behind = int(CAUGHT_UP * max(1.0, role.speed / 60))
    silent_until = time.monotonic() + TELL_EVERY
    while not role.stop.is_set():
        ticks = [await asyncio.to_thread(last_tick, journal, p) for p in range(journal.partitions)]
        if role.now() - min(ticks) < behind:
            return
        if time.monotonic() > silent_until:
            log.info("gateway.waits", reason="the clock has not caught up: is the role `clock` running?")
            silent_until = time.monotonic() + TELL_EVERY
        await pause(role, LOOK_EVERY)
