"""What the doctor says of machines that are made up: a rule each, what is well and what is not."""

import json
import os
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from journal.codec import encode_tick
from ledger.migrations import HEAD
from models.records import Tick
from models.units import DAY, HOUR
from models.version import LOGIC
from ullage import compose
from ullage.backup.create import LastBackup
from ullage.cli import main
from ullage.doctor.machine import Folder, Machine, fits, look
from ullage.doctor.rules import examine
from ullage.settings import Settings, load

NOW = 1_795_478_400_000  # 2026-11-24
GB = 10**9
WELL = Machine(
    python=(3, 11),
    sqlite=(3, 40, 1),
    missing=(),
    compiled=True,
    processor=frozenset({"sse", "avx2"}),
    data=Folder(True, True, 0o700, "ext4"),
    orders_writable=True,
    readable={"ULLAGE_API_TLS_CERT": True},
    free=50 * GB,
    journal_bytes=GB,
    busy={},
    running=False,
    files=1 << 20,
    now=NOW,
    clock="system",
    journal_newest=NOW - HOUR,
    partitions=4,
    ledger_version=HEAD,
    logic=frozenset({LOGIC}),
    backup=LastBackup("/backups/1", "2026-11-23T04:00:00+00:00", GB),
)


def given(**changes: str) -> Settings:
    return load(changes, environ={})


def worst(machine: Machine, settings: Settings) -> dict[str, str]:
    """Rule -> what is not well about it, and what to do."""
    return {f.rule: f"{f.verdict}: {f.text} -> {f.todo}" for f in examine(machine, settings) if f.verdict != "ok"}


def test_a_machine_that_is_well_gets_no_advice() -> None:
    found = examine(WELL, given())
    assert worst(WELL, given()) == {}
    assert all(f.text and not f.todo for f in found)
    assert len({f.rule for f in found}) >= 14


@pytest.mark.parametrize(
    ("change", "rule", "said", "todo"),
    [
        ({"python": (3, 12)}, "python", "fail: Python 3.12, made for 3.11", "environment of Python 3.11"),
        ({"sqlite": (3, 34, 1)}, "sqlite", "fail: SQLite 3.34.1 is too old", "3.35 or newer"),
        ({"missing": ("click>=8.1 (not there)",)}, "packages", "fail: click>=8.1 (not there)", "pip install"),
        ({"compiled": False}, "numba", "warn: decisions run in plain Python", "pip install numba"),
        ({"processor": frozenset({"sse"})}, "processor", "warn: no AVX", "ullage status"),
        ({"data": Folder(True, False, 0o700, "ext4")}, "permissions", "fail: ", "ULLAGE_DATA"),
        ({"data": Folder(True, True, 0o755, "ext4")}, "permissions", "can be read by others (mode 755)", "chmod 700"),
        ({"orders_writable": False}, "permissions", "purchase orders wait", "ULLAGE_PURCHASE_ORDERS"),
        ({"readable": {"ULLAGE_API_TLS_KEY": False}}, "permissions", "fail: the file that ULLAGE_API_TLS_KEY", "path"),
        ({"data": Folder(True, True, 0o700, "nfs4")}, "filesystem", "fail: ", "disk of this machine"),
        ({"data": Folder(True, True, 0o700, "tmpfs")}, "filesystem", "warn: ", "move it to a disk"),
        ({"free": GB // 10}, "disk", "fail: 100.0 MB free", "make room"),
        ({"free": 5 * GB}, "disk", "warn: 5.0 GB free, the journal may grow by 9.0 GB", "ULLAGE_JOURNAL_MOST"),
        ({"busy": {"ULLAGE_API_PORT": "in use"}}, "ports", "fail: ULLAGE_API_PORT cannot be", "end the program"),
        ({"files": 1024}, "files", "warn: 1024 files may be open", "ULLAGE_MQTT_CONNECTIONS"),
        ({"journal_newest": NOW + HOUR}, "clock", "fail: ", "set the clock"),
        ({"journal_newest": NOW - 40 * DAY}, "clock", "warn: ", "before it is started"),
        ({"ledger_version": "9999"}, "versions", "fail: the ledger has shape 9999", "newer program"),
        ({"logic": frozenset({"0", LOGIC})}, "versions", "warn: version 0 of the logic", "--accept-logic"),
        ({"backup": None}, "backup", "warn: there is none", "ullage backup create"),
        ({"backup": LastBackup("/b", "2026-11-01T00:00:00+00:00", 1)}, "backup", "23.0 days old", "daily"),
        ({"partitions": 8}, "settings", "warn: ULLAGE_PARTITIONS is 4, the journal has 8", "set it to 8"),
    ],
)  # fmt: skip
def test_what_is_not_well_is_told_with_what_to_do(change: dict[str, object], rule: str, said: str, todo: str) -> None:
    found = worst(replace(WELL, **change), given())  # type: ignore[arg-type]
    assert found.keys() == {rule}
    text, _, advice = found[rule].partition(" -> ")
    assert said in text
    assert todo in advice


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"api_port": "1883"}, "fail: ULLAGE_API_PORT and a port of the gateway are both 1883"),
        (
            {"mqtt_tls_port": "1883", "mqtt_tls_cert": "/c", "mqtt_tls_key": "/k"},
            "fail: ULLAGE_MQTT_TLS_PORT and ULLAGE_MQTT_PORT",
        ),
        ({"checkpoint_every": "30d"}, "warn: ULLAGE_CHECKPOINT_EVERY is longer than ULLAGE_JOURNAL_KEEP"),
        ({"series_keep": "1d"}, "warn: ULLAGE_SERIES_KEEP is shorter"),
        ({"approve_by": "10m"}, "warn: ULLAGE_APPROVE_BY is shorter"),
        ({"allow_plaintext": "1"}, "warn: ULLAGE_ALLOW_PLAINTEXT is 1"),
        ({"accept_logic": "1"}, "warn: ULLAGE_ACCEPT_LOGIC is 1"),
    ],
)
def test_settings_that_contradict_each_other(changes: dict[str, str], said: str) -> None:
    found = worst(WELL, given(**changes))
    assert found.keys() == {"settings"}
    assert found["settings"].startswith(said)


