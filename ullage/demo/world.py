"""The simulated world as a process of its own: it speaks MQTT and HTTP to us, and tells how it is in a file."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPORT_WITHIN = 4.0
END_WITHIN = 2.0
PATIENCE = 120
"""Seconds that the world waits for the API, which may have to compile the core first."""


@dataclass(slots=True)
class World:
    """`python -m devices_sim`, started, looked at and stopped."""

    arguments: list[str]
    folder: Path
    process: asyncio.subprocess.Process | None = None
    _status: dict[str, Any] = field(default_factory=dict)

    @property
    def status_file(self) -> Path:
        return self.folder / "status.json"

    @property
    def log_file(self) -> Path:
        return self.folder / "world.log"

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ULLAGE_")}
        with self.log_file.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "devices_sim",
                *self.arguments,
                "--patience",
                str(PATIENCE),
                "--linger",
                "--state",
                str(self.folder),
                "--status-file",
                str(self.status_file),
                "--json",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=environment,
                start_new_session=True,
            )

    def status(self) -> dict[str, Any]:
        """The newest status; the one before while a new one is being written."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            self._status = json.loads(self.status_file.read_text())
        return self._status

    async def report(self) -> dict[str, Any]:
        """Let the world end its life; its final report, {} if it gave none in time. Its suppliers still answer."""
        process = self.process
        if process is None or process.stdout is None:
            return {}
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(TimeoutError, json.JSONDecodeError):
            return dict(json.loads(await asyncio.wait_for(process.stdout.readline(), REPORT_WITHIN)))
        return {}

    async def end(self) -> None:
        """The process ends, by itself or not."""
        process = self.process
        if process is None or process.stdin is None:
            return
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()
