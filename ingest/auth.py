"""CONNECT -> a device, or the reason why not: from what is known, else looked up at once, within a bound."""

import asyncio
from dataclasses import dataclass

import structlog

from ingest.directory import DeviceTable, Directory, credential_matches
from ingest.limits import NAME
from ingest.mqtt.codes import Reason
from ingest.mqtt.packets import Connect
from models.identity import DeviceIdentity
from models.stores import Unavailable

log = structlog.get_logger()

_NAMES = 10_000
OWN_LEVELS = ("readings", "status")
"""Last levels of a device's own topics that its will may name."""


def topic_of(identity: DeviceIdentity, level: str) -> bytes:
    return f"ullage/v1/{identity.account}/{identity.device}/{level}".encode()


def check_form(connect: Connect) -> Reason | None:
    """What is wrong with a CONNECT before it is known who it is; None: nothing."""
    if connect.authentication_method:
        return Reason.BAD_AUTHENTICATION_METHOD
    if not NAME.match(connect.client):  # the empty one too: a device names itself
        return Reason.CLIENT_ID
    if connect.will is not None and connect.version == 5:
        if connect.will.retain:
            return Reason.RETAIN
        if connect.will.qos == 2:
            return Reason.QOS
    if connect.will is not None and connect.will.qos == 2:
        return Reason.NOT_AUTHORIZED  # 3.1.1 has no better code
    return None


def judge(identity: DeviceIdentity | None, connect: Connect) -> Reason | None:
    """Whether this identity may connect like this; None: yes."""
    if identity is None or not credential_matches(identity, connect.password):
        return Reason.BAD_CREDENTIAL
    if identity.retired:
        return Reason.NOT_AUTHORIZED
    if not identity.ready:
        return Reason.UNAVAILABLE  # it will work once its registration is in the journal: come again
    will = connect.will
    if will is not None and will.topic.encode() not in {topic_of(identity, level) for level in OWN_LEVELS}:
        return Reason.NOT_AUTHORIZED
    return None


@dataclass(slots=True)
class RateBound:
    """A bucket of tokens; `take` never waits."""

    per_second: float
    burst: float
    level: float = -1.0
    at: float = 0.0

    def take(self, now: float, amount: float = 1.0) -> bool:
        """`now`: any clock in seconds that does not go back."""
        if self.level < 0:
            self.level, self.at = self.burst, now
        self.level = min(self.burst, self.level + (now - self.at) * self.per_second)
        self.at = now
        if self.level < amount:
            return False
        self.level -= amount
        return True


class Authenticator:
    def __init__(self, directory: Directory, table: DeviceTable, lookups_per_second: float) -> None:
        self._directory = directory
        self._table = table
        self._bound = RateBound(lookups_per_second, max(1.0, lookups_per_second))
        self._by_name: dict[tuple[str, str], RateBound] = {}
        """A device that tries again and again must not use up what new ones need."""

    def known(self, connect: Connect) -> DeviceIdentity | Reason:
        """The verdict on what is in memory."""
        identity = self._table.get(connect.user, connect.client)
        reason = judge(identity, connect)
        if reason is not None or identity is None:
            return reason or Reason.BAD_CREDENTIAL
        return identity

    async def look_up(self, connect: Connect, now: float) -> DeviceIdentity | Reason:
        """The verdict on what the ledger says now: a new device or credential need not wait for the next poll."""
        if len(self._by_name) >= _NAMES:
            self._by_name.clear()
        own = self._by_name.setdefault((connect.user, connect.client), RateBound(1.0, 3.0))
        if not own.take(now):
            return self.known(connect)
        if not self._bound.take(now):
            return Reason.BUSY  # "bad credential" would be a lie that some devices never forget
        try:
            identity = await asyncio.to_thread(self._directory.lookup, connect.user, connect.client)
        except Unavailable as error:
            log.warning("gateway.lookup_failed", account=connect.user, device=connect.client, error=str(error))
            return Reason.UNAVAILABLE
        if identity is not None:
            self._table.put([identity])
        reason = judge(identity, connect)
        if reason is not None or identity is None:
            return reason or Reason.BAD_CREDENTIAL
        return identity
