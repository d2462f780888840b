"""Is a line a reading that can be imported, and of which device?"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import UNSET

from ingest.frames import NO_CLOCK, Resolver
from ingest.limits import Rejected
from ingest.message import decode
from models.identity import DeviceIdentity

Lookup = Callable[[str, str], DeviceIdentity | None]
"""(account, device) -> who that is."""


class Checked(NamedTuple):
    device: int
    ts: int  # ms
    message: bytes


class Checker:
    """`now`: domain time (ms); what is later cannot be history."""

    def __init__(self, lookup: Lookup, now: int) -> None:
        self._lookup = lookup
        self._now = now
        self._known: dict[tuple[str, str], DeviceIdentity | None] = {}

    def __call__(self, message: bytes) -> Checked | Rejected:
        reading = decode(message)
        if isinstance(reading, Rejected):
            return reading
        if reading.account is UNSET or reading.device is UNSET or reading.ts is UNSET:
            return Rejected("invalid", "a line must have account, device and ts")
        if not (reading.supplies or reading.counters or reading.measures):
            return Rejected("empty", "the line has none of supplies, counters, measures")
        ts = round((reading.ts - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)
        if not NO_CLOCK <= ts <= self._now:
            return Rejected("invalid", f"ts {reading.ts.isoformat()} is no moment of the past")
        identity = self._identity(reading.account, reading.device)
        if identity is None or identity.retired:
            return Rejected("unknown_device", f"there is no device {reading.account}/{reading.device}")
        row = Resolver(identity).row(reading, message, self._now)
        return row if isinstance(row, Rejected) else Checked(identity.device_id, ts, message)

    def _identity(self, account: str, device: str) -> DeviceIdentity | None:
        name = account, device
        if name not in self._known:
            self._known[name] = self._lookup(account, device)
        return self._known[name]
