"""One active worker per group and journal file. The kernel frees the lock when its holder dies, however it dies.

A holder that hangs keeps it: whoever supervises the workers kills one that gives no heartbeat.
"""

import fcntl
import os
from pathlib import Path


class GroupLock:
    """Made for a poll: a blocking flock in a thread could not be given up at a stop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        return self._handle is not None

    def take(self) -> bool:
        """Try to take it; True if it is ours now."""
        if self._handle is not None:
            return True
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        return True

    def release(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
