"""What every Faust transport of ours must do: a real worker in a process of its own, killed and started again."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from journal.open import open_journal
from models.stores import Journal

SCRIPT = Path(__file__).with_name("transport_worker.py")
PARTITIONS = 3
PATIENCE = 30.0

Start = Callable[..., "Worker"]


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder}/journal.db"


@pytest.fixture(params=[sqlite_url])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(request.param(tmp_path))


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with closing(open_journal(url, partitions=PARTITIONS)) as opened:
        yield opened


class Worker:
    """A running transport_worker.py and what it says."""

    def __init__(self, url: str, folder: Path, delay: float = 0.0) -> None:
        self.errors = folder / f"worker-{time.monotonic_ns()}.log"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(  # our own program
                [sys.executable, str(SCRIPT), url, "readers", str(folder / "positions.json"), str(delay)],
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self._said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._listen)
        self._reader.start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._said.put(json.loads(line))
        self._said.put(None)

    def next(self, patience: float = PATIENCE) -> dict[str, Any]:
        """The next thing that it says."""
        said = self._said.get(timeout=patience)
        assert said is not None, self.errors.read_text()
        return said

    def quiet(self, seconds: float) -> bool:
        try:
            self._said.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def records(self, count: int) -> list[tuple[int, int, str]]:
        """The next `count` records as (partition, offset, value)."""
        records: list[tuple[int, int, str]] = []
        while len(records) < count:
            said = self.next()
            if "o" in said:
                records.append((said["p"], said["o"], said["v"]))
        return records

    def rest(self) -> list[dict[str, Any]]:
        """What it said until it ended."""
        return list(iter(self._said.get, None))

    def end(self, how: signal.Signals) -> int:
        if self.process.poll() is None:
            os.kill(self.process.pid, how)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture
def start(url: str, tmp_path: Path) -> Iterator[Start]:
    workers: list[Worker] = []

    def run(delay: float = 0.0) -> Worker:
        workers.append(Worker(url, tmp_path, delay))
        return workers[-1]

    yield run
    for worker in workers:
        worker.end(signal.SIGKILL)


def fill(journal: Journal, first: int, count: int) -> list[tuple[int, int, str]]:
    """Append numbered records to all partitions in turn: (partition, offset, value) of each."""
    batch = [(i % PARTITIONS, b"%d" % i) for i in range(first, first + count)]
    return [(p, o, v.decode()) for (p, v), o in zip(batch, journal.append(batch), strict=True)]


def test_all_records_of_all_partitions_come_once_in_order(journal: Journal, start: Start) -> None:
    before = fill(journal, 0, 2000)
    worker = start()
    assert worker.next() == {"assigned": [0, 1, 2]}
    got = worker.records(2000)
    after = fill(journal, 2000, 10)
    got += worker.records(10)
    for partition in range(PARTITIONS):
        mine = [r for r in got if r[0] == partition]
        assert mine == [r for r in before + after if r[0] == partition]
    assert worker.quiet(0.2)


def test_it_goes_on_from_the_positions_after_a_clean_stop(journal: Journal, start: Start, tmp_path: Path) -> None:
    fill(journal, 0, 9)
    first = start()
    first.records(9)
    assert first.end(signal.SIGTERM) in {0, -signal.SIGTERM}
    expected = fill(journal, 9, 9)
    assert sorted(start().records(9)) == sorted(expected)
    assert json.loads((tmp_path / "positions.json").read_text()) == {"0": 6, "1": 6, "2": 6}


def test_any_position_will_do(journal: Journal, start: Start, tmp_path: Path) -> None:
    all_of_it = fill(journal, 0, 3000)
    positions = {0: 700, 1: 1000, 2: 999}
    (tmp_path / "positions.json").write_text(json.dumps(positions))
    expected = [r for r in all_of_it if r[1] >= positions[r[0]]]
    worker = start()
    assert sorted(worker.records(len(expected))) == sorted(expected)
    assert worker.quiet(0.2)


def test_another_worker_stands_by_and_takes_over_after_a_kill(journal: Journal, start: Start) -> None:
    first = start()
    assert first.next() == {"assigned": [0, 1, 2]}
    second = start()
    seen = []
    for i in range(5):
        fill(journal, 30 * i, 30)
        seen += first.records(30)
    assert second.quiet(1.0)
    fill(journal, 150, 3000)
    seen += first.records(1)
    first.end(signal.SIGKILL)
    killed = time.monotonic()
    seen += [(r["p"], r["o"], r["v"]) for r in first.rest()]
    assert second.next() == {"assigned": [0, 1, 2]}
    assert time.monotonic() - killed < 20  # Kafka waits for a session to time out
    ends = [journal.end(p) for p in range(PARTITIONS)]
    positions = [0] * PARTITIONS
    taken = []
    while positions != ends:
        said = second.next()
        taken.append((said["p"], said["o"], said["v"]))
        positions[said["p"]] = said["o"] + 1
    for partition in range(PARTITIONS):
        offsets = [r[1] for r in taken if r[0] == partition]
        assert offsets == list(range(offsets[0], ends[partition]))
    # A run whose position was written and that was not printed whole is lost by this script: no more may be missing.
    assert len({(p, o) for p, o, _ in seen + taken}) >= 3150 - 256


def test_a_new_record_is_noticed_within_milliseconds(journal: Journal, start: Start) -> None:
    worker = start()
    worker.next()
    fill(journal, 0, 1)
    worker.records(1)
    late = []
    for i in range(1, 61):
        fill(journal, i, 1)
        appended = time.monotonic()
        late.append(worker.next()["t"] - appended)
    assert sorted(late)[len(late) // 2] < 0.010


def test_a_slow_agent_holds_the_reading_and_loses_nothing(journal: Journal, start: Start) -> None:
    expected = []
    worker = start(delay=0.002)
    worker.next()
    for i in range(150):  # more messages than Faust's buffer takes
        expected += fill(journal, 3 * i, 3)
    got = worker.records(450)
    assert sorted(got) == sorted(expected)
    for partition in range(PARTITIONS):
        assert [r[1] for r in got if r[0] == partition] == list(range(150))


@pytest.mark.parametrize(("position", "says"), [(2, "the journal begins at 5"), (99, "the journal ends at 10")])
def test_a_position_outside_of_the_journal_ends_the_worker(
    journal: Journal, start: Start, tmp_path: Path, position: int, says: str
) -> None:
    fill(journal, 0, 30)
    journal.truncate(1, 5)
    (tmp_path / "positions.json").write_text(json.dumps({"1": position}))
    worker = start()
    assert worker.process.wait(PATIENCE) != 0
    assert [r for r in worker.rest() if "o" in r] == []
    assert f"partition 1: record {position} is next, but {says}" in worker.errors.read_text()
