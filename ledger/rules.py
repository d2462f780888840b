"""The times that the order rules work with; an account or a supplier may have its own."""

from dataclasses import dataclass

from models.units import DAY, HOUR


@dataclass(frozen=True, slots=True)
class Rules:
    """All in ms of domain time."""

    window_ms: int = HOUR  # how long a draft collects needs
    hold_ms: int = 0  # cancel window between approval and placing
    approve_within_ms: int = 3 * DAY  # then it is escalated once, then it expires
    acknowledge_within_ms: int = DAY  # then the supplier is silent
    logic: str = ""  # version of the step that made the needs, for the receipt
