import asyncio
import os
import signal
import sys
from pathlib import Path

from ullage import supervisor as module
from ullage.supervisor import Supervisor

ROLE = """
import os, signal, sys, time
pipe = int(os.environ["ULLAGE_HEARTBEAT_FD"])
with open({log!r}, "a") as f:
    f.write(f"{{sys.argv[1]}} started\\n")
def stop(*_):
    with open({log!r}, "a") as f:
        f.write(f"{{sys.argv[1]}} stopped\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
os.write(pipe, b"R")
while True:
    if {beats}:
        os.write(pipe, b".")
    time.sleep(0.05)
"""

STUBBORN = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(int(os.environ["ULLAGE_HEARTBEAT_FD"]), b"R")
time.sleep(60)
"""


def supervise(tmp_path: Path, roles: tuple[str, ...], beats: bool = True) -> tuple[Supervisor, Path]:
    log = tmp_path / "log"
    log.touch()
    script = ROLE.format(log=str(log), beats=beats)
    return Supervisor(dict(os.environ), roles, lambda role: [sys.executable, "-c", script, role]), log


async def until(condition) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def test_roles_stop_gateway_before_clock(tmp_path: Path):
    async def scenario() -> list[str]:
        supervisor, log = supervise(tmp_path, ("clock", "gateway"))
        await supervisor.start()
        await asyncio.wait_for(supervisor.wait_ready(), 20)
        await supervisor.stop()
        return log.read_text().splitlines()

    lines = asyncio.run(scenario())
    assert sorted(lines[:2]) == ["clock started", "gateway started"]
    assert lines[2:] == ["gateway stopped", "clock stopped"]


def test_no_role_waits_for_another_to_start(tmp_path: Path):
    async def scenario() -> bool:
        hangs = [sys.executable, "-c", "import time; time.sleep(60)"]
        gateway, _ = supervise(tmp_path, ("gateway",))
        both = Supervisor(
            dict(os.environ), ("clock", "gateway"), lambda role: hangs if role == "clock" else gateway._command(role)
        )
        await both.start()
        await asyncio.wait_for(both.children["gateway"].ready.wait(), 20)
        clock_is_ready = both.children["clock"].ready.is_set()
        await both.stop()
        return clock_is_ready

    assert not asyncio.run(scenario())


def test_a_killed_role_is_restarted(tmp_path: Path):
    async def scenario() -> tuple[int, int]:
        supervisor, _ = supervise(tmp_path, ("worker",))
        await supervisor.start()
        await asyncio.wait_for(supervisor.wait_ready(), 20)
        child = supervisor.children["worker"]
        first = child.process.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.restarts == 1 and child.ready.is_set())
        second = child.process.pid
        await supervisor.stop()
        return first, second

    first, second = asyncio.run(scenario())
    assert first != second


def test_a_role_without_a_heartbeat_is_killed_and_restarted(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "SILENCE", 0.3)

    async def scenario() -> int:
        supervisor, _ = supervise(tmp_path, ("api",), beats=False)
        await supervisor.start()
        await until(lambda: supervisor.children["api"].restarts >= 1)
        await supervisor.stop()
        return supervisor.children["api"].restarts

    assert asyncio.run(scenario()) >= 1


def test_a_role_that_does_not_stop_is_killed_within_the_bound(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(module, "STOP_WITHIN", 0.5)
    script = STUBBORN

    async def scenario() -> float:
        supervisor = Supervisor(dict(os.environ), ("worker",), lambda _: [sys.executable, "-c", script])
        await supervisor.start()
        await asyncio.wait_for(supervisor.wait_ready(), 20)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await supervisor.stop()
        return loop.time() - began

    assert asyncio.run(scenario()) < 2
