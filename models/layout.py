"""What a partition's state holds, as the columns of its tables.

Levels are per cent of a full supply, times ms, rates per cent per business day.
A row refers to rows of other tables by position (`*_row`, -1: none) and to the ledger by `id`. `version` and
`incarnation` are those of the last fact that was applied. Rows are added, never removed: their order is that of the
facts, so that the same journal gives the same bytes.
"""

from enum import IntEnum, IntFlag

import numpy as np

BOOTS = 4  # boots that are remembered per device
WINDOW = 62  # sequence numbers below the high mark that a bit mask remembers; 62 bits never touch the sign
COUNTERS = 4
RING = 4  # keys of the last readings without a sequence number
RANGES = 64  # missing ranges of one device
SHEETS = 4096  # devices of one partition that can have missing ranges at once
LEAD_POINTS = 16
NO_TOTAL = -(1 << 62)  # a counter that has not been seen


class SlotFlag(IntFlag):
    REORDER = 8  # the device asked for a refill; the next tick answers
    SIGNAL_LOW = 16  # said since the last refill
    SIGNAL_EMPTY = 32
    RETIRED = 64
    UNMAPPED = 128  # the model does not know it: tracked, never ordered
    USED = 256  # a total of usage changed and was not emitted yet
    REFILLED = 512  # since the last tick, which clears it: show it, look at its need
    REVERSIBLE = 1024  # before_* hold the state before the last refill
    SUSPECT = 2048  # a refill is pending: one odd reading waits for a second
    ASCENDING = 4096  # the device reports how full it is: what remains was rounded down
    CLOCKED = 8192  # its counter is its clock: rate, span, gap and age are in usual days of counting


class DeviceFlag(IntFlag):
    OFFLINE = 1  # the last will came; cleared by the next reading
    HEARD = 2  # a reading came since the last tick, which clears it
    RETIRED = 4
    SANDBOX = 8
    COUNTED = 16  # has slots that a counter meters
    SILENT = 32  # the alert stands
    FORGETFUL = 64  # ran out of missing ranges: what is older counts as seen
    IMPORTED = 128  # its newest reading came from a file: history, which orders nothing


class Verdict(IntEnum):
    """Of one reading."""

    OLD = 0  # seen before, or too old to tell: changed nothing
    LIVE = 1
    LATE = 2  # booked, but the live state did not turn back
    QUARANTINED = 3


_FACT = [("version", "<i8"), ("incarnation", "<i4")]

SLOT = np.dtype(
    [
        ("id", "<u4"),
        *_FACT,
        ("device_row", "<i4"),
        ("site_row", "<i4"),
        ("class_row", "<i4"),  # 0: the class of everything unknown
        ("lane_row", "<i4"),
        ("product", "<u4"),  # the ledger's id; 0: none
        ("next_slot", "<i4"),  # the next slot of the same device, by row
        ("flags", "<u4"),  # SlotFlag
        ("meter", "u1"),
        ("refill", "u1"),
        ("counter", "u1"),
        ("doubt", "u1"),  # readings to believe until an odd one that was wrong is forgotten
        ("capacity", "<f4"),
        ("pack_units", "<f4"),
        ("quantum", "<f4"),  # the sensor's step as registered, per cent
        ("step", "<f4"),  # as its moves show it (models.depletion.step); 0: it has not moved
        ("cycle", "<u4"),
        # depletion: what the filter believes (models.depletion.filter)
        ("level", "<f4"),  # NaN: never seen
        ("rate", "<f4"),
        ("p11", "<f4"),  # variance of the level
        ("p12", "<f4"),  # covariance of level and -rate
        ("p22", "<f4"),  # variance of the rate
        ("noise", "<f4"),  # variance of the sensor
        ("phi", "<f4"),  # dispersion of use
        ("used", "<f4"),  # discounted sum of use, per cent (S_l)
        ("span", "<f4"),  # discounted sum of time, business days (n_l)
        ("gap", "<f4"),  # business days since the last step of the sensor
        ("age", "<f4"),  # business days since the slot was first seen
        # what the device said last, as an interval, and the upper end of an odd reading that waits for a second
        ("low", "<f4"),
        ("high", "<f4"),
        ("odd_high", "<f4"),  # NaN: none
        ("read", "<i8"),  # time of the last live reading of this slot; 0: none
        ("read_boot", "<i8"),  # which one it was; 0: a person said it, or the device numbers nothing
        ("read_seq", "<i8"),
        ("odd_read", "<i8"),
        ("opened", "<i8"),  # when the cycle opened
        ("empty_since", "<i8"),  # 0: not empty
        # of the slot's counter: its total when the cycle opened (meter), or what its clock showed when the slot was
        # read last, millionths of a usual day (clock); NO_TOTAL: not known
        ("base", "<i8"),
        # the cycle before, to undo a refill
        ("before_level", "<f4"),
        ("before_rate", "<f4"),
        ("before_p11", "<f4"),
        ("before_p12", "<f4"),
        ("before_p22", "<f4"),
        ("before_used", "<f4"),
        ("before_span", "<f4"),
        ("before_opened", "<i8"),
        ("before_read", "<i8"),
        ("before_base", "<i8"),
        # use per local day, absolute totals, per cent
        ("use_day", "<i4"),  # local day number since 1970-01-01
        ("use_today", "<f4"),
        ("use_before", "<f4"),  # of the day before use_day
        ("shaken", "<u2"),  # rises in this cycle that fell back
        ("steps", "<u2"),  # how many moves of the sensor `step` explains
    ]
)

