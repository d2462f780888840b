"""One writer at a time over all processes that write to a SQLite ledger."""

import fcntl
import os
import time
from pathlib import Path
from typing import Final

from models.stores import Unavailable

LOOK_S: Final = 0.0005


class FileLock:
    """Held around every transaction that may write, so around every checkpoint too: a commit makes them.

    SQLite before 3.51.3 (3.50.7, 3.44.6) may lose committed pages when one process copies the log back while another's
    commit starts the log anew (https://www.sqlite.org/wal.html#walresetbug). The kernel frees the lock of a process
    that dies. Threads of one process must exclude each other themselves."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}-lock")
        self._handle = -1  # opened at the first write, and again after a close

    def acquire(self, deadline: float) -> None:
        """Wait until `deadline` (monotonic seconds). Raises Unavailable."""
        if self._handle < 0:
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        while True:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    held = f"ledger: {self.path} is locked by another process: nothing was written, try again"
                    raise Unavailable(held) from None
                time.sleep(LOOK_S)
            else:
                return

    def release(self) -> None:
        fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
