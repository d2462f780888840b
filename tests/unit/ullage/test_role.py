import os
import subprocess
import sys
from pathlib import Path

from ullage import clocks, compose
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
