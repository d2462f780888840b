"""One writer at a time over all processes that write to an SQLite file."""

import fcntl
import os
import time
from pathlib import Path

from models.stores import StoreError, Unavailable
from sqlitefile import patience


class WriterLock:
    """Held around every commit and checkpoint of a file that several processes write to.

    SQLite before 3.51.3 (3.50.7, 3.44.6) may lose committed pages when one process copies the log back while another's
    commit starts the log anew (https://www.sqlite.org/wal.html#walresetbug). Commits copy back now and then, so they
    exclude each other here. The kernel frees the locks of a process that dies. Threads of one process must exclude each
    other themselves.

    It is fair: who waits for the lock holds the turnstile, so that a writer which comes again at once cannot overtake
    it."""

    def __init__(self, database: Path) -> None:
        """Raises Unavailable."""
        self._lock = _open(database.with_name(f"{database.name}-lock"))
        try:
            self._turnstile = _open(database.with_name(f"{database.name}-turn"))
        except BaseException:
            os.close(self._lock)
            raise
        self._path = database

    def acquire(self, deadline: float) -> None:
        """Wait for it until `deadline` (monotonic seconds). Raises Unavailable."""
        if self._lock < 0:
            raise StoreError(f"{self._path}: the store was closed already")
        self._wait(self._turnstile, deadline)
        try:
            self._wait(self._lock, deadline)
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)

    def release(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.acquire(patience.deadline())

    def __exit__(self, *_: object) -> None:
        self.release()

    def close(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            os.close(self._turnstile)
            self._lock = -1

    def _wait(self, handle: int, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    busy = f"{self._path} is locked, another process writes: nothing was written, try again"
                    raise Unavailable(busy) from None
            else:
                return
            patience.pause()


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}; nothing was written") from error
