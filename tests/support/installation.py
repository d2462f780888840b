"""A real installation: `ullage serve` as a process on free ports in a folder of its own; to be looked at and harmed.

Log lines are JSON in one file that all roles append to. Waiting polls that file and the ports (every POLL seconds):
they are other processes' doing.
"""

import contextlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from models.simulated import Timeline
from ullage import clocks, compose, settings
from ullage.clock import last_tick

POLL = 0.02
STARTING = 240.0
"""Seconds that a start may take on a busy machine when the fold must be compiled first; else it takes two."""
ROLES = ("clock", "deliver", "worker", "api", "gateway")
START = 1_795_478_400_000  # Tue 2026-11-24 00:00 UTC, where a simulated world begins


_PORTS = iter(random.SystemRandom().sample(range(10_240, 30_000), 10_000))
"""Below what the system gives to outgoing connections, which could take a port between its choice and its use."""


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, each given to one caller of this process only."""
    return list(itertools.islice(filter(_free, _PORTS), count))


def _free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def waited(look: Callable[[], Any], what: str | Callable[[], str], seconds: float) -> Any:
    """What `look` finds, as soon as it finds something."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {what if isinstance(what, str) else what()}")
        time.sleep(POLL)


@dataclass
class Installation:
    """`speed` 0: system time; else domain time runs so many times as fast, from START or from the last tick."""

    folder: Path
    speed: float = 0.0
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    api_port: int = 0
    mqtt_port: int = 0
    began: int = 0
    """Where the log of this run begins, in bytes."""
    started: float = 0.0
    """When this run was started, monotonic seconds."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.api_port, self.mqtt_port = free_ports(2)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log_file(self) -> Path:
        return self.folder / "serve.log"

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def mqtt_url(self) -> str:
        return f"mqtt://127.0.0.1:{self.mqtt_port}"

    def environment(self) -> dict[str, str]:
        found = {k: v for k, v in os.environ.items() if not k.startswith("ULLAGE_")}
        return found | {
            "ULLAGE_DATA": str(self.data),
            "ULLAGE_API_PORT": str(self.api_port),
            "ULLAGE_MQTT_PORT": str(self.mqtt_port),
            "ULLAGE_LOG_FORMAT": "json",
            "ULLAGE_SURGE": "0",  # many slots run empty at once, and simulated users approve nothing
            **self.variables,
        }

    def settings(self) -> settings.Settings:
        return settings.load(environ=self.environment())

    def timeline(self) -> Timeline | None:
        if not self.speed:
            return None
        start = 0
        if (self.data / "clock").exists():
            with contextlib.closing(compose.journal_of(self.settings())) as journal:
                start = max(last_tick(journal, p) for p in range(journal.partitions))
        return Timeline(start or START, clocks.boot_ms(), self.speed)

    def start(self) -> None:
        environment = self.environment()
        if line := self.timeline():
            environment[clocks.VARIABLE] = clocks.encode(line)
        self.began = self.log_file.stat().st_size if self.log_file.exists() else 0
        self.started = time.monotonic()
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ullage", "serve"], env=environment, stdout=log, stderr=log
            )

    def log(self, event: str = "", since: int | None = None) -> list[dict[str, Any]]:
        """Log lines of this run, those of `event` only if it is given, from byte `since` on."""
        with self.log_file.open("rb") as file:
            file.seek(self.began if since is None else since)
            lines = file.read().split(b"\n")[:-1]
        parsed = [json.loads(line) for line in lines if line.startswith(b"{")]
        return [line for line in parsed if not event or line.get("event") == event]

    def said(self) -> int:
        """Size of the log, to look at only what comes behind it."""
        return self.log_file.stat().st_size

    def wait_ready(self, seconds: float = STARTING) -> float:
        """Until every role is ready and the API says so; the seconds since the process was started."""
        waited(lambda: self._alive() and self.log("serve.ready"), lambda: self._told("serve is ready"), seconds)
        waited(lambda: httpx.get(f"{self.api_url}/readyz").is_success, lambda: self._told("/readyz"), seconds)
        return round(time.monotonic() - self.started, 2)

    def _alive(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self._told("serve has ended")
        return True

    def _told(self, what: str) -> str:
        text = self.log_file.read_text(errors="replace")[-4000:] if self.log_file.exists() else ""
        return f"{what}; the log's end:\n{text}\n"

    def pids(self) -> dict[str, int]:
        """The roles' processes, as the kernel knows them."""
        assert self.process is not None
        found = {}
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            with contextlib.suppress(OSError):
                arguments = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")[:-1]
                if arguments and arguments[-1].decode() in ROLES:
                    found[arguments[-1].decode()] = int(child)
        return found

    def kill(self, role: str) -> int:
        """kill -9; the pid that was."""
        pid = waited(lambda: self.pids().get(role), f"a process of {role}", STARTING)
        os.kill(pid, signal.SIGKILL)
        return pid

    def wait_back(self, role: str, before: int, since: int, seconds: float = STARTING) -> None:
        """Until another process of `role` than `before` said, behind byte `since` of the log, that it is ready."""

        def look() -> bool:
            return self._alive() and any(
                line["role"] == role and line["pid"] != before for line in self.log("role.ready", since)
            )

        waited(look, lambda: self._told(f"{role} is back"), seconds)

    def stop(self, number: int = signal.SIGTERM, seconds: float = 30.0) -> float:
        """Ask it to end; the seconds that it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(seconds)
        assert code == 0, self._told(f"serve ended with {code}")
        return time.monotonic() - began

    def end(self) -> None:
        """However the test went: nothing of ours is left. Without a supervisor the roles end by themselves."""
        if self.process is not None and self.process.poll() is None:
            mine = self.pids().values()
            self.process.kill()
            self.process.wait()
            for pid in mine:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def ullage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command of the product; with `check` it must end with 0."""
        done = subprocess.run(
            [sys.executable, "-m", "ullage", *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=STARTING,
            check=False,
        )
        assert done.returncode == 0 or not check, f"ullage {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def token(self, *options: str) -> str:
        """A new operator token's secret."""
        return str(json.loads(self.ullage("token", "create", "--name", "test", "--json", *options).stdout)["secret"])

    def client(self, token: str) -> httpx.Client:
        return httpx.Client(base_url=self.api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


@contextlib.contextmanager
def installation(folder: Path, speed: float = 0.0, **variables: str) -> Iterator[Installation]:
    """Started and ready; ended at the latest with the block."""
    made = Installation(folder, speed, variables)
    try:
        made.start()
        made.wait_ready()
        yield made
    finally:
        made.end()
