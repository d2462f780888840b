"""How many readings a second the gateway makes durable and acknowledges, on one machine with its load beside it.

python -m bench.gateway [SECONDS]: both loads, as a table. The server is the real one on a SQLite journal; only the
directory is in memory.
"""

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any

import structlog
import uvloop

from bench.gateway_packets import account, device, token
from ingest.config import GatewayConfig
from ingest.gateway import serve
from journal.open import open_journal
from models.identity import DeviceIdentity, SlotIdentity

LOADS = (
    ("200 connections, window 100", 200, 100, 60_000, 150_000),
    ("2,000 connections, window 1", 2_000, 1, 15_000, 30_000),
)
DEVICES = 2_000


def identity(number: int) -> DeviceIdentity:
    return DeviceIdentity(
        account=account(number),
        device=device(number),
        device_id=number + 1,
        site_id=number % 12,
        shard=number % 12,
        credential=hashlib.sha256(token(number).encode()).digest(),
        ready=True,
        retired=False,
        version=number + 1,
        slots={
            "toner.black": SlotIdentity(2 * number, 12_000, "pages"),
            "beans.hopper_1": SlotIdentity(2 * number + 1, 1_200, "g"),
        },
        counters=("pages.total",),
    )


class Devices:
    """A directory in memory."""

    def __init__(self) -> None:
        self._all = [identity(number) for number in range(DEVICES)]

    def changes(self, since: int) -> tuple[int, list[DeviceIdentity]]:
        return DEVICES, [] if since else self._all

    def lookup(self, account: str, device: str) -> DeviceIdentity | None:
        return next((i for i in self._all if (i.account, i.device) == (account, device)), None)


async def _serve(folder: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # the port goes to stdout
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    journal = open_journal(f"sqlite:///{folder}/journal.db")
    config = GatewayConfig(port=0, bytes_per_second=1 << 30, burst_bytes=1 << 30)

    def now() -> int:
        return time.time_ns() // 1_000_000

    await serve(config, journal, Devices(), now, stop, lambda ports: print(ports[0], flush=True))
    journal.close()


def run(seconds: float = 6.0) -> dict[str, Any]:
    """Both loads: name -> figures of bench.gateway_client.load."""
    return {name: _measure(connections, window, seconds) for name, connections, window, _, _ in LOADS}


def _measure(connections: int, window: int, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        python = [sys.executable, "-m"]
        server = subprocess.Popen([*python, "bench.gateway", "serve", folder], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            numbers = [port, str(connections), str(window), str(seconds), str(server.pid)]
            command = [*python, "bench.gateway_client", *numbers]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            figures: dict[str, Any] = json.loads(done.stdout)
        finally:
            server.terminate()
            server.wait()
        return figures


def rows(figures: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, measured, at least, go for)."""
    return [
        (
            f"gateway, {name}: durable PUBACKs/s (p50 / p99 ms; us of CPU per reading, server + client)",
            "{acks_per_s:,} ({p50_ms} / {p99_ms}; {server_us} + {client_us})".format(**figures[name]),
            f"{least:,}",
            f"{goal:,}",
        )
        for name, _, _, least, goal in LOADS
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        uvloop.run(_serve(sys.argv[2]))
    else:
        found = run(float(sys.argv[1]) if len(sys.argv) > 1 else 6.0)
        for row in rows(found):
            print(" | ".join(row))
        print(json.dumps(found))
