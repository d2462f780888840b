"""The demo from its start to its summary: an installation in its own folder, a world, a live view."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from ledger import people, tokens
from ledger.clock import real_ms
from ledger.engine import Ledger
from ledger.grants import OWNER
from ledger.registry import accounts
from ledger.roles import Role
from ledger.scope import Scope
from models.simulated import Timeline
from models.stores import StoreError, Unavailable
from models.units import DAY
from ullage import clocks, compose
from ullage.clock import last_tick
from ullage.demo.folder import remember_devices
from ullage.demo.summary import summary
from ullage.demo.view import Snapshot, draw, line
from ullage.demo.world import World
from ullage.lag import worker_lag
from ullage.settings import Settings
from ullage.standing import standing
from ullage.supervisor import Supervisor

LOOK_EVERY = 0.5
LINK_LIFE = DAY
VISITOR = "demo@example.com"
"""Who signs in by the link, the same person at every start."""
LINE_EVERY = 10.0


def environment_of(settings: Settings, line: Timeline | None, devices: int) -> dict[str, str]:
    """Of the roles, where nobody asks for more: their log tells what does not go well, for what does is in the view;
    the gateway takes twice the fleet (devices reconnect), not more than this machine may have open."""
    environment = compose.child_environment(settings, line)
    for name, value in (("log_level", "warning"), ("mqtt_connections", str(2 * devices + 100))):
        if settings.effective[name].source == "default":
            environment[f"ULLAGE_{name.upper()}"] = value
    return environment


@dataclass(slots=True)
class Demo:
    settings: Settings
    devices: int
    speed: float
    note: str
    folder: Path
    console: Console = field(default_factory=Console)
    line: Timeline = field(init=False)

    async def run(self) -> int:
        """Run until Ctrl-C. Returns the exit code: 1 when the world never came to life."""
        self.line = self._timeline()
        compose.initialise(self.settings, self.line)
        remember_devices(self.folder, self.devices)
        supervisor = Supervisor(environment_of(self.settings, self.line, self.devices))
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        with contextlib.closing(compose.ledger_of(self.settings)) as ledger:
            world = self._world(ledger)
            await supervisor.start()
            try:
                await world.start()  # at once: its suppliers answer what waits for them, the rest waits for the API
                if not await _first(supervisor.wait_ready(), stop):
                    return 1
                began = time.monotonic()
                await self._look(world, ledger, stop)
                report = await world.report()
                self.console.print(summary(standing(ledger), report, time.monotonic() - began))
            finally:
                await supervisor.stop()
                await world.end()
        return 0 if report else 1

    def _timeline(self) -> Timeline:
        """Where the simulated date goes on: from the last tick, or from now in a new world."""
        start = 0
        if (self.folder / "clock").exists():
            with contextlib.closing(compose.journal_of(self.settings)) as journal:
                start = max(last_tick(journal, p) for p in range(journal.partitions))
        return Timeline(start or clocks.system_ms(), clocks.boot_ms(), self.speed)

    def _world(self, ledger: Ledger) -> World:
        token_file = self.folder / "world" / "token"
        token_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not token_file.exists():
            with ledger.write() as tx:
                made = tokens.create(tx, "simulated world", Role.OPERATOR, real_ms(), accounts=None)
            token_file.touch(mode=0o600)
            token_file.write_text(made.secret)
        arguments = [
            "--broker", compose.mqtt_url(self.settings), "--api", compose.api_url(self.settings),
            "--token-file", str(token_file), "--scenario", "demo", "--devices", str(self.devices),
        ]  # fmt: skip
        return World(arguments, self.folder / "world")

    def _links(self, ledger: Ledger) -> dict[str, str]:
        with ledger.write() as tx:
            mine = [one.id for one in accounts.list_accounts(tx, Scope.all())]
            known = people.with_email(tx, VISITOR)
            if known is None:
                known = people.create(tx, OWNER, "demo", Role.APPROVER, real_ms(), email=VISITOR, accounts=mine)
            secret = people.make_link(tx, known.id, real_ms(), LINK_LIFE)
        url = compose.api_url(self.settings)
        return {"page": f"{url}/sign-in?code={secret}", "API": f"{url}/v1", "MQTT": compose.mqtt_url(self.settings)}

    async def _look(self, world: World, ledger: Ledger, stop: asyncio.Event) -> None:
        began = time.monotonic()
        links: dict[str, str] = {}
        with _screen(self.console) as show:
            while not stop.is_set():
                if world.process is not None and world.process.returncode is not None:
                    raise StoreError(f"the simulated world ended by itself: {world.log_file} says why")
                with contextlib.suppress(Unavailable):  # a busy ledger: the next look may find it free
                    now = await asyncio.to_thread(standing, ledger)
                    if now.accounts and not links:
                        links = await asyncio.to_thread(self._links, ledger)
                    seen, lag = world.status(), worker_lag(self.settings.data) or 0
                    rate = seen.get("readings_per_second", 0.0)
                    show(Snapshot(now, seen, rate, self.speed, time.monotonic() - began, links, self.note, lag))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_EVERY)


@contextlib.contextmanager
def _screen(console: Console) -> Iterator[Callable[[Snapshot], None]]:
    """A live view where there is a terminal, else a line every LINE_EVERY seconds."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield lambda look: live.update(draw(look), refresh=True)
        return
    last = -LINE_EVERY

    def show(look: Snapshot) -> None:
        nonlocal last
        if look.elapsed - last >= LINE_EVERY:
            last = look.elapsed
            console.print(line(look), soft_wrap=True)

    yield show


async def _first(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> bool:
    """Whether `work` was done before `stop` was set."""
    doing, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (doing, stopping):
        task.cancel()
    return doing.done() and not doing.cancelled()
