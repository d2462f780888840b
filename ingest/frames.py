"""Decoded readings -> packed rows -> frames. Names become the ledger's integers here, once per connection.

A row is made in the event loop, a frame in the writer thread; rows are packed bytes, so that the frame is a join.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import blake2b
from struct import Struct
from typing import NamedTuple

from msgspec import UNSET

from ingest.explain import bad_name, show
from ingest.levels import level_of
from ingest.limits import NAME, Rejected
from ingest.message import Reading, Supply
from journal.codec import TooLarge, join_frame
from models.frame import MAX_READINGS, NO_SLOT, UNKNOWN_COUNTER, ReadingFlag, Signal, SupplyFlag
from models.identity import DeviceIdentity
from models.units import MINUTE

AHEAD = 10 * MINUTE
"""A time stamp further ahead of the gateway's clock is clamped to now."""
NO_CLOCK = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * 1000
"""An earlier time stamp comes from a device whose clock was never set: it counts as none."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_READING = Struct("<IHBBQqqBBHI")
_SUPPLY = Struct("<IIff")
_COUNTER = Struct("<HHIq")
_MEASURE = Struct("<HHId")
_SIGNAL = Struct("<HHI")
_MAX_NAMES = 60_000
_SIGNALS = {
    "reorder": Signal.REORDER,
    "low": Signal.LOW,
    "empty": Signal.EMPTY,
    "door_open": Signal.DOOR_OPEN,
    "offline": Signal.OFFLINE,
    "replaced": Signal.REPLACED,
}


class Named(NamedTuple):
    """Parts of a row that need the frame's string table."""

    supplies: list[tuple[str, int, float, float]]
    counters: list[tuple[str, int]]
    measures: list[tuple[str, str, float]]
    signals: list[tuple[int, str, int]]


Row = tuple[bytes, bytes, bytes, Named | None]
"""(packed reading, packed supplies, packed counters, the rest)."""


class Resolver:
    """Turns readings of one device into rows. Keeps the last boot's number: it hardly ever changes."""

    __slots__ = ("_boot", "_boot_number", "_counters", "_identity", "_plain", "_rest", "_slots")

    def __init__(self, identity: DeviceIdentity) -> None:
        self._identity = identity
        self._slots = identity.slots
        self._plain = {name: slot.slot for name, slot in identity.slots.items() if not slot.ascending}
        self._counters = {name: index for index, name in enumerate(identity.counters)}
        self._boot: str | int | None = None
        self._boot_number = 0
        self._rest: Named | None = None

    def row(self, reading: Reading, raw: bytes, now: int) -> Row | Rejected:
        """`now`: the gateway's domain time, ms; `raw`: the bytes that the reading came in."""
        self._rest = None
        identity, supplies, counters = self._identity, reading.supplies, reading.counters
        if reading.account != identity.account and reading.account is not UNSET:
            return self._mismatch("account", reading.account, identity.account)
        if reading.device != identity.device and reading.device is not UNSET:
            return self._mismatch("device", reading.device, identity.device)
        levels = self._pack_supplies(supplies) if supplies else b""
        counts = self._pack_counters(counters) if counters else b""
        if reading.measures or reading.signals:
            rejected = self._add_rest(reading)
            if rejected is not None:
                return rejected
        if isinstance(levels, Rejected):
            return levels
        if isinstance(counts, Rejected):
            return counts
        return self._head(reading, raw, now), levels, counts, self._rest

    def _head(self, reading: Reading, raw: bytes, now: int) -> bytes:
        flags, ts = _time(reading, now)
        boot, seq, rest = reading.boot, reading.seq, self._rest
        if boot is UNSET or seq is UNSET:
            flags |= ReadingFlag.NO_SEQUENCE.value
            number, seq = 0, _content_key(raw, ts)
        elif boot == self._boot:
            number = self._boot_number
        else:
            number = boot_number(boot)
            self._boot, self._boot_number = boot, number
        return _READING.pack(
            self._identity.device_id,
            flags,
            len(reading.supplies or ()),
            len(reading.counters or ()),
            number,
            seq,
            ts,
            len(rest.measures) if rest else 0,
            len(rest.signals) if rest else 0,
            0,
            0,
        )

    def _pack_supplies(self, supplies: dict[str, Supply]) -> bytes | Rejected:
        packed = b""
        plain, pack = self._plain.get, _SUPPLY.pack
        for name, supply in supplies.items():
            level = supply.level
            number = plain(name)
            # nearly all end in one of these two; + 0.0: -0.0 is a level too, but has other bits
            if number is not None and level.__class__ is float:
                level = level * 100.0 + 0.0
                packed += pack(number, 0, level, level)
                continue
            if number is not None and level.__class__ is list and level[0] <= level[1]:
                packed += pack(number, 1, level[0] * 100.0 + 0.0, level[1] * 100.0 + 0.0)  # SupplyFlag.INTERVAL
                continue
            found = level_of(name, supply, self._slots.get(name))
            if isinstance(found, Rejected):
                return found
            flags, low, high = found
            slot = self._slots.get(name)
            if slot is not None:
                packed += pack(slot.slot, flags, low, high)
                continue
            if not NAME.match(name):
                return bad_name("supplies", name)
            self._named().supplies.append((name, flags | SupplyFlag.UNKNOWN.value, low, high))
        return packed

    def _pack_counters(self, counters: dict[str, int]) -> bytes | Rejected:
        packed = b""
        for name, value in counters.items():
            index = self._counters.get(name)
            if index is not None:
                packed += _COUNTER.pack(index, 0, 0, value)
                continue
            if not NAME.match(name):
                return bad_name("counters", name)
            self._named().counters.append((name, value))
        return packed

    def _named(self) -> Named:
        if self._rest is None:
            self._rest = Named([], [], [], [])
        return self._rest

    def offline(self, now: int) -> Row:
        """The reading that a broken connection leaves: its last will."""
        flags = ReadingFlag.OFFLINE | ReadingFlag.NO_TIME | ReadingFlag.NO_SEQUENCE
        key = _content_key(b"offline", now)
        head = _READING.pack(self._identity.device_id, flags, 0, 0, 0, key, now, 0, 1, 0, 0)
        return head, b"", b"", Named([], [], [], [(Signal.OFFLINE, "", NO_SLOT)])

    def _mismatch(self, key: str, said: object, known: str) -> Rejected:
        return Rejected("identity_mismatch", f"{key} is {show(said)}, but this connection is {show(known)}")

    def _add_rest(self, reading: Reading) -> Rejected | None:
        named = self._named()
        for name, measure in (reading.measures or {}).items():
            if not NAME.match(name):
                return bad_name("measures", name)
            named.measures.append((name, measure.unit, measure.value))
        for signal in reading.signals or ():
            if not NAME.match(signal):
                return bad_name("signals", signal)
            named.signals.append(self._signal(signal))
        return None

    def _signal(self, text: str) -> tuple[int, str, int]:
        """`word` for the whole device, `word:slot` for one slot; whatever else is kept as a text."""
        word, colon, name = text.partition(":")
        code = _SIGNALS.get(word)
        if code is not None and not colon:
            return code, "", NO_SLOT
        slot = self._slots.get(name)
        if code is None or slot is None:
            return Signal.OTHER, text, NO_SLOT
        return code, "", slot.slot


