"""Import a file: check and sort all of it, then append it to the journal.

A file is a boot of each of its devices, and a reading's place in time its number within it: `step` takes a second copy
for seen. So what was appended, but not noted as such when the program was killed, may be appended once more.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from ingest.backfill.check import Checker
from ingest.backfill.files import lines_of
from ingest.backfill.staging import Queued, Staging, Standing
from ingest.frames import Resolver, Row, build
from ingest.limits import Rejected
from ingest.message import decode
from journal import codec
from journal.routing import partition_of
from models.frame import MAX_READINGS, Frame, ReadingFlag
from models.identity import DeviceIdentity
from models.stores import Journal, StoreError
from models.units import NEVER

CHECKED: Final = 5_000  # lines in one transaction
APPENDED: Final = 4 * MAX_READINGS  # readings in one commit of the journal

Identities = Callable[[Collection[int]], dict[int, DeviceIdentity]]
Progress = Callable[[int, int], None]
"""Done, in all."""


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal: which import it is."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stage(path: Path, staging: Staging, check: Checker) -> Standing:
    """Read all of the file unless that was done before. Raises BadFile, OSError, StoreError."""
    if staging.sorted():
        return staging.standing()
    staging.begin()
    lines, found = lines_of(path), 0
    while some := list(islice(lines, CHECKED)):
        good, bad = [], []
        for number, message in some:
            checked = message if isinstance(message, Rejected) else check(message)
            if isinstance(checked, Rejected):
                bad.append((number, checked.reason))
            else:
                good.append((checked.device, checked.ts, number, checked.message))
        staging.add(good, bad)
        found += len(some)
    staging.sort(found)
    return staging.standing()


def append(
    staging: Staging,
    journal: Journal,
    identities: Identities,
    digest: str,
    progress: Progress,
    wait: Callable[[], None],
) -> int:
    """Bring what is left into the journal; how many readings. `wait` is called after each commit: it may hold back.

    Raises Unavailable, StoreError: what was appended is noted."""
    standing = staging.standing()
    done, appended = standing.done, 0
    while some := staging.next(done, APPENDED):
        known = identities({one.device for one in some})
        journal.append(list(_records(some, known, digest, journal.partitions)))
        done = some[-1].id
        staging.done(done)
        appended += len(some)
        progress(done, standing.readings)
        wait()
    staging.empty()
    return appended


def _records(
    some: list[Queued], known: dict[int, DeviceIdentity], digest: str, partitions: int
) -> Iterator[tuple[int, bytes]]:
    rows: dict[int, list[Row]] = {}
    for one in some:
        identity = known.get(one.device)
        row = _row(one, identity, digest) if identity else Rejected("unknown_device", "it is not registered any more")
        if isinstance(row, Rejected):
            raise StoreError(f"device {one.device} was changed since the file was checked: {row.reason}: begin anew")
        assert identity is not None  # noqa: S101 - or its row was rejected
        rows.setdefault(partition_of(identity.shard, partitions), []).append(row)
    for partition, mine in rows.items():
        for record in build(mine):
            yield partition, _backfilled(record)


def _row(one: Queued, identity: DeviceIdentity, digest: str) -> Row | Rejected:
    reading = decode(one.message)
    if isinstance(reading, Rejected):
        return reading
    reading.boot, reading.seq, reading.signals = digest[:16], one.seq, msgspec.UNSET
    return Resolver(identity).row(reading, one.message, NEVER)  # times were checked against the clock before


def _backfilled(record: bytes) -> bytes:
    frame = codec.decode(record)
    assert isinstance(frame, Frame)  # noqa: S101 - `build` makes nothing else
    frame.readings["flags"] |= np.uint16(ReadingFlag.BACKFILLED)
    return codec.encode_frame(frame)
