"""One file per row in a folder: whoever collects them never sees half of one."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from models.outbox import OutboxRow
from models.stores import Unavailable


class FileSink:
    """Written under another name, synchronised, then renamed. The same row again gives the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, rows: Sequence[OutboxRow]) -> None:
        for row in rows:
            try:
                self._write(row)
            except OSError as error:
                raise Unavailable(f"{self._folder}: {error}: make room, or let this user write there") from error

    def _write(self, row: OutboxRow) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", row.key)
        part = self._folder / f".{name}.part"
        with part.open("wb") as file:
            file.write(row.payload)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / f"{name}.json")
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name survives a power cut as well
        finally:
            os.close(folder)
