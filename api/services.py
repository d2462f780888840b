"""What the API is joined to; made by the composition root, found by every route."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from ingest.release import Quarantine
from ledger.engine import Ledger
from ledger.orders.facade import Orders
from models.stores import Series


@dataclass(frozen=True, slots=True)
class Services:
    ledger: Ledger
    orders: Orders
    series: Series
    quarantine: Quarantine
    now: Callable[[], int]  # domain time, ms
    real_now: Callable[[], int]  # for tokens and links, ms
    speed: float = 1.0  # how fast domain time passes
    not_ready: Callable[[], list[str]] = field(default=list)  # reasons why not, empty when ready
    other_metrics: Callable[[], str] = str  # of the other roles, in the text format of Prometheus
    answer_within_s: float = 2.0  # how long a request waits for the outcome before it says 202
    _last: dict[str, int] = field(default_factory=dict)

    def due(self, chore: str, every: int) -> bool:
        """Whether `chore` was not done for `every` ms of real time; then it counts as done now."""
        now = self.real_now()
        if now - self._last.get(chore, 0) < every:
            return False
        self._last[chore] = now
        return True


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


async def _wired(request: Request) -> Services:  # a coroutine: a plain function would be sent to a thread
    return services(request)


Wired = Annotated[Services, Depends(_wired)]
