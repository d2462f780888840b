"""How long, and how, a store waits for its turn at a file that others use too.

SQLite's own busy_timeout sleeps in steps of up to 100 ms, so that a busy neighbour starves the others."""

import random
import sqlite3
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 2.0  # how long a locked file is tried again before the caller hears of it


def deadline() -> float:
    """Monotonic seconds until which a call that begins now is patient."""
    return time.monotonic() + PATIENCE_S


def pause() -> None:
    """Between two tries. By chance, or two that wait would meet again and again."""
    time.sleep(random.uniform(0.0002, 0.001))  # noqa: S311  # jitter, not a secret


def retried(call: Callable[[], T]) -> T:
    """Call until it no longer meets a lock; raise what SQLite says after PATIENCE_S."""
    give_up = deadline()
    while True:
        try:
            return call()
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= give_up:
                raise
        pause()


def is_busy(error: sqlite3.Error) -> bool:
    return code_of(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 where Python raised the error itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
