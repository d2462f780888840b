"""Role `clock`: ticks to all partitions."""

import asyncio
import time
from collections.abc import Callable
from contextlib import closing

import structlog

from ledger.engine import Ledger
from ledger.listening import listened
from models.stores import Unavailable
from ullage import clocks, compose
from ullage.clock import BUSY_EVERY, JumpGuard, Ticker
from ullage.role import Role
from ullage.roles.common import pause

log = structlog.get_logger()


async def main(role: Role) -> None:
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
            await pause(role, BUSY_EVERY / 2)


def _guarded(role: Role) -> Callable[[], int]:
    if role.simulated:
        return role.now
    guard = JumpGuard()
    return lambda: guard.at(clocks.system_ms(), clocks.boot_ms())


def _listened(ledger: Ledger) -> int:
    with ledger.read() as tx:
        return listened(tx)
