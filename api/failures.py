"""Who guesses waits: failures are counted by who they came from, in bounded memory."""

from collections import OrderedDict
from typing import Final

from api.problems import Problem
from models.units import MINUTE, SECOND

FAILURES: Final = 20
"""Of one client address, or one token prefix, and FAILURES_IN; then 429."""
FAILURES_IN: Final = MINUTE
MOST_KNOWN: Final = 10_000
"""Who failed longest ago is forgotten first."""


class Failures:
    def __init__(self) -> None:
        self._failed: OrderedDict[str, tuple[int, int]] = OrderedDict()  # whose -> (since, how often)

    def check(self, whose: str, now: int) -> None:
        """Raises Problem 429 for who failed too often."""
        since, times = self._failed.get(whose, (0, 0))
        if times >= FAILURES and now - since < FAILURES_IN:
            wait = -((now - since - FAILURES_IN) // SECOND)
            detail = f"too many failures of {whose}: try again in {wait} s"
            raise Problem(429, "too_many_failures", detail, {"Retry-After": str(wait)})

    def add(self, whose: str, now: int) -> int:
        """One more; how many there are by now."""
        since, times = self._failed.pop(whose, (now, 0))
        if now - since >= FAILURES_IN:
            since, times = now, 0
        self._failed[whose] = (since, times + 1)
        while len(self._failed) > MOST_KNOWN:
            self._failed.popitem(last=False)
        return times + 1
