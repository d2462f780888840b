"""Facts: what the ledger decided, as snapshots of one aggregate with its version. `step` applies one if it is newer.

A fact is delivered at least once and in any order. `incarnation` counts restores of the ledger: (incarnation, version)
is compared as a pair. Site facts go to the site's partition; account, product, class, calendar facts go to all.
"""

from enum import IntEnum

import msgspec


class Mode(IntEnum):
    """Ordering mode, LIFECYCLE.md rule 11. The least of account, site and SKU counts."""

    OFF = 0
    OBSERVE = 1
    ASK = 2
    AUTO = 3


class Meter(IntEnum):
    """What tells how much is left in a slot."""

    LEVEL = 0  # the device reports a level
    COUNTER = 1  # a counter of the device runs since the last refill; capacity is in its unit
    AGE = 2  # days since the last refill; capacity in days


class Refill(IntEnum):
    SWAP = 0  # a refill uses one unit of the product
    TOPUP = 1  # it uses level difference x capacity


class NeedState(IntEnum):
    OPEN = 0
    MET = 1
    WITHDRAWN = 2
    REFUSED = 3
    FAILED = 4


class Fact(msgspec.Struct, frozen=True, kw_only=True, tag_field="fact", array_like=False):
    version: int
    incarnation: int = 1


class AccountFact(Fact, frozen=True, kw_only=True, tag="account"):
    account: int
    mode: Mode
    paused: bool = False
    service_level: float = 0.95  # cycle service level: 1 - accepted P(empty before arrival)
    review_ms: int = 3_600_000  # how long until the next chance to order


class AccountProductFact(Fact, frozen=True, kw_only=True, tag="account_product"):
    account: int
    product: int
    mode: Mode
    paused: bool = False


class SiteFact(Fact, frozen=True, kw_only=True, tag="site"):
    site: int
    account: int
    calendar: int
    mode: Mode
    paused: bool = False


class CalendarFact(Fact, frozen=True, kw_only=True, tag="calendar"):
    """Local days of one time zone with weekday and holiday weights, compiled (models.calendar.compile_days)."""

    calendar: int
    starts: bytes  # <i8 ms, local midnights, n + 1 of them
    weights: bytes  # <f4, business time per local day, n of them
    open_days: bytes  # u1, 1 where goods can arrive, n of them
    first_day: int | None = None  # local day number of starts[0] since 1970-01-01; None: guessed (calendar.first_day)


class ClassFact(Fact, frozen=True, kw_only=True, tag="class"):
    """Statistics of one slot class (device model x slot name), fitted by a job. Rates in per cent per business day."""

    slot_class: int
    rate: float = 1.5  # prior mean m_c
    rate_cv2: float = 1.0  # prior squared coefficient of variation
    dispersion: float = 1.2  # prior phi, per cent
    kappa: float = 0.05  # mean reversion per business day
    eta: float = 0.06  # random walk of the rate, per sqrt(business day)
    half_slow: float = 60.0  # half-life of the slow rate, business days
    z: tuple[float, ...] = ()  # calibrated quantiles in place of the normal's; empty: the normal's


class DeviceFact(Fact, frozen=True, kw_only=True, tag="device"):
    device: int
    account: int
    site: int
    retired: bool = False
    sandbox: bool = False
    counters: int = 0  # how many the model has (at most 4)
    counter_wraps: tuple[int, ...] = ()  # a counter starts again at 0 after wrap - 1; 0: never
    counter_limits: tuple[float, ...] = ()  # plausible at most, per day
    counter_usuals: tuple[float, ...] = ()  # per business day of a usual device; 0: unknown, it is nobody's clock


class SlotFact(Fact, frozen=True, kw_only=True, tag="slot"):
    slot: int
    device: int
    name: str
    slot_class: int
    product: int  # 0: unmapped or nothing fits: tracked and shown, never ordered
    lane: int  # 0: no supplier known
    meter: Meter = Meter.LEVEL
    counter: int = 0  # index among the device's counters
    clock: int = -1  # of meter LEVEL: index of the counter that uses it up; -1: business time is its clock
    refill: Refill = Refill.SWAP
    capacity: float = 100.0  # in the supply's unit
    pack_units: float = 1.0  # how many refills (swap) or capacity units (topup) one unit of stock gives
    quantum: float = 1.0  # step of the sensor, per cent
    ascending: bool = False  # a waste box: the device reports how full, stored as remaining space (gateway turns it)
    retired: bool = False
    registered: int = 0  # ms; opens cycle 1


class LaneFact(Fact, frozen=True, kw_only=True, tag="lane"):
    """Lead time from one supplier to one site: 16 equally likely values (LIFECYCLE.md rule 7), ascending."""

    lane: int
    site: int
    grid_ms: tuple[int, ...]
    cutoff_ms: int = 0  # local time of day of the supplier's cut-off; 0: none


class OnOrder(msgspec.Struct, frozen=True, array_like=True):
    need_slot: int
    cycle: int
    attempt: int
    units: float
    expected: int  # ms, median arrival


class StockFact(Fact, frozen=True, kw_only=True, tag="stock"):
    """Cover of one (site, product). `through`: the offset of the site's partition that the ledger had applied."""

    site: int
    product: int
    on_hand: float
    on_order: tuple[OnOrder, ...] = ()
    through: int = -1


class NeedFact(Fact, frozen=True, kw_only=True, tag="need"):
    slot: int
    cycle: int
    attempt: int
    state: NeedState
    reason: str = ""
    released: bool = False  # a person released a refused need: attempt + 1


class RefillVerdictFact(Fact, frozen=True, kw_only=True, tag="verdict"):
    """A person reversed a refill verdict: the cycles merge and keep both numbers."""

    slot: int
    cycle: int


AnyFact = (
    AccountFact
    | AccountProductFact
    | SiteFact
    | CalendarFact
    | ClassFact
    | DeviceFact
    | SlotFact
    | LaneFact
    | StockFact
    | NeedFact
    | RefillVerdictFact
)
