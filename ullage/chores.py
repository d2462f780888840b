"""What is done now and then: calendars reach far enough ahead, sites' weeks are learned, what is old goes."""

import time
from collections.abc import Callable

import structlog

from ledger import events
from ledger.clock import real_ms
from ledger.engine import Ledger
from ledger.registry import calendars, devices
from models.stores import Series
from models.units import DAY

log = structlog.get_logger()

EVENTS_KEPT = 400 * DAY
SERIES_EVERY_S = 3600.0  # it looks at every slot
WEEKS_S = 1.0  # of each turn for the sites whose week is due: 30 sites of ten slots or so


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
            devices.end_overlaps(tx, real_ms())
        self._learn_weeks(now)
        if self._monotonic() >= self._series_due:
            gone = self._series.expire(now - self._series_kept)
            self._series_due = self._monotonic() + SERIES_EVERY_S
            if gone:
                log.info("series.expired", rows=gone)

    def _learn_weeks(self, now: int) -> None:
        """As many sites as fit into the turn, each a transaction of its own; the others are due at the next turn."""
        from ullage.weeks import WeekLearner  # noqa: PLC0415 - brings numpy, which nothing else here needs at the start

        deadline = self._monotonic() + WEEKS_S
        for move in WeekLearner(self._ledger, self._series).turn(now):
            if move is not None:
                log.info("week.learned", site=move.place.site, weekdays=move.week.weekdays, holiday=move.week.holiday)
            if self._monotonic() >= deadline:
                break
