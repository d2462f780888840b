"""The example devices keep what they promise: the conformance check finds nothing wrong, and nothing is lost."""

import asyncio
import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.clock import real_ms
from tests.support.check import checked
from tests.support.gateway import Running, frames, running, until
from tests.support.mqtt import TOKEN

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "device"
SUPPORT = Path(__file__).parents[1] / "support"
LEVELS = b"0.42\n0.41\n0.40\n0.39\n"
COMPILER = shutil.which("cc")
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic")
Program = Callable[[int, Path], list[str]]


def python(port: int, folder: Path) -> list[str]:
    given = ["127.0.0.1", str(port), "acme", "copier-01", TOKEN.decode(), str(folder / "store.db")]
    return [sys.executable, "-W", "error", str(EXAMPLES / "device.py"), *given]


def shell(port: int, folder: Path, level: str = "0.42") -> list[str]:
    given = ["127.0.0.1", str(port), "acme", "copier-01", TOKEN.decode(), str(folder / "store"), level]
    return ["sh", str(EXAMPLES / "device.sh"), *given]


@pytest.fixture
def with_mosquitto(tmp_path: Path) -> dict[str, str]:
    """An environment that has mosquitto_pub, or what stands in for it."""
    if shutil.which("mosquitto_pub"):
        return dict(os.environ)
    script = tmp_path / "bin" / "mosquitto_pub"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} {SUPPORT / "mosquitto_pub.py"} "$@"\n')
    script.chmod(0o755)
    return os.environ | {"PATH": f"{script.parent}:{os.environ['PATH']}"}


@pytest.fixture
def native(tmp_path: Path) -> Program:
    """The C program, where a compiler and Eclipse Paho are installed."""
    if COMPILER is None:
        pytest.skip("no C compiler")
    made = tmp_path / "device"
    command = [COMPILER, *FLAGS, "-o", str(made), str(EXAMPLES / "device.c"), "-lpaho-mqtt3c"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("Eclipse Paho (libpaho-mqtt3c) is not installed")

    def native(port: int, folder: Path) -> list[str]:
        given = ["127.0.0.1", str(port), "acme", "copier-01", TOKEN.decode(), str(folder / "store")]
        return [str(made), *given]

    return native


def clean(program: Program, tmp_path: Path) -> None:
    """The check finds nothing wrong with a program that reads levels."""

    async def device(port: int) -> None:
        process = await asyncio.create_subprocess_exec(
            *program(port, tmp_path), stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        _, errors = await process.communicate(LEVELS)
        assert process.returncode == 0, errors.decode()

    findings = checked(device, now=real_ms)
    # it publishes as fast as it reads: it has no reason to ping
    assert {one.rule: one.verdict for one in findings.values() if one.verdict != "passed"} == {
        "keep_alive": "not seen"
    }, findings


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Nobody listens there, and nobody else will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def levels(gateway: Running) -> list[float]:
    return sorted(round(float(level), 2) for frame in frames(gateway.journal) for level in frame.supplies["high"])


def test_the_python_device_is_clean(tmp_path: Path) -> None:
    clean(python, tmp_path)


def test_the_c_device_is_clean(native: Program, tmp_path: Path) -> None:
    clean(native, tmp_path)


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
def test_the_c_device_compiles(tmp_path: Path) -> None:
    assert COMPILER
    source, made = str(EXAMPLES / "device.c"), str(tmp_path / "device.o")
    command = [COMPILER, *FLAGS, "-I", str(SUPPORT / "paho"), "-c", source, "-o", made]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_python_device_sends_what_an_earlier_life_left(tmp_path: Path) -> None:
    with closed_port() as port, subprocess.Popen(python(port, tmp_path), stdin=subprocess.PIPE) as first:
        assert first.stdin
        first.stdin.write(b"0.42\n0.41\n")
        first.stdin.flush()
        until(lambda: stored(tmp_path / "store.db") == 2, 60)
        first.kill()
    with running() as gateway:
        subprocess.run(python(gateway.port, tmp_path), input=b"0.4\n", check=True, timeout=60)
        assert levels(gateway) == [40.0, 41.0, 42.0]


def stored(path: Path) -> int:
    """How many readings are on disk."""
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path, timeout=5)) as db:
        made = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'reading'").fetchone()
        return int(db.execute("SELECT count(*) FROM reading").fetchone()[0]) if made else 0


def test_the_shell_device_keeps_what_was_not_acknowledged(tmp_path: Path, with_mosquitto: dict[str, str]) -> None:
    with closed_port() as port:
        lost = subprocess.run(shell(port, tmp_path), env=with_mosquitto, capture_output=True, check=False, timeout=60)
    assert lost.returncode == 1
    assert len(list((tmp_path / "store").glob("*.json"))) == 1
    with running() as gateway:
        subprocess.run(shell(gateway.port, tmp_path, "0.41"), env=with_mosquitto, check=True, timeout=60)
        assert levels(gateway) == [41.0, 42.0]
        (seqs,) = {tuple(sorted(int(s) for f in frames(gateway.journal) for s in f.readings["seq"]))}
        assert seqs == (1, 2)
    assert list((tmp_path / "store").glob("*.json")) == []


def test_the_shell_device_is_clean(tmp_path: Path, with_mosquitto: dict[str, str]) -> None:
    async def device(port: int) -> None:
        for level in ("0.42", "0.41", "0.4", "0.39"):
            process = await asyncio.create_subprocess_exec(*shell(port, tmp_path, level), env=with_mosquitto)
            await process.wait()

    findings = checked(device, now=real_ms)
    verdicts = {one.rule: one.verdict for one in findings.values() if one.verdict != "passed"}
    # it connects for each reading, and hears nothing
    assert verdicts == dict.fromkeys(("keep_alive", "session", "downlink"), "not seen"), findings
