"""`ullage device check`: a good device passes every rule; for each rule there is a device that breaks it, and it alone
is found."""

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ingest.check.live import said as said_live
from ingest.check.rule import Finding, Verdict
from ingest.check.rules import RULES, Judge, live_rules
from ingest.tail import follow
from journal.sqlite import SqliteJournal
from tests.support.check import Line, checked, said
from tests.support.gateway import running
from tests.support.gateway_fakes import identity
from ullage.cli import main

YEAR_AHEAD = "2027-11-18T11:06:40Z"
ALIAS = b"\x23\0\1"


def plain(_seq: int) -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Maker:
    """A device's program: three readings, a broken connection, what is left and one more."""

    version: int = 4
    token: bytes = b"t" * 43
    keep_alive: int = 60
    first: int = 0x32
    topic: str = "readings"
    more: bytes = b""
    changes: Callable[[int], dict[str, Any]] = plain
    again: Callable[[int], dict[str, Any]] | None = None
    extra: bytes | None = None
    subscribes_again: bool = True
    answers: bool = True
    returns: bool = True
    resends: bool = True

    async def __call__(self, port: int) -> None:
        line = await Line.open(port, self.version)
        await line.connect(token=self.token, keep_alive=self.keep_alive)
        await line.subscribe(answer=self.answers)
        for seq in (1, 2, 3):
            self._publish(line, seq)
        if self.first & 6 and self.topic == "readings":
            await line.closed()
        else:  # nobody cuts it
            with contextlib.suppress(EOFError):
                await line.ping()
            await line.drop()
        if self.returns:
            with contextlib.suppress(EOFError):  # it breaks the protocol again
                await self._return(port)

    def _publish(self, line: Line, seq: int, again: bool = False) -> None:
        changes = self.again if again and self.again else self.changes
        line.publish(said(seq, **changes(seq)), seq, first=self.first, topic=self.topic, more=self.more)

    async def _return(self, port: int) -> None:
        line = await Line.open(port, self.version)
        await line.connect(token=self.token, keep_alive=self.keep_alive)
        if self.subscribes_again:
            await line.subscribe(answer=self.answers)
        if self.extra is not None:
            line.publish(self.extra, 9)
        for seq in (3, 4) if self.resends else (4,):
            self._publish(line, seq, again=True)
        await line.ping()
        await line.leave()


GOOD = Maker()
BAD = {
    "topic": replace(GOOD, topic="ullage/v1/acme/somebody-else/readings"),
    "topic_alias": replace(GOOD, version=5, topic="", more=ALIAS),
    "qos": replace(GOOD, first=0x30),
    "keep_alive": replace(GOOD, keep_alive=0),
    "format": replace(GOOD, extra=b'{"v":1,"supplies":'),
    "limits": replace(GOOD, extra=said(9, note="x" * 70_000)),
    "units": replace(GOOD, extra=said(9, supplies={"beans": {"remaining": 3, "unit": "cups"}})),
    "boot_seq": replace(GOOD, changes=lambda seq: {"boot": None} if seq == 2 else {}),
    "clock": replace(GOOD, changes=lambda seq: {"ts": YEAR_AHEAD} if seq == 2 else {}),
    "reconnect": replace(GOOD, returns=False),
    "resend": replace(GOOD, resends=False),
    "duplicates": replace(GOOD, again=lambda _: {"supplies": {"black": {"level": 0.41}}}),
    "session": replace(GOOD, subscribes_again=False),
    "downlink": replace(GOOD, answers=False),
}


def failed(findings: dict[str, Finding]) -> set[str]:
    return {name for name, one in findings.items() if one.verdict is Verdict.FAILED}


@pytest.mark.parametrize("version", [4, 5])
def test_a_good_device_passes_every_rule(version: int) -> None:
    findings = checked(replace(GOOD, version=version))
    assert {name: one.verdict for name, one in findings.items()} == dict.fromkeys(findings, Verdict.PASSED), findings
    assert all(one.evidence and not one.todo for one in findings.values())


