"""Metrics of all roles at one address: each role leaves its own in a file, the API adds them to its answer."""

import os
from pathlib import Path

from prometheus_client import REGISTRY, generate_latest

EVERY_S = 2.0
_OF_THE_PROCESS = ("process_", "python_")
"""What each process has; in one answer it would stand several times under one name."""


def folder(data: Path) -> Path:
    return data / "metrics"


def leave(data: Path, role: str) -> None:
    """Write this process's metrics, in one step, so that no reader sees half of them."""
    place = folder(data) / f"{role}.prom"
    place.parent.mkdir(mode=0o700, exist_ok=True)
    waiting = place.with_suffix(f".{os.getpid()}")
    waiting.write_bytes(b"".join(f"{line}\n".encode() for line in own()))
    waiting.replace(place)


def own() -> list[str]:
    lines = generate_latest(REGISTRY).decode().splitlines()
    return [
        line for line in lines if not line.removeprefix("# HELP ").removeprefix("# TYPE ").startswith(_OF_THE_PROCESS)
    ]


def others(data: Path, role: str) -> str:
    """The text of all roles but `role`."""
    found = sorted(path for path in folder(data).glob("*.prom") if path.stem != role)
    return "".join(path.read_text() for path in found)
