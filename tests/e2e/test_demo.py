"""`ullage demo` as a user meets it: orders soon, Ctrl-C, a summary against the truth, a second start that goes on."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.installation import STARTING, Installation, waited

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class Shown:
    """One run of the demo without a terminal; what it prints goes to a file."""

    def __init__(self, made: Installation, *arguments: str) -> None:
        self.file = made.folder / "demo.txt"
        with self.file.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ullage", "demo", *arguments], env=made.environment(), stdout=out, stderr=out
            )

    def text(self) -> str:
        return self.file.read_text(errors="replace")

    def wait_for(self, pattern: str) -> None:
        def look() -> bool:
            assert self.process.poll() is None or re.search(pattern, self.text()), self.text()
            return re.search(pattern, self.text()) is not None

        waited(look, lambda: f"{pattern!r} in\n{self.text()}", STARTING)

    def interrupt(self) -> dict[str, tuple[str, str]]:
        """Ctrl-C; the rows of the summary: what -> (in truth, Ullage)."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(30) == 0, self.text()
        rows = re.findall(r"^│ (.*?) +│ (.*?) +│ (.*?) +│$", self.text(), re.MULTILINE)
        return {name: (truth, did) for name, truth, did in rows}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path, variables={"COLUMNS": "200"})
    yield installation
    installation.end()


def number(text: str) -> float:
    return float(re.findall(r"[\d,.]+", text)[0].replace(",", ""))


def test_a_demo_orders_by_itself_and_goes_on_when_it_is_started_again(made: Installation) -> None:
    first = Shown(made, "--devices", "24")
    first.wait_for(r"orders: .*(placed|acknowledged|shipped|delivered)")
    assert re.search(r"^page: http://127\.0\.0\.1:\d+/sign-in\?code=", first.text(), re.MULTILINE)
    summary = first.interrupt()
    assert number(summary["orders"][0]) > 0
    assert number(summary["readings"][0]) >= number(summary["readings"][1]) > 0
    assert summary["ordered twice"][0] == "0"
    assert "outbox.failed" not in first.text()

    refused = Shown(made, "--devices", "25")
    assert refused.process.wait(STARTING) == 1
    assert "has 24 devices, not 25" in refused.text()

    second = Shown(made)
    second.wait_for(r"orders: \d+ ")
    again = second.interrupt()
    assert number(again["simulated days"][0]) > number(summary["simulated days"][0])
    assert number(again["readings"][0]) > number(summary["readings"][0])
    assert "outbox.failed" not in second.text()

    fresh = Shown(made, "--fresh", "--devices", "2001")
    fresh.wait_for("so the speed is 3598 x")
    fresh.process.send_signal(signal.SIGINT)
    fresh.process.wait(30)
