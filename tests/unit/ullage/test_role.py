import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.installation import STARTING, waited
from ullage import clocks, compose
from ullage.roles import NAMES
from ullage.settings import load


def role(tmp_path: Path, name: str, **more) -> subprocess.Popen[bytes]:
    settings = load({"data": str(tmp_path)}, environ={})
    compose.initialise(settings, line=None)
    environment = compose.child_environment(settings, line=None) | more.pop("env", {})
    return subprocess.Popen([sys.executable, "-m", "ullage", name], env=environment, **more)


def test_a_role_whose_supervisor_is_gone_ends_though_nobody_reads_its_log(tmp_path: Path):
    beats, beaten = os.pipe()
    log, logged = os.pipe()
    process = role(tmp_path, "clock", env={"ULLAGE_HEARTBEAT_FD": str(beaten)}, pass_fds=(beaten,), stderr=logged)
    os.close(beaten)
    os.close(logged)
    assert os.read(beats, 1)  # it lives
    os.close(beats)
    os.close(log)
    process.wait(30)


def test_a_role_on_the_wrong_clock_says_so_in_one_line(tmp_path: Path):
    process = role(tmp_path, "clock", env={clocks.VARIABLE: '{"t0": 0, "m0": 0, "speed": 2.0}'}, stderr=subprocess.PIPE)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2
    assert b"runs on system time" in said
    assert b"Traceback" not in said


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_each_role_starts_alone_and_ends_when_it_is_told(tmp_path: Path):
    ports = {"ULLAGE_API_PORT": "0", "ULLAGE_MQTT_PORT": "0"}
    running = {}
    try:
        for name in NAMES:  # the clock comes first: the gateway accepts nothing before it
            log = tmp_path / f"{name}.log"
            with log.open("wb") as file:
                running[name] = role(tmp_path / "data", name, env=ports, stderr=file, stdout=file)
            waited(lambda log=log: "role.ready" in log.read_text(), log.read_text, STARTING)
        assert {name: process.poll() for name, process in running.items()} == dict.fromkeys(NAMES)
        for process in running.values():
            process.terminate()
        assert {name: process.wait(30) for name, process in running.items()} == dict.fromkeys(NAMES, 0)
    finally:
        for process in running.values():
            process.kill()
            process.wait()
