"""What a device did, and what was done to it: the events that the rules see, in their order."""

from dataclasses import dataclass

from ingest.limits import Rejected
from ingest.mqtt.codes import Reason
from ingest.mqtt.packets import Connect, Publish
from models.frame import ReadingFlag

_PLAIN = ReadingFlag(0)
Key = tuple[object, object]
"""What makes a reading itself: (boot, seq) as sent, or ("", its bytes)."""


@dataclass(frozen=True, slots=True)
class Connected:
    at: float  # real seconds, of one clock for all events
    session: int  # counts the connections from 1
    connect: Connect
    refused: Reason | None = None  # why the gateway would not take it


@dataclass(frozen=True, slots=True)
class Said:
    """A message on the device's own topic `readings`."""

    at: float
    session: int
    raw: bytes
    key: Key | None  # None: it was refused
    boot: object = None  # as sent; None: not sent
    seq: int | None = None
    ts: int | None = None  # ms; None: not sent
    flags: ReadingFlag = _PLAIN
    rejected: Rejected | None = None
    publish: Publish | None = None  # None where it was read from the journal


@dataclass(frozen=True, slots=True)
class Foreign:
    session: int
    publish: Publish


@dataclass(frozen=True, slots=True)
class Subscribed:
    session: int
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A message went down to the device."""

    session: int
    topic: str
    id: int  # 0: QoS 0, nobody answers


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The device sent a PUBACK."""

    session: int
    id: int


@dataclass(frozen=True, slots=True)
class Pinged:
    session: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing came for 1.5 times the keep-alive."""

    session: int
    keep_alive: int


@dataclass(frozen=True, slots=True)
class Withheld:
    """This reading got no PUBACK."""

    session: int
    key: Key


@dataclass(frozen=True, slots=True)
class Cut:
    """The check ended the connection in the middle."""

    at: float
    session: int


@dataclass(frozen=True, slots=True)
class Broke:
    """The device broke the protocol; the gateway would end the connection."""

    session: int
    reason: Reason
    why: str


@dataclass(frozen=True, slots=True)
class Left:
    """The device ended the connection, by a DISCONNECT or without."""

    session: int
    politely: bool


Event = Connected | Said | Foreign | Subscribed | Told | Confirmed | Pinged | Quiet | Withheld | Cut | Broke | Left
