"""The times and bounds that the order rules work with; an account or a supplier may have its own."""

from dataclasses import dataclass

from models.units import DAY, HOUR


@dataclass(frozen=True, slots=True)
class Rules:
    """Times in ms of domain time."""

    window_ms: int = HOUR  # how long a draft collects needs
    hold_ms: int = 0  # cancel window between approval and placing
    approve_within_ms: int = 3 * DAY  # then it is escalated once, then it expires
    acknowledge_within_ms: int = DAY  # then the supplier is silent
    surge_factor: float = 5.0  # more needs in a day than so many times the expected ones wait for a person; 0: never
    logic: str = ""  # version of the step that made the needs, for the receipt
