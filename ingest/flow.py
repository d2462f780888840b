"""When a connection's socket is read: exactly when nothing speaks against it. Nothing is dropped meanwhile."""

import asyncio

from ingest.auth import RateBound
from ingest.shared import Shared

METERED = 32 * 1024
"""Bytes of one connection that are counted at once: its rate is asked now and then only."""


class Flow:
    """The reasons of one connection not to read, and the bytes that it did."""

    __slots__ = (
        "_rate",
        "_reading",
        "_shared",
        "checking",
        "full",
        "seen",
        "slow_peer",
        "throttled",
        "transport",
        "unmetered",
    )

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._rate = RateBound(shared.config.bytes_per_second, shared.config.burst_bytes)
        self._reading = True
        self.transport: asyncio.Transport | None = None
        """None before there is one and when it is lost."""
        self.seen = shared.loop.time()
        """When bytes came last, or could have again. Loop time."""
        self.unmetered = 0
        self.full = False
        """Too much is pending."""
        self.slow_peer = False
        """It does not take what is written."""
        self.throttled = False
        self.checking = False
        """Its credential is being looked up."""

    @property
    def reading(self) -> bool:
        return self._reading

    def settle(self) -> None:
        transport, shared = self.transport, self._shared
        if transport is None or transport.is_closing():
            return
        against = self.full or self.slow_peer or self.throttled or self.checking or shared.suspended or shared.stopping
        if against and self._reading:
            self._reading = False
            transport.pause_reading()
        elif not against and not self._reading:
            self._reading = True
            transport.resume_reading()

    def go_on(self) -> None:
        """After a time in which bytes could not come: it is not their sender who was silent."""
        self.seen = self._shared.loop.time()
        self.settle()

    def meter(self) -> None:
        """Count what came; a device above its rate is read later: the debt is paid by waiting."""
        amount, self.unmetered = self.unmetered, 0
        self._shared.metrics.bytes.inc(amount)
        rate = self._rate
        if rate.take(self.seen, amount):
            return
        self.throttled = True
        self.settle()
        rate.level -= amount
        self._shared.loop.call_later(min(60.0, -rate.level / rate.per_second + 0.01), self._unthrottle)

    def _unthrottle(self) -> None:
        self.throttled = False
        self.go_on()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)
