"""What the stores need now and then: calendars that reach far enough ahead, an end to what is old."""

import time
from collections.abc import Callable

import structlog

from ledger import events
from ledger.engine import Ledger
from ledger.registry import calendars
from models.stores import Series
from models.units import DAY

log = structlog.get_logger()

EVENTS_KEPT = 400 * DAY
SERIES_EVERY_S = 3600.0  # it looks at every slot


class Chores:
    """`now` is domain time (ms): a simulated world's year may pass in two hours. `series_kept` in ms."""

    def __init__(
        self,
        ledger: Ledger,
        series: Series,
        series_kept: int,
        now: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._series = series
        self._series_kept = series_kept
        self._now = now
        self._monotonic = monotonic
        self._series_due = monotonic()

    def turn(self) -> None:
        """Call it every minute or so; it may block for seconds. Raises Unavailable: the next turn makes up for it."""
        now = self._now()
        with self._ledger.write() as tx:
            calendars.extend(tx, now)
            events.expire(tx, now - EVENTS_KEPT)
        if self._monotonic() >= self._series_due:
            gone = self._series.expire(now - self._series_kept)
            self._series_due = self._monotonic() + SERIES_EVERY_S
            if gone:
                log.info("series.expired", rows=gone)
