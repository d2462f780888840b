"""The five kinds of journal records, decoded."""

from enum import IntEnum

import msgspec

from models.facts import AnyFact
from models.frame import Frame


class Kind(IntEnum):
    FRAME = 1
    FACT = 2
    REQUEST = 3
    TICK = 4
    REFUSED = 5


class Tick(msgspec.Struct, frozen=True, array_like=True):
    """Time passed. `listening`: ms for which gateways accepted since the last tick; silence counts only these."""

    time: int
    listening: int


class Reorder(msgspec.Struct, frozen=True, kw_only=True, tag="reorder", tag_field="request"):
    """A person or program asks for a refill of a slot: skips the probability, never the guard."""

    id: str
    slot: int
    by: str
    channel: str = "api"
    test: bool = False  # answer what would happen; change nothing


class Count(msgspec.Struct, frozen=True, kw_only=True, tag="count", tag_field="request"):
    """A person counted the spares of a product at a site."""

    id: str
    site: int
    product: int
    units: float
    by: str


class Swapped(msgspec.Struct, frozen=True, kw_only=True, tag="swapped", tag_field="request"):
    """A person says: I have put a new supply in."""

    id: str
    slot: int
    by: str


class Reverse(msgspec.Struct, frozen=True, kw_only=True, tag="reverse", tag_field="request"):
    """A person says: that was no refill. The cycles merge and keep both numbers."""

    id: str
    slot: int
    cycle: int
    by: str


AnyRequest = Reorder | Count | Swapped | Reverse


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Input that was acknowledged but cannot be used: as durable as a reading."""

    device: int
    received: int  # ms
    code: str  # stable, for programs: "level_out_of_range"
    reason: str  # for people: "supplies.black.level is 42: use 0..1"
    raw: bytes  # what came, bounded


AnyRecord = Frame | AnyFact | AnyRequest | Tick | Refused