def _time(reading: Reading, now: int) -> tuple[int, int]:
    """(flags, ts). Without a time the receipt counts, less the age that a device without a clock may send."""
    if reading.ts is not UNSET:
        since = reading.ts - _EPOCH  # its parts: half the cost of timestamp(), and exact
        ts = (since.days * 86_400 + since.seconds) * 1000 + (since.microseconds + 500) // 1000
        if ts > now + AHEAD:
            return 1, now  # ReadingFlag.CLAMPED
        if ts >= NO_CLOCK:
            return 0, ts
    if reading.age_s is not UNSET:
        return 2, max(now - int(reading.age_s * 1000), NO_CLOCK)  # ReadingFlag.NO_TIME
    return 2, now


def boot_number(boot: str | int) -> int:
    """64 bits for a boot, never 0: sixteen hexadecimal digits as they are, whatever else hashed."""
    if isinstance(boot, str) and len(boot) == 16:
        try:
            number = int.from_bytes(bytes.fromhex(boot), "big")
        except ValueError:
            number = 0
        if number:
            return number
    return int.from_bytes(blake2b(str(boot).encode(errors="replace"), digest_size=8).digest(), "little") or 1


def _content_key(raw: bytes, ts: int) -> int:
    """What stands in for (boot, seq): the same bytes of the same moment are the same reading. 63 bits."""
    digest = blake2b(raw, digest_size=8, salt=ts.to_bytes(8, "little", signed=True)).digest()
    return int.from_bytes(digest, "little") >> 1


def build(rows: list[Row]) -> Iterator[bytes]:
    """Journal records: frames of at most 500 readings and 256 KiB, in order."""
    for start in range(0, len(rows), MAX_READINGS):
        yield from _bounded(rows[start : start + MAX_READINGS])


def _bounded(rows: list[Row]) -> Iterator[bytes]:
    rest = [row[3] for row in rows]
    plain = rest.count(None) == len(rest)
    try:
        if plain or _most_names(rest) <= _MAX_NAMES:
            yield _frame(rows, [] if plain else rest)
            return
    except TooLarge:
        if len(rows) == 1:
            raise
    yield from _bounded(rows[: len(rows) // 2])
    yield from _bounded(rows[len(rows) // 2 :])


def _most_names(rest: list[Named | None]) -> int:
    """So many names at most: a row of a frame says in 16 bits which it is."""
    return sum(len(n.supplies) + len(n.counters) + 2 * len(n.measures) + len(n.signals) for n in rest if n is not None)


def _frame(rows: list[Row], rest: list[Named | None]) -> bytes:
    """Joined as they are: for the few readings of most frames, arrays would cost more than all else."""
    table: dict[str, int] = {}
    measures: list[bytes] = []
    signals: list[bytes] = []
    heads = [row[0] for row in rows]
    supplies = [row[1] for row in rows]
    counters = [row[2] for row in rows]
    for index, named in enumerate(rest):
        if named is None:
            continue
        for name, flags, low, high in named.supplies:
            supplies[index] += _SUPPLY.pack(table.setdefault(name, len(table)), flags, low, high)
        for name, value in named.counters:
            counters[index] += _COUNTER.pack(UNKNOWN_COUNTER, table.setdefault(name, len(table)), 0, value)
        for name, unit, amount in named.measures:
            at, of = table.setdefault(name, len(table)), table.setdefault(unit, len(table))
            measures.append(_MEASURE.pack(at, of, 0, amount))
        for code, name, slot in named.signals:
            at = table.setdefault(name, len(table)) if name else 0
            signals.append(_SIGNAL.pack(code, at, slot))
    return join_frame([b"".join(parts) for parts in (heads, supplies, counters, measures, signals)], tuple(table))
