"""`ullage serve`: one process per role, restarted when it dies or falls silent, stopped in order.

They start all at once; a gateway accepts only when the clock has caught up after down-time, and sees to that itself.
Stopping order: first who lets things in, then who works on what they wrote.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from ullage.role import BEAT, HEARTBEAT_VARIABLE, READY

log = structlog.get_logger()

ROLES = ("clock", "deliver", "worker", "api", "gateway")
STOP_STAGES = (("gateway", "api"), ("clock", "worker", "deliver"))
SILENCE = 15.0
"""Seconds without a heartbeat after which a role counts as hung. Starting may take STARTUP seconds."""
STARTUP = 90.0
BACKOFF_FIRST, BACKOFF_MOST, BACKOFF_RESET = 0.2, 10.0, 30.0
STOP_WITHIN = 4.5


@dataclass(slots=True)
class Child:
    role: str
    process: asyncio.subprocess.Process | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    last_beat: float = 0.0
    restarts: int = 0
    limit: float = STARTUP


class Supervisor:
    """Keeps the roles running. `command(role)` gives the argument list of a role's process."""

    def __init__(
        self,
        environment: dict[str, str],
        roles: Sequence[str] = ROLES,
        command: Callable[[str], list[str]] = lambda role: [sys.executable, "-m", "ullage", role],
    ) -> None:
        self.children = {role: Child(role) for role in roles}
        self._environment = environment
        self._command = command
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._keep(child)) for child in self.children.values()]

    async def wait_ready(self) -> None:
        """Until every role has said that it is ready."""
        await asyncio.gather(*(child.ready.wait() for child in self.children.values()))

    async def stop(self) -> None:
        """Stop stage by stage, each given what is left of STOP_WITHIN; who does not stop is killed."""
        self._stopping.set()
        deadline = asyncio.get_running_loop().time() + STOP_WITHIN
        for stage in STOP_STAGES:
            mine = [child for role, child in self.children.items() if role in stage]
            await asyncio.gather(*(self._end(child, deadline) for child in mine))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _end(self, child: Child, deadline: float) -> None:
        process = child.process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        left = max(0.2, deadline - asyncio.get_running_loop().time())
        try:
            await asyncio.wait_for(process.wait(), left)
        except TimeoutError:
            log.error("role.killed", child=child.role, reason="did not stop in time")
            process.kill()
            await process.wait()

    async def _keep(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        pause = BACKOFF_FIRST
        while not self._stopping.is_set():
            started = loop.time()
            code = await self._run_once(child)
            if self._stopping.is_set():
                return
            if loop.time() - started > BACKOFF_RESET:
                pause = BACKOFF_FIRST
            child.restarts += 1
            log.warning("role.died", child=child.role, exit=_describe(code), restart_in_s=round(pause, 1))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, BACKOFF_MOST)

    async def _run_once(self, child: Child) -> int:
        reading, writing = os.pipe()
        try:
            child.process = await asyncio.create_subprocess_exec(
                *self._command(child.role),
                env=self._environment | {HEARTBEAT_VARIABLE: str(writing)},
                pass_fds=(writing,),
                start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops the roles in order
            )
        finally:
            os.close(writing)
        child.last_beat, child.limit = asyncio.get_running_loop().time(), STARTUP
        loop = asyncio.get_running_loop()
        os.set_blocking(reading, False)
        loop.add_reader(reading, self._heard, child, reading)
        watching = asyncio.create_task(self._watch(child))
        try:
            return await child.process.wait()
        finally:
            watching.cancel()
            loop.remove_reader(reading)
            os.close(reading)
            child.ready.clear()

    def _heard(self, child: Child, fd: int) -> None:
        data = os.read(fd, 4096)
        loop = asyncio.get_running_loop()
        if READY in data:
            child.limit = SILENCE
            child.ready.set()
        if READY in data or BEAT in data:
            child.last_beat = loop.time()
        if not data:
            loop.remove_reader(fd)

    async def _watch(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        while True:
            silent = loop.time() - child.last_beat
            if silent >= child.limit and child.process is not None:
                log.error("role.silent", child=child.role, seconds=round(silent), action="kill -9 and restart")
                child.process.kill()
                return
            await asyncio.sleep(min(1.0, child.limit - silent))


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
