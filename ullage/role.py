"""What every role's process has: settings, domain time, an orderly stop, and a heartbeat to the supervisor."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
import uvloop

from models.stores import StoreError
from ullage import clocks, gauges, logs
from ullage.settings import Settings

HEARTBEAT_VARIABLE = "ULLAGE_HEARTBEAT_FD"
BEAT_EVERY = 1.0
READY, BEAT = b"R", b"."

log = structlog.get_logger()


@dataclass(slots=True)
class Role:
    """One role's process. `stop` is set by Ctrl-C, SIGTERM or the supervisor's death."""

    name: str
    settings: Settings
    now: clocks.Now
    simulated: bool
    speed: float
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    healthy: Callable[[], bool] = lambda: True
    _pipe: int | None = None

    def ready(self) -> None:
        log.info("role.ready", role=self.name, pid=os.getpid())
        self._write(READY)

    def beat(self) -> None:
        self._write(BEAT)

    def _write(self, byte: bytes) -> None:
        if self._pipe is None:
            return
        try:
            os.write(self._pipe, byte)
        except BrokenPipeError:  # the supervisor is gone: nobody would restart or stop us
            self._pipe = None
            self.stop.set()  # before the log line: whoever read it may be gone as well
            log.warning("role.orphaned", role=self.name)


async def _beat(role: Role) -> None:
    """Beats as long as the event loop turns and the role thinks itself healthy; leaves the role's metrics."""
    left = 0.0
    while True:
        if role.healthy():
            role.beat()
        if (now := time.monotonic()) - left > gauges.EVERY_S and role.name != "api":
            left = now
            await asyncio.to_thread(_leave_metrics, role)
        await asyncio.sleep(BEAT_EVERY)


def _leave_metrics(role: Role) -> None:
    try:
        gauges.leave(role.settings.data, role.name)
    except OSError as error:
        log.warning("role.metrics_not_written", role=role.name, reason=str(error))


def run(name: str, settings: Settings, main: Callable[[Role], Awaitable[None]]) -> None:
    """Run one role until it is told to stop. An exception ends the process; the supervisor restarts it."""
    logs.configure(settings.log_level, settings.log_format, name)
    line = clocks.timeline()
    clocks.remember(settings.data, line)
    pipe = os.environ.get(HEARTBEAT_VARIABLE)

    async def supervised() -> None:
        role = Role(
            name,
            settings,
            clocks.now_of(line),
            simulated=line is not None,
            speed=line.speed if line else 1.0,
            _pipe=int(pipe) if pipe else None,
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, role.stop.set)
        beating = asyncio.create_task(_beat(role))
        beating.add_done_callback(lambda _: role.stop.set())  # a role without a heartbeat is not to live on
        try:
            await main(role)
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating
        log.info("role.stopped", role=name)

    try:
        uvloop.run(supervised())
    except StoreError as error:  # a person or the supervisor can do something about it: one line, not a trace
        log.error("role.failed", role=name, reason=str(error))
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # all is written and closed; taking the interpreter apart would only take time that a stop has not got
