"""`ullage device tail` beside a gateway: what a device sends is shown as it comes, decoded or refused."""

import json
import queue
import signal
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ledger.directory import LedgerDirectory
from tests.support.gateway import running
from tests.support.gateway_fakes import FakeDirectory
from tests.support.mqtt import Client, reading
from ullage import compose
from ullage.cli import main
from ullage.settings import load

FLEET = Path(__file__).parents[2] / "docs" / "examples" / "fleet.yaml"


def registered(data: Path) -> str:
    """The token of acme's copier-01."""
    applied = CliRunner().invoke(main, ["--data", str(data), "fleet", "apply", str(FLEET), "--json"])
    assert applied.exit_code == 0, applied.output
    credentials = json.loads(applied.stdout)["credentials"]
    return next(str(c["token"]) for c in credentials if c["device"] == "copier-01")


class Shown:
    """The lines that the command prints, as it prints them."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def _read(self, stream: Any) -> None:
        for line in stream:
            self._lines.put(json.loads(line))

    def next(self, seconds: float) -> dict[str, Any] | None:
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return None


def first_line(shown: Shown, client: Client) -> dict[str, Any]:
    """The command shows what comes after its start, and does not say when that is: publish until it shows something."""
    for seq in range(1, 300):
        client.publish(reading(seq, supplies={"black": {"level": 0.42}}, counters=None), seq)
        client.expect(0x40)
        if line := shown.next(0.1):
            return line
    raise AssertionError("nothing is shown")


def test_the_tail_shows_what_comes_decoded_or_refused(tmp_path: Path) -> None:
    settings = load({"data": str(tmp_path)}, environ={})
    compose.initialise(settings, line=None)
    token = registered(tmp_path)
    with closing(compose.ledger_of(settings)) as ledger, closing(compose.journal_of(settings)) as journal:
        identity = LedgerDirectory(ledger).lookup("acme", "copier-01")
        assert identity is not None
        command = [sys.executable, "-m", "ullage", "--data", str(tmp_path), "device", "tail", str(identity.device_id)]
        with (
            running(journal, FakeDirectory(replace(identity, ready=True))) as gateway,
            Client(gateway.port) as client,
            subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, text=True) as tail,
        ):
            client.connect(1, token=token.encode())
            shown = Shown(tail)
            line = first_line(shown, client)
            assert line["kind"] == "reading"
            assert line["boot"] == "a81f03c2d94e77b1"
            assert line["supplies"] == {"black": {"level": [0.42, 0.42], "flags": []}}
            client.publish(reading(999, supplies={"black": {"level": 42}}), 999)
            while line["kind"] == "reading":
                line = shown.next(10) or {"kind": "nothing"}
            assert (line["code"], line["reason"]) == ("level_out_of_range", "supplies.black.level is 42: use 0..1")
            assert json.loads(line["raw"])["seq"] == 999
            tail.send_signal(signal.SIGINT)
            assert tail.wait(20) == 0
