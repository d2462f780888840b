"""Who a device is and how its names resolve: what the gateway needs to know of the ledger."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SlotIdentity:
    slot: int
    capacity: float  # in `unit`
    unit: str  # "pages", "g", "ml", "cups", "days", ...
    ascending: bool = False  # the device reports how full, not how much is left (a waste box): 1 - level is stored
    mapped: bool = True  # False: the device named it, its model does not know it, so neither capacity nor unit is known


@dataclass(frozen=True, slots=True)
class DeviceIdentity:
    account: str
    device: str  # the MQTT client id
    device_id: int
    site_id: int
    shard: int
    credential: bytes  # SHA-256 of the token, 32 bytes
    ready: bool  # its registration is in the journal
    retired: bool
    version: int
    slots: dict[str, SlotIdentity] = field(default_factory=dict)
    counters: tuple[str, ...] = ()  # names in the order of the device model, at most 4
    credential_before: bytes = b""  # one that is good as well while a rotation takes its time; b"": none


SHARDS = 4096
"""Every site gets an immutable shard at creation; its partition is shard mod P."""
