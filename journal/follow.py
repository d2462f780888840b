"""Wait for new records in a journal file, whichever process appends them."""

import asyncio
import time
from pathlib import Path

from sqlitefile.connection import connect, translated
from sqlitefile.patience import retried

INTERVAL_S = 0.004  # adds half of it to a record's way on average; a wake-up costs about 100 us
QUIET_INTERVAL_S = 0.009  # when nothing has come for QUIET_S: under 3 % of a core
QUIET_S = 0.25


class Follower:
    """Tells whether something was committed to a SQLite journal since the last look. For one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        self._seen = -1

    def changed(self) -> bool:
        """True at the first call, and whenever some connection has committed since the last one."""
        with translated(self._path):
            version: int = retried(lambda: self._connection.execute("PRAGMA data_version").fetchone()[0])
        changed, self._seen = version != self._seen, version
        return changed

    async def wait(self, timeout_s: float) -> bool:
        """Look every few milliseconds until something changed (True) or the time is over (False)."""
        begun = time.monotonic()
        while not self.changed():
            waited = time.monotonic() - begun
            if waited >= timeout_s:
                return False
            await asyncio.sleep(min(timeout_s - waited, INTERVAL_S if waited < QUIET_S else QUIET_INTERVAL_S))
        return True

    def close(self) -> None:
        self._connection.close()