def test_ports_are_well_while_the_installation_itself_has_them() -> None:
    assert worst(replace(WELL, busy={"ULLAGE_API_PORT": "in use"}, running=True), given()) == {}


def test_what_was_accepted_is_no_warning() -> None:
    assert worst(replace(WELL, logic=frozenset({"0"})), given(accept_logic="1")) == {}


def test_a_simulated_world_needs_no_backup() -> None:
    assert worst(replace(WELL, clock="simulated", backup=None), given()) == {}


@pytest.mark.parametrize(
    ("version", "wanted", "well"),
    [
        ("8.1.7", "click>=8.1", True),
        ("8.0", "click>=8.1", False),
        ("0.68.3", "numba<0.69,>=0.68", True),
        ("0.69.0", "numba<0.69,>=0.68", False),
        ("0.15.3", "faust-streaming==0.15.3", True),
        ("0.15.4", "faust-streaming==0.15.3", False),
        ("2.0.0rc1", "numpy>=2.0", True),
        ("2026.1", "tzdata>=2024.2", True),
        ("1.0", "anything", True),
    ],
)
def test_bounds_of_requirements(version: str, wanted: str, well: bool) -> None:
    assert fits(version, wanted) is well


def test_this_machine_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    assert look(load({"data": str(data)}, environ={})).data.exists is False
    assert not data.exists()  # it only looks
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = load({"data": str(data), "api_port": str(taken.getsockname()[1]), "mqtt_port": "0"}, environ={})
        compose.initialise(settings, line=None)
        with closing(compose.journal_of(settings)) as journal:
            journal.append([(0, encode_tick(Tick(1, 0)))])
        compose.state_of(settings).close()
        found = look(settings)
    assert found.busy.keys() == {"ULLAGE_API_PORT"}
    assert (found.partitions, found.ledger_version, found.clock) == (4, HEAD, "system")
    assert found.journal_newest is not None
    assert 0 <= found.now - found.journal_newest < HOUR
    assert found.data.mode == 0o700
    assert found.missing == ()
    assert (found.logic, found.backup, found.running) == (frozenset(), None, False)


@pytest.mark.parametrize(
    ("machine", "code"),
    [(WELL, 0), (replace(WELL, compiled=False), 1), (replace(WELL, compiled=False, free=0), 2)],
)
def test_the_exit_code_is_that_of_the_worst(machine: Machine, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [v for v in os.environ if v.startswith("ULLAGE_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setattr("ullage.commands.doctor.look", lambda _settings: machine)
    result = CliRunner().invoke(main, ["doctor", "--json"])
    assert result.exit_code == code
    assert {f["verdict"] for f in json.loads(result.stdout)} >= {"ok"}
    assert "python" in CliRunner().invoke(main, ["doctor"]).output
