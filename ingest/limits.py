"""Bounds of what a device may say, and the value that says it did not keep to them."""

import re
from typing import NamedTuple

MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_ITEMS = 64
"""Supplies, counters, measures, signals: of each at most so many in one reading."""
MAX_INTEGER = 2**53
NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}\Z")
MAX_UNIT = 32


class Rejected(NamedTuple):
    code: str  # stable, for programs
    reason: str  # for people
