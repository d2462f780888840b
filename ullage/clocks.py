"""Which time it is: the system's or a simulated world's. The data folder remembers which; a mismatch is refused."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from models.simulated import Timeline
from ullage.settings import ConfigurationError

Now = Callable[[], int]
VARIABLE = "ULLAGE_TIMELINE"


def boot_ms() -> int:
    """Milliseconds since the machine started, sleep included; no adjustment of the clock moves it."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def system_ms() -> int:
    return time.time_ns() // 1_000_000


def timeline() -> Timeline | None:
    """The simulated world's timeline that the supervisor handed down; None: system time. Raises ConfigurationError."""
    text = os.environ.get(VARIABLE, "")
    if not text:
        return None
    try:
        return Timeline(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"{VARIABLE} is {text!r}: it must be JSON with t0, m0 and speed") from error


def encode(line: Timeline) -> str:
    return json.dumps(asdict(line))


def now_of(line: Timeline | None) -> Now:
    if line is None:
        return system_ms
    return lambda: line.at(boot_ms())


def remember(data: Path, line: Timeline | None) -> None:
    """Note in the data folder which clock it runs on. Raises ConfigurationError when it ran on another one before."""
    kind = "system" if line is None else "simulated"
    path = data / "clock"
    if not path.exists():
        path.write_text(kind + "\n")
        return
    before = path.read_text().strip()
    if before != kind:
        raise ConfigurationError(
            f"ULLAGE_DATA is {str(data)!r}: this folder runs on {before} time and cannot go on with {kind} time; "
            "choose another folder"
        )
