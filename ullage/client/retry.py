"""When a call is made again, and how long to wait before."""

import random
from dataclasses import dataclass
from typing import Final

import httpx

AWAY: Final = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retry:
    """Waits double from `first_s` on, each between half of it and all of it, so that many do not come at once.

    What the server says (Retry-After) counts instead, up to `longest_s`."""

    attempts: int = 5  # calls in all, the first one included
    first_s: float = 0.25
    longest_s: float = 30.0

    def wait(self, attempt: int, answer: httpx.Response | None, *, repeatable: bool) -> float | None:
        """Seconds until the call is made again after its attempt (1, 2, ...); None: it is not.

        `answer` None: none came. `repeatable`: made twice, the call does what it does once."""
        if attempt >= self.attempts or not self._worth_it(answer, repeatable):
            return None
        said = None if answer is None else answer.headers.get("retry-after")
        if said is not None and said.isdecimal():
            return min(float(said), self.longest_s)
        return self.backoff(attempt)

    def backoff(self, attempt: int) -> float:
        most = min(self.first_s * 2.0 ** (attempt - 1), self.longest_s)
        return most * random.uniform(0.5, 1.0)  # noqa: S311 - it only spreads callers

    @staticmethod
    def _worth_it(answer: httpx.Response | None, repeatable: bool) -> bool:
        if answer is None or answer.status_code in AWAY:
            return repeatable
        under_way = answer.status_code == 409 and "retry-after" in answer.headers  # by the same Idempotency-Key
        return answer.status_code == 429 or (under_way and repeatable)
