"""Effects: what `step` decided. Each has a deterministic identity, so that the ledger applies it once.

Identities: needs (slot, cycle, attempt); what a reading caused (slot or device, boot, seq); what a tick caused
(subject, time); usage is the absolute total of (slot, day), so that applying it twice changes nothing.
"""

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID, uuid5

NAMESPACE = UUID("7f1b6a52-6f0e-5b8e-9d0c-2a6a0c1f8e11")


def need_id(slot: int, cycle: int, attempt: int) -> UUID:
    return uuid5(NAMESPACE, f"need/{slot}/{cycle}/{attempt}")


class Cause(IntEnum):
    PROBABILITY = 1
    SIGNAL = 2
    REQUEST = 3


class RefillKind(IntEnum):
    NEW = 1
    PART_USED = 2
    TOPUP = 3
    COUNTER_RESET = 4
    SAID = 5  # a person or the device said so; no level showed it


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision about a slot rested on; frozen into the receipt. Levels in per cent, times in ms."""

    time: int
    read: int  # when the reading was made that gave the interval; 0: none did
    read_boot: str  # the device's boot in hexadecimal digits; nothing: a person said it, or the device sends none
    read_seq: int  # number of the reading within the boot
    level_low: float
    level_high: float
    level: float
    rate: float  # per cent per business day
    quantiles: tuple[int, ...]  # of the time of empty, at models.depletion.PROBABILITIES
    probability: float  # P(empty before arrival) if ordered now
    probability_earlier: float  # the same a day earlier
    probability_later: float  # the same a day later
    threshold: float  # 1 - service level
    lead_ms: tuple[int, ...]  # the 16-point grid that was used
    on_hand: float
    on_order: float
    claims: int  # slots of the site that come before this one for the same product
    last_heard: int
    counts_per_day: float = 0.0  # of the counter that is the slot's clock, per business day; 0: none is


@dataclass(frozen=True, slots=True)
class Need:
    slot: int
    cycle: int
    attempt: int
    site: int
    product: int
    cause: Cause
    channel: str
    urgent: bool
    deadline: int  # ms: the time by which it must be refilled (median of empty)
    evidence: Evidence
    request: str = ""
    mode: int = 3  # the ordering mode that step knew


@dataclass(frozen=True, slots=True)
class NeedUnnecessary:
    slot: int
    cycle: int
    attempt: int
    reason: str  # "refilled", "counted", "retired"


@dataclass(frozen=True, slots=True)
class WouldOrder:
    """Under `off` and `observe`: shown, never a need. Emitted once per (slot, cycle)."""

    slot: int
    cycle: int
    site: int
    product: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    id: str
    outcome: str  # "need", "guarded", "would_order", "counted", "swapped", "reversed", "refused"
    reason: str
    slot: int = 0
    cycle: int = 0
    attempt: int = 0
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    id: str
    site: int
    product: int
    units: float
    by: str


@dataclass(frozen=True, slots=True)
class UsageBooked:
    slot: int
    day: int  # local day number since 1970-01-01
    total: float  # absolute use of that day, per cent of a full supply


@dataclass(frozen=True, slots=True)
class RefillSeen:
    slot: int
    cycle: int  # the cycle that closed; cycle + 1 opened
    kind: RefillKind
    ts: int
    boot: int
    seq: int
    level_before: float
    level_after: float
    units: float  # of stock that it used
    empty_since: int  # ms, 0 if the slot was not empty: a missed empty
    why: str  # for people


@dataclass(frozen=True, slots=True)
class UnmappedSeen:
    """A supply name that the device's model does not know: the ledger registers an unmapped slot."""

    device: int
    name: str
    ts: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    device: int
    ts: int
    boot: int
    seq: int
    code: str
    reason: str
    raw: bytes = b""
    told: bool = False  # the gateway has told the device


@dataclass(frozen=True, slots=True)
class Alert:
    code: str  # "silent", "implausible_counter", "measure_high", "site_blocked", ...
    subject: str  # "device/12", "slot/40", "site/3"
    site: int
    ts: int
    text: str
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class SlotView:
    """How a slot stands; coalesced: at once on a need, refill, alert or change of risk band, else every 15 minutes at
    most."""

    slot: int
    cycle: int
    ts: int  # as of
    level_low: float
    level_high: float
    level: float
    rate: float
    quantiles: tuple[int, ...]  # of the time of empty, ms
    probability: float
    threshold: float
    band: int  # 0 fine, 1 watch, 2 at risk, 3 empty
    status: str  # why (not): "fine", "covered", "need_open", "blocked", "observe", "unmapped", "silent", ...
    on_hand: float
    on_order: float
    last_heard: int
    counts_per_day: float = 0.0  # of the counter that is the slot's clock, per business day; 0: none is


Decision = (
    Need | NeedUnnecessary | WouldOrder | RequestAnswered | Counted | RefillSeen | UnmappedSeen | Quarantined | Alert
)
"""What the ledger acts on: applied once, in order, in one transaction with the offset that it leads to."""
Shown = SlotView | UsageBooked
"""What is only shown: absolute, so that of several only the newest counts, and it may follow the decisions."""
Effect = Decision | Shown
