"""What a device says about one supply -> an interval in per cent of a full supply, as remaining.

A percentage that the device did not report is never invented: a word becomes a documented, wide interval.
"""

from msgspec import UNSET

from ingest.explain import show
from ingest.limits import Rejected
from ingest.message import Supply
from models.frame import SupplyFlag
from models.identity import SlotIdentity

WORDS = {
    "full": (98.0, 100.0),
    "high": (80.0, 100.0),
    "ok": (10.0, 100.0),  # nothing needs doing
    "some": (2.0, 100.0),  # something is left
    "low": (0.0, 20.0),
    "empty": (0.0, 2.0),
}
"""State words, documented in docs/schemas/reading.json. In an ascending slot all but "ok" say how full it is."""

_FACTORS = {
    "mg": ("g", 0.001),
    "g": ("g", 1.0),
    "kg": ("g", 1000.0),
    "ml": ("ml", 1.0),
    "mL": ("ml", 1.0),
    "cl": ("ml", 10.0),
    "l": ("ml", 1000.0),
    "L": ("ml", 1000.0),
    "min": ("h", 1 / 60),
    "h": ("h", 1.0),
    "hours": ("h", 1.0),
    "d": ("h", 24.0),
    "days": ("h", 24.0),
}
"""Unit -> (base unit, factor). Any other unit ("pages", "cups") converts to itself only."""

OVERFULL = 1.05
"""A heaped hopper is full; more than this times the capacity is an error."""


Level = tuple[int, float, float]
"""(SupplyFlag, low, high): per cent, remaining."""


def conversion(unit: str, into: str) -> float | None:
    """What an amount in `unit` is multiplied by to be one in `into`; None: they do not convert."""
    if unit == into:
        return 1.0
    base, factor = _FACTORS.get(unit, (unit, 1.0))
    target, divisor = _FACTORS.get(into, (into, 1.0))
    return factor / divisor if base == target else None


def level_of(name: str, supply: Supply, slot: SlotIdentity | None) -> Level | Rejected:
    """The most exact of level, remaining, state that was sent. `slot` is None for a name the ledger does not know."""
    if supply.level is not UNSET:
        return _reported(name, supply.level, slot)
    if supply.remaining is not UNSET:
        return _amount(name, supply.remaining, supply.unit, slot)
    if supply.state is not UNSET:
        return _word(name, supply.state, slot)
    return Rejected("no_level", f"supplies.{name} says nothing: send level, remaining or state")


def _reported(name: str, level: float | list[float], slot: SlotIdentity | None) -> Level | Rejected:
    flags = 0
    if isinstance(level, list):
        low, high = level
        flags = SupplyFlag.INTERVAL.value
        if low > high:
            return Rejected("bad_interval", f"supplies.{name}.level is {show(level)}: the low bound comes first")
    else:
        low = high = level
    # + 0.0: -0.0 is a level too, but has other bits
    return _turned(flags, low * 100.0 + 0.0, high * 100.0 + 0.0, slot)


def _turned(flags: int, low: float, high: float, slot: SlotIdentity | None) -> Level:
    if slot is not None and slot.ascending:
        return (flags, 100.0 - high, 100.0 - low)
    return (flags, low, high)


def _amount(name: str, amount: float, unit: object, slot: SlotIdentity | None) -> Level | Rejected:
    flags = SupplyFlag.REMAINING.value
    if not isinstance(unit, str) or not unit:
        return Rejected("wrong_unit", f"supplies.{name}.remaining has no unit")
    if slot is None or not slot.mapped:
        return (flags, 0.0, 100.0)  # it says nothing until the model has the supply's capacity and unit
    factor = conversion(unit, slot.unit)
    if factor is None:
        return Rejected("wrong_unit", f"supplies.{name}.unit is {show(unit)}: this supply is counted in {slot.unit}")
    share = amount * factor / slot.capacity if slot.capacity > 0 else 0.0
    if share > OVERFULL:
        return Rejected(
            "over_full",
            f"supplies.{name}.remaining is {amount:g} {unit}: a full one has {slot.capacity:g} {slot.unit}",
        )
    value = min(share, 1.0) * 100.0 + 0.0
    return (flags, value, value)  # what remains is what remains, in an ascending slot too


def _word(name: str, word: str, slot: SlotIdentity | None) -> Level | Rejected:
    interval = WORDS.get(word)
    if interval is None:
        return Rejected("bad_state", f"supplies.{name}.state is {show(word)}: use one of {', '.join(WORDS)}")
    if word == "ok":
        return (SupplyFlag.STATE.value, *interval)
    return _turned(SupplyFlag.STATE.value, *interval, slot)