@pytest.mark.parametrize("rule", BAD)
def test_a_bad_device_is_told_what_is_wrong(rule: str) -> None:
    findings = checked(BAD[rule])
    assert failed(findings) == {rule}, findings
    assert findings[rule].evidence
    assert findings[rule].todo


def test_a_wrong_token_is_told() -> None:
    async def device(port: int) -> None:
        line = await Line.open(port)
        await line.connect(token=b"wrong")
        await line.leave()

    findings = checked(device)
    assert failed(findings) == {"connect"}
    assert "bad_credential" in findings["connect"].evidence[0]
    assert not failed(checked(device, registered=False)), "without a registration any token will do"


def test_a_window_that_is_too_wide_is_told() -> None:
    async def device(port: int) -> None:
        line = await Line.open(port, 5)
        await line.connect()
        for seq in range(1, 510):
            line.publish(said(seq), seq)
        await line.closed()

    assert "window" in failed(checked(device, patience=60.0))


def test_a_silent_connection_is_told() -> None:
    async def device(port: int) -> None:
        line = await Line.open(port)
        await line.connect(keep_alive=1)
        await line.closed()

    findings = checked(device)
    assert failed(findings) == {"keep_alive"}
    assert "1.5 times the keep-alive of 1 s" in findings["keep_alive"].evidence[0]


def test_every_rule_has_a_device_that_breaks_it() -> None:
    assert BAD.keys() | {"connect", "window"} == {rule.name for rule in RULES}


def test_what_is_not_provoked_is_not_seen_and_says_how() -> None:
    async def device(port: int) -> None:
        line = await Line.open(port)
        await line.connect()
        await line.leave()

    findings = checked(device)
    assert findings["resend"].verdict is Verdict.NOT_SEEN
    assert "two readings" in findings["resend"].todo


def test_a_running_device_is_judged_by_the_journal(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path / "journal.db")) as journal:
        with running(journal) as gateway, gateway.client() as client:
            for number, payload in enumerate(
                [said(1), said(1), said(2, ts=YEAR_AHEAD), said(3, supplies={"black": {"level": 42}}), said(5)], 1
            ):
                client.publish(payload, number)
                client.expect(0x40)
        judge = Judge(live_rules())
        for event in said_live(follow(journal, identity(), start=0, ended=lambda: True)):
            judge.see(event)
        findings = {one.rule: one for one in judge.findings()}
    assert failed(findings) == {"units", "clock", "boot_seq"}
    assert findings["duplicates"].verdict is Verdict.PASSED
    assert "level is 42" in findings["units"].evidence[0]


def test_a_last_will_in_the_journal_is_not_the_devices_word() -> None:
    row = {"kind": "reading", "ts": 1, "boot": "0" * 16, "seq": 7, "flags": ["offline", "no_time", "no_sequence"]}
    assert list(said_live([row])) == []


def test_a_refused_message_in_the_journal_is_one_that_was_said() -> None:
    (event,) = said_live([{"kind": "refused", "code": "nul", "reason": "byte 0 is NUL", "raw": "\0"}])
    assert event.rejected
    assert event.rejected.code == "nul"


def test_the_command_reports_and_its_exit_code_says_it() -> None:
    command = [sys.executable, "-m", "ullage", "device", "check", "--for", "60s", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        port = int(process.stderr.readline().split("mqtt://127.0.0.1:")[1].split(":")[0])

        async def device() -> None:
            line = await Line.open(port)
            await line.connect(keep_alive=0)
            line.publish(said(1), 1)
            await line.until(0x40)
            await line.leave()

        asyncio.run(device())
        process.terminate()
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert {one["rule"]: one["verdict"] for one in json.loads(out)}["keep_alive"] == "failed"


def test_the_command_says_when_nothing_came() -> None:
    done = CliRunner().invoke(main, ["device", "check", "--for", "0s"])
    assert done.exit_code == 2
    assert "nothing came" in done.stderr
    assert "not seen" in done.stdout


def test_the_command_refuses_what_it_cannot_do() -> None:
    assert CliRunner().invoke(main, ["device", "check", "--live"]).exit_code == 2
    assert "write a duration such as" in CliRunner().invoke(main, ["device", "check", "--for", "soon"]).stderr
