"""kill -9 under load: whatever was acknowledged is in the journal, in each device's order."""

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from journal.sqlite import SqliteJournal
from tests.support.gateway import frames
from tests.support.mqtt import Client, reading

ROOT = Path(__file__).parents[2]
DEVICES, WINDOW = 4, 50


def load(port: int, number: int, start: int, acknowledged: list[int]) -> None:
    """Publish with a window until the gateway is gone; remembers the highest seq that was acknowledged."""
    seq = start
    with Client(port, 4 + number % 2) as client:
        try:
            client.connect(number)
            waiting = 0
            while True:
                while waiting < WINDOW:
                    seq += 1
                    client.publish(reading(seq), seq % 65535 + 1)
                    waiting += 1
                client.expect(0x40)
                waiting -= 1
                acknowledged[number] = seq - waiting
        except (EOFError, ConnectionError):
            return


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_acknowledged_reading_is_missing_after_kill_9(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "journal.db"
    acknowledged = [0] * (DEVICES + 1)
    after = random.Random(seed).uniform(0.1, 0.5)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("gateway_process.py")), str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        threads = [threading.Thread(target=load, args=(port, n, 0, acknowledged)) for n in range(1, DEVICES + 1)]
        for thread in threads:
            thread.start()
        timer = threading.Timer(after, process.send_signal, (signal.SIGKILL,))
        timer.start()
        process.wait(20)
        timer.join()
        for thread in threads:
            thread.join(10)
    journal = SqliteJournal(path)
    kept: dict[int, list[int]] = {}
    for frame in frames(journal):
        for row in frame.readings:
            kept.setdefault(int(row["device"]), []).append(int(row["seq"]))
    journal.close()
    assert sum(acknowledged) > 0
    for number in range(1, DEVICES + 1):
        found = kept.get(number, [])
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= acknowledged[number]
