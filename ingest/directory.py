"""Which devices there are, what they are called inside, and who may speak for them."""

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from typing import Protocol

import structlog

from models.identity import DeviceIdentity
from models.stores import Unavailable

log = structlog.get_logger()


class Directory(Protocol):
    """What the gateway needs of the ledger. Calls may block; the gateway makes them in a thread."""

    def changes(self, since: int) -> tuple[int, list[DeviceIdentity]]:
        """Devices whose version is above `since` (0: all), in the order of their versions, and the version reached.

        A retired device is still listed, as `retired`. Raises Unavailable."""

    def lookup(self, account: str, device: str) -> DeviceIdentity | None:
        """One device as it is now. Raises Unavailable."""


class DeviceTable:
    """The devices that are known by now, by name and by number."""

    def __init__(self) -> None:
        self._by_name: dict[tuple[str, str], DeviceIdentity] = {}
        self._by_id: dict[int, DeviceIdentity] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, account: str, device: str) -> DeviceIdentity | None:
        return self._by_name.get((account, device))

    def put(self, identities: Iterable[DeviceIdentity]) -> list[DeviceIdentity]:
        """Take in what is newer; the identities that replaced another one."""
        replaced = []
        for identity in identities:
            old = self._by_id.get(identity.device_id)
            if old is not None:
                if old.version >= identity.version:
                    continue
                del self._by_name[old.account, old.device]
                replaced.append(identity)
            self._by_id[identity.device_id] = identity
            self._by_name[identity.account, identity.device] = identity
        return replaced


def credential_matches(identity: DeviceIdentity, token: bytes) -> bool:
    """Compares SHA-256 of the token in constant time, with the newest credential and with one that ends soon."""
    digest = hashlib.sha256(token).digest()
    newest = hmac.compare_digest(digest, identity.credential)
    return hmac.compare_digest(digest, identity.credential_before) or newest


class Follower:
    """Keeps a table up to date by polling the directory once a second."""

    def __init__(self, directory: Directory, table: DeviceTable, poll: float) -> None:
        self._directory = directory
        self._table = table
        self._poll = poll
        self._version = 0

    async def load(self) -> list[DeviceIdentity]:
        """One poll; the identities that replaced another one. Raises Unavailable."""
        self._version, identities = await asyncio.to_thread(self._directory.changes, self._version)
        return self._table.put(identities)

    async def follow(self, changed: "ChangeHandler", stop: asyncio.Event) -> None:
        failing = False
        while not stop.is_set():
            try:
                replaced = await self.load()
            except Unavailable as error:
                if not failing:
                    log.warning("gateway.directory_unavailable", error=str(error))
                failing = True
            else:
                if failing:
                    log.info("gateway.directory_back")
                failing = False
                for identity in replaced:
                    changed(identity)
            await wait(stop, self._poll)


class ChangeHandler(Protocol):
    def __call__(self, identity: DeviceIdentity, /) -> None: ...


async def wait(stop: asyncio.Event, seconds: float) -> bool:
    """Until `stop` is set or the time has passed; whether it is set."""
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
