"""Rules about what a device says: format, limits, units, boot and seq, duplicates, clock."""

from ingest.check.events import Event, Key, Said
from ingest.check.rule import Rule
from models.frame import ReadingFlag

LIMITS = frozenset({"too_large", "too_deep", "too_many", "number_too_big"})
UNITS = frozenset(
    {
        "wrong_unit", "over_full", "bad_amount", "level_out_of_range", "bad_level", "bad_interval", "bad_state",
        "no_level", "not_finite",
    }
)  # fmt: skip
BOOT_BITS = 64
_PUBLISH = "let the device publish a reading"


def _shown(said: Said) -> str:
    boot = "no boot" if said.boot is None else f"boot {said.boot}"
    return f"{boot}, {'no seq' if said.seq is None else f'seq {said.seq}'}"


class _Refusals(Rule):
    """The messages that the gateway refuses for reasons of one sort."""

    live = True
    provoke = _PUBLISH

    def mine(self, code: str) -> bool:
        raise NotImplementedError

    def see(self, event: Event) -> None:
        if not isinstance(event, Said):
            return
        if event.rejected is None:
            self.kept(f"{_shown(event)} can be used")
        elif self.mine(event.rejected.code):
            self.broken(f"{event.rejected.code}: {event.rejected.reason}")


class Format(_Refusals):
    name = "format"
    demands = "a message is a JSON object as docs/schemas/reading.json says"
    todo = "build the message by a JSON library, with the names and types of the schema"

    def mine(self, code: str) -> bool:
        return code not in LIMITS | UNITS


class Limits(_Refusals):
    name = "limits"
    demands = "at most 64 KiB, 8 levels deep, 64 entries of a kind, numbers up to 2^53"
    todo = "send several smaller messages; reset or wrap a counter before 2^53"

    def mine(self, code: str) -> bool:
        return code in LIMITS


class Units(_Refusals):
    name = "units"
    demands = "levels are 0..1, amounts in a unit that converts to the slot's and not above its capacity"
    todo = "divide per cent by 100; send `remaining` in the unit of the slot, as the device model has it"

    def mine(self, code: str) -> bool:
        return code in UNITS


class BootAndSeq(Rule):
    name = "boot_seq"
    live = True
    demands = "each reading has boot and seq; seq grows by one within a boot, boot changes at each start and is unique"
    todo = (
        "draw boot at each start, 16 hexadecimal digits from a random source, or a counter kept in flash; count seq "
        "from 1, and keep both with a stored reading"
    )
    provoke = _PUBLISH

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[object, set[int]] = {}

    def see(self, event: Event) -> None:
        if not isinstance(event, Said) or event.rejected is not None:
            return
        if event.boot is None or event.seq is None:
            self.broken(f"a reading with {_shown(event)}")
            return
        if isinstance(event.boot, str) and len(event.boot) * 4 < BOOT_BITS:
            self.broken(f"boot {event.boot!r} has {len(event.boot)} characters: two starts may have the same")
        known = self._seen.setdefault(event.boot, set())
        if event.seq not in known:
            known.add(event.seq)
            if len(known) > 1 and len(self._broken) == 0:
                self.kept(f"boot {event.boot}, seq up to {max(known)}")

    def end(self) -> None:
        for boot, known in self._seen.items():
            missing = max(known) - min(known) + 1 - len(known)
            if missing:
                self.broken(f"boot {boot}: of seq {min(known)} to {max(known)} {missing} never came")


class Duplicates(Rule):
    name = "duplicates"
    live = True
    demands = "what is sent again is the same: one boot and seq never stand for two different readings"
    todo = "store the finished message, and send these bytes again; never build it anew with a newer level"
    provoke = "a reading has to be sent again; this check asks for it by withholding a PUBACK"

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[Key, bytes] = {}

    def see(self, event: Event) -> None:
        if not isinstance(event, Said) or event.key is None or event.boot is None or event.seq is None:
            return
        before = self._seen.setdefault(event.key, event.raw)
        if before is event.raw:
            return
        if before == event.raw:
            self.kept(f"{_shown(event)} came again with the same content")
        else:
            self.broken(f"{_shown(event)} came twice with different content")


class Clock(Rule):
    name = "clock"
    live = True
    demands = "ts is when it was read, in UTC or with a zone, and right to ten minutes; without a clock: age_s"
    todo = "set the clock by NTP before the first reading; a device without one leaves ts out and sends age_s"
    provoke = _PUBLISH
    AHEAD_MS = 600_000

    def __init__(self) -> None:
        super().__init__()
        self._newest: tuple[object, int, int] | None = None

    def see(self, event: Event) -> None:
        if not isinstance(event, Said):
            return
        if event.rejected is not None:
            if event.rejected.code == "bad_time":
                self.broken(event.rejected.reason)
            return
        if event.flags & ReadingFlag.CLAMPED:
            self.broken(f"{_shown(event)}: ts is more than ten minutes ahead; the time of receipt was taken")
        elif event.flags & ReadingFlag.NO_TIME and event.ts is not None:
            self.broken(f"{_shown(event)}: ts is before the year 2000, as of a clock that was never set")
        elif event.flags & ReadingFlag.NO_TIME:
            self.kept(f"{_shown(event)} has no ts: the time of receipt counts, less age_s")
        elif event.ts is not None:
            self._went_on(event, event.ts)

    def _went_on(self, event: Said, ts: int) -> None:
        """Within a boot a later seq is not earlier: else the clock was turned back, or runs in local time."""
        before, seq = self._newest, event.seq
        if seq is None:
            self.kept(f"{_shown(event)} has a plausible ts")
            return
        if before and before[0] == event.boot and seq > before[1] and ts < before[2] - self.AHEAD_MS:
            self.broken(f"{_shown(event)} is {(before[2] - ts) / 60_000:.0f} minutes before seq {before[1]}")
        if not before or before[0] != event.boot or seq > before[1]:
            self._newest = (event.boot, seq, ts)
        self.kept(f"{_shown(event)} has a plausible ts")
