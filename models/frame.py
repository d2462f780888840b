"""A frame: up to 500 readings of one partition as packed columns, the form in which the fold reads them.

Names are resolved to the ledger's integers by the gateway, once per connection; a name that the ledger does not know
travels in `names`, the frame's own string table. Levels are per cent of a full supply (0..100, float32), as intervals.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag

import numpy as np
import numpy.typing as npt

MAX_READINGS = 500
MAX_BYTES = 256 * 1024

READING = np.dtype(
    [
        ("device", "<u4"),  # the ledger's integer
        ("flags", "<u2"),  # ReadingFlag
        ("supplies", "u1"),  # how many rows of each column block belong to this reading
        ("counters", "u1"),
        ("boot", "<u8"),  # hash of the device's boot; 0: none was sent
        ("seq", "<i8"),  # within the boot; without boot and seq: hash of (ts, content)
        ("ts", "<i8"),  # ms
        ("measures", "u1"),
        ("signals", "u1"),
        ("spare", "<u2"),
        ("pad", "<u4"),
    ]
)  # 40 bytes
SUPPLY = np.dtype(
    [
        ("slot", "<u4"),  # the ledger's integer; with SupplyFlag.UNKNOWN: an index into names
        ("flags", "<u4"),  # SupplyFlag
        ("low", "<f4"),  # per cent of a full supply
        ("high", "<f4"),
    ]
)  # 16 bytes
COUNTER = np.dtype(
    [
        ("index", "<u2"),  # position in the device model's list of counters (0..3); UNKNOWN_COUNTER: see name
        ("name", "<u2"),  # index into names when index is UNKNOWN_COUNTER
        ("pad", "<u4"),
        ("value", "<i8"),
    ]
)  # 16 bytes
MEASURE = np.dtype([("name", "<u2"), ("unit", "<u2"), ("pad", "<u4"), ("value", "<f8")])  # indexes into names
SIGNAL = np.dtype(
    [("code", "<u2"), ("name", "<u2"), ("slot", "<u4")]
)  # Signal; names index if OTHER; NO_SLOT: whole device

UNKNOWN_COUNTER = 0xFFFF
NO_SLOT = 0xFFFFFFFF

Column = npt.NDArray[np.void]


class ReadingFlag(IntFlag):
    CLAMPED = 1  # ts was more than 10 minutes ahead of the gateway's clock
    NO_TIME = 2  # no ts was sent: the receipt time stands in
    NO_SEQUENCE = 4  # no boot and seq: the key is (ts, content hash), kept in seq
    BACKFILLED = 8  # imported from a file: trains and fills the series, never makes needs
    OFFLINE = 16  # the last will of a connection that broke
    REPLAYED = 32  # a person let it out of the quarantine


class SupplyFlag(IntFlag):
    INTERVAL = 1  # the device sent two bounds
    REMAINING = 2  # computed from an amount in the supply's unit
    STATE = 4  # a word only ("ok", "some", "low", "empty")
    UNKNOWN = 8  # the ledger does not know this supply name yet


class Signal(IntEnum):
    REORDER = 1
    LOW = 2
    EMPTY = 3
    DOOR_OPEN = 4
    OFFLINE = 5
    REPLACED = 6  # the device says that a new supply was put in
    OTHER = 7


@dataclass(frozen=True, slots=True)
class Frame:
    """Columns in reading order: reading i owns the next `supplies`, `counters`, ... rows of each block."""

    readings: Column
    supplies: Column
    counters: Column
    measures: Column
    signals: Column
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.readings)