DEVICE = np.dtype(
    [
        ("id", "<u4"),
        *_FACT,
        ("account_row", "<i4"),
        ("site_row", "<i4"),
        ("first_slot", "<i4"),  # row of the first of its slots
        ("slots", "<i4"),  # how many there are
        ("sheet", "<i4"),  # row of its missing ranges, -1: none
        ("flags", "<u4"),  # DeviceFlag
        ("time", "<i8"),  # of the newest live reading
        ("heard", "<i8"),  # time of the last tick that saw DeviceFlag.HEARD, and 0
        ("quiet", "<i8"),  # ms of listening time since then
        ("boot", "<i8", (BOOTS,)),  # the current one first; 0: free
        ("high", "<i8", (BOOTS,)),  # highest sequence number of that boot
        ("mask", "<i8", (BOOTS,)),  # bit k: high - k was seen
        ("floor", "<i8", (BOOTS,)),  # lowest sequence number seen: all below are missing
        ("ring", "<i8", (RING,)),  # newest first
        ("counters", "<i4"),
        ("spare", "<i4"),
        ("value", "<i8", (COUNTERS,)),  # last raw value
        ("total", "<i8", (COUNTERS,)),  # sum of plausible growth; NO_TOTAL: never seen
        ("counted", "<i8", (COUNTERS,)),  # time of the last value
        ("wrap", "<i8", (COUNTERS,)),
        ("limit", "<f4", (COUNTERS,)),  # plausible growth per day; 0: unlimited
        # the counters as clocks of slots (models.fold.clock, models.depletion.pace)
        ("usual", "<f4", (COUNTERS,)),  # growth per business day of a usual device; 0: it is nobody's clock
        ("run", "<f8", (COUNTERS,)),  # usual days that it has run when it was read last
        ("recent_used", "<f4", (COUNTERS,)),  # discounted sums of usual days and of business days: soon forgotten
        ("recent_days", "<f4", (COUNTERS,)),
        ("lasting_used", "<f4", (COUNTERS,)),  # the same, long remembered
        ("lasting_days", "<f4", (COUNTERS,)),
        ("scatter", "<f4", (COUNTERS,)),  # discounted sum of squared errors of blocks, usual days squared
        ("block_used", "<f4", (COUNTERS,)),  # usual days of the block that is not over yet
        ("block_days", "<f4", (COUNTERS,)),
    ]
)

SHEET = np.dtype(
    [
        ("device", "<i4"),  # row, -1: free
        ("count", "<i4"),  # of a free sheet: the next free one, -1: none
        ("boot", "<i8", (RANGES,)),  # id of the boot that range k belongs to
        ("low", "<i8", (RANGES,)),  # missing from low to high, both included
        ("high", "<i8", (RANGES,)),
    ]
)

SITE = np.dtype(
    [
        ("id", "<u4"),
        *_FACT,
        ("account_row", "<i4"),
        ("calendar_row", "<i4"),
        ("mode", "u1"),
        ("paused", "u1"),
        ("blocked", "u1"),  # a tick failed here
        ("spare", "u1"),
    ]
)
ACCOUNT = np.dtype(
    [
        ("id", "<u4"),
        *_FACT,
        ("mode", "u1"),
        ("paused", "u1"),
        ("spare", "<u2"),
        ("service_level", "<f4"),
        ("review", "<i8"),  # ms
    ]
)
CALENDAR = np.dtype(
    [
        ("id", "<u4"),
        *_FACT,
        ("first", "<i4"),  # row of its first day in the table of days
        ("count", "<i4"),  # days; one more row follows that ends the last
        ("day", "<i4"),  # local day number of the first, since 1970-01-01
    ]
)
LOCAL_DAY = np.dtype([("start", "<i8"), ("tau", "<f8"), ("weight", "<f4"), ("open", "<i4")])
CLASS = np.dtype(
    [
        ("id", "<u4"),
        *_FACT,
        ("rate", "<f4"),
        ("rate_cv2", "<f4"),
        ("dispersion", "<f4"),
        ("kappa", "<f4"),
        ("eta", "<f4"),
        ("half_slow", "<f4"),
        ("z", "<f4", (9,)),  # calibrated quantiles; all 0: the normal's
    ]
)
LANE = np.dtype(
    [
        ("id", "<u4"),
        *_FACT,
        ("site_row", "<i4"),
        ("grid", "<i8", (LEAD_POINTS,)),  # ms, ascending
        ("cutoff", "<i8"),  # ms of the local day; 0: none
    ]
)
