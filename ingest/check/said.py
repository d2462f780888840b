"""A PUBLISH as the gateway would take it: read, resolved and flagged, or refused with the reason."""

from dataclasses import dataclass
from datetime import UTC, datetime

from msgspec import UNSET

from ingest.check.events import Key, Said
from ingest.decoders import DECODERS, Decoder
from ingest.frames import Resolver
from ingest.limits import Rejected
from ingest.message import Reading
from ingest.mqtt.packets import Connect, Publish
from models.frame import ReadingFlag
from models.identity import DeviceIdentity

_FLAGS_AT = 4  # of a packed reading: device (4 bytes), flags (2)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Reader:
    """Of one connection."""

    topic: bytes
    decode: Decoder
    resolver: Resolver

    def read(self, publish: Publish, at: float, session: int, now: int) -> Said:
        raw = publish.payload
        found = self.decode(raw)
        if isinstance(found, Rejected):
            return Said(at, session, raw, None, rejected=found, publish=publish)
        row = self.resolver.row(found, raw, now)
        if isinstance(row, Rejected):
            return Said(at, session, raw, None, rejected=row, publish=publish)
        flags = ReadingFlag(int.from_bytes(row[0][_FLAGS_AT : _FLAGS_AT + 2], "little"))
        boot = None if found.boot is UNSET else found.boot
        seq = None if found.seq is UNSET else found.seq
        return Said(at, session, raw, key_of(boot, seq, raw), boot, seq, _ts(found), flags, publish=publish)


def key_of(boot: object, seq: object, raw: bytes) -> Key:
    return ("", raw) if boot is None or seq is None else (boot, seq)


def _ts(reading: Reading) -> int | None:
    return None if reading.ts is UNSET else int((reading.ts - _EPOCH).total_seconds() * 1000)


def reader(connect: Connect, identity: DeviceIdentity | None) -> Reader:
    """For whoever connected. An unknown device has no slots: its amounts cannot be judged, all else can."""
    known = identity or DeviceIdentity(
        account=connect.user, device=connect.client, device_id=0, site_id=0, shard=0, credential=b"", ready=True,
        retired=False, version=0, slots={}, counters=(),
    )  # fmt: skip
    topic = f"ullage/v1/{known.account}/{known.device}/readings".encode()
    return Reader(topic, DECODERS["readings"](), Resolver(known))
