"""The simulated world as a process, against an installation: it keeps what it sent, for audits."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.installation import STARTING, Installation, waited


@dataclass
class World:
    installation: Installation
    scenario: str
    """Name of one that ships, or YAML."""
    process: subprocess.Popen[str] | None = None

    @property
    def folder(self) -> Path:
        return self.installation.folder / "world"

    def start(self) -> None:
        self.folder.mkdir()
        token = self.folder / "token"
        token.write_text(self.installation.token())
        scenario = self.scenario
        if "\n" in scenario:
            file = self.folder / "scenario.yaml"
            file.write_text(scenario)
            scenario = str(file)
        arguments = [
            *("--broker", self.installation.mqtt_url, "--api", self.installation.api_url, "--scenario", scenario),
            *("--token-file", token, "--state", self.folder, "--status-file", self.folder / "status.json"),
            *("--patience", "60", "--keep-readings", "--json"),
        ]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ULLAGE_")}
        with (self.folder / "world.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "devices_sim", *map(str, arguments)],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def status(self) -> dict[str, Any]:
        """{} before there is one; the file is replaced at once, never half."""
        file = self.folder / "status.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def wait_acked(self, count: int, seconds: float = STARTING) -> None:
        """Until so many readings were acknowledged."""

        def look() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, (self.folder / "world.log").read_text()
            return int(self.status().get("acked", 0)) >= count

        waited(look, lambda: f"{count} readings acknowledged; {self.status()}", seconds)

    def ended(self, seconds: float) -> tuple[int, dict[str, Any]]:
        """Exit code and report, when the scenario is over."""
        assert self.process is not None
        out, _ = self.process.communicate(timeout=seconds)
        assert out, (self.folder / "world.log").read_text()
        return self.process.returncode, json.loads(out)

    def stop(self, seconds: float = 60.0) -> dict[str, Any]:
        """End a scenario that has no end; its report."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.ended(seconds)[1]

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
