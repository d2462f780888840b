"""The job that learns weeks: from the series and the ledger through models.week to the calendars of sites.

Levels as told, not use as booked: between two steps of a coarse sensor the filter books what it expects by the present
clock, and a clock that learned from that would confirm itself.

A site is looked at once a week: 26 weeks of its slots' levels at local midnights, a seek in the series each. What they
show is kept (`week_evidence`), so that device models' weeks are fitted anew each day without reading the series again.
Each site is one transaction. Time is the caller's. Backfilled readings count as the site's use; sandboxes do not.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from ledger import week_use
from ledger.change import Change
from ledger.engine import Ledger
from ledger.registry import weeks
from ledger.registry.weeks import Learned, Standing
from ledger.week_use import Form, Metered
from models.stores import Bucket, Series
from models.units import DAY, MINUTE
from models.week.estimate import class_week, site_week
from models.week.evidence import NOTHING, SIZE, Days, Evidence, gather
from models.week.shape import Week
from models.week.spans import Level, Rise, Spans, of_days, of_levels

WINDOW_DAYS = 26 * 7
AGAIN = 7 * DAY
MOST_SLOTS = 200  # of one site: a second's work, and more than its week needs
BUCKET = 15 * MINUTE
EPOCH = date(1970, 1, 1).toordinal()


class Window(NamedTuple):
    days: Days
    first: int  # local day number since 1970-01-01


class Look(NamedTuple):
    """What one look at a site found."""

    place: Standing
    forms: dict[int, Evidence]  # by device model


class Move(NamedTuple):
    """A site that goes by another week now, or would."""

    place: Standing
    learned: Learned
    week: Week  # as it is used: rounded, or another site's that is near enough


class WeekLearner:
    def __init__(self, ledger: Ledger, series: Series) -> None:
        self._ledger = ledger
        self._series = series

    def due(self, now: int, again: int = AGAIN) -> list[int]:
        """Sites to look at, longest ago first; `again` 0: all."""
        with self._ledger.read() as tx:
            return week_use.due(tx, now - again + 1)

    def look(self, site_id: int, now: int) -> Look:
        """Read the site's use; changes nothing."""
        with self._ledger.read() as tx:
            place = weeks.standing(tx, site_id)
            window = _window(place, week_use.midnights(tx, place.current_id), now)
            slots = sampled(week_use.metered(tx, site_id))
            rises = week_use.rises(tx, site_id, int(window.days.starts[0]))
            totals = week_use.totals(tx, site_id, window.first)
        heard = self._heard(slots, window)
        groups: dict[int, list[Spans]] = {}
        for one in slots:
            if one.counted:
                spans = _counted(totals.get(one.slot, []), _days_heard(heard, slots, one.device, window), window)
            else:
                spans = of_levels(
                    _levels(heard[one.slot], window), [Rise(*r) for r in rises.get(one.slot, [])], one.step
                )
            groups.setdefault(one.model, []).append(spans)
        found = gather(list(groups.values()), window.days, place.given.week)
        return Look(place, {model: one for model, one in zip(groups, found, strict=True) if one.slots})

    def keep(self, look: Look, now: int) -> None:
        forms = [Form(model, _bytes(one), one.slots, one.days) for model, one in look.forms.items()]
        with self._ledger.write() as tx:
            week_use.keep(tx, look.place.site, forms, now)

    def fit_classes(self, now: int, again: int = 0) -> None:
        """Fit the device models' weeks anew, unless they were less than `again` (ms) ago."""
        with self._ledger.read() as tx:
            if again and now - week_use.fitted(tx) < again:
                return
            kept = week_use.evidence(tx)
        fitted = {model: (class_week([_form(one) for one in forms]), len(forms)) for model, forms in kept.items()}
        with self._ledger.write() as tx:
            week_use.keep_classes(tx, fitted, now)

    def classes_of(self, looks: Sequence[Look]) -> dict[int, Week]:
        """The device models' weeks as these looks, which are of all sites, show them."""
        models = sorted({model for look in looks for model in look.forms})
        return {model: class_week([look.forms[model] for look in looks if model in look.forms]) for model in models}

    def classes(self) -> dict[int, Week]:
        with self._ledger.read() as tx:
            return week_use.classes(tx)

    def estimate(self, look: Look, classes: dict[int, Week]) -> Learned:
        found = [(one, classes.get(model, Week())) for model, one in look.forms.items()]
        whole = sum((one for one, _ in found), NOTHING)
        return Learned(site_week(found, look.place.given.week), whole.days / 7, whole.slots)

    def plan(self, look: Look, classes: dict[int, Week]) -> Move | None:
        """The week that the site would go by; None if the present one stays."""
        place, learned = look.place, self.estimate(look, classes)
        if place.pinned or not learned.slots:
            return None
        with self._ledger.read() as tx:
            week, calendar_id = weeks.choose(tx, place, learned.week)
        return None if calendar_id == place.current_id else Move(place, learned, week)

    def adopt(self, look: Look, classes: dict[int, Week], now: int) -> Move | None:
        """Let the site go by what was learned, where that differs by enough to matter."""
        learned = self.estimate(look, classes)
        with self._ledger.write() as tx:
            week = weeks.adopt(Change(tx, now, "clock"), look.place, learned)
        return None if week is None else Move(look.place, learned, week)

    def turn(self, now: int) -> Iterator[Move | None]:
        """One site that is due after the other, while the caller asks for more."""
        self.fit_classes(now, DAY)
        classes = self.classes()
        for site_id in self.due(now):
            look = self.look(site_id, now)
            move = self.adopt(look, classes, now)
            self.keep(look, now)
            yield move

    def _heard(self, slots: Sequence[Metered], window: Window) -> dict[int, list[Bucket | None]]:
        """Of each slot with a level the newest bucket before each midnight."""
        midnights = window.days.starts.tolist()
        return {one.slot: self._series.newest_before(one.slot, midnights) for one in slots if not one.counted}


def sampled(slots: Sequence[Metered]) -> list[Metered]:
    """Of a huge site every second, third ... device, with all of its slots: always the same ones."""
    devices = sorted({one.device for one in slots})
    chosen = set(devices[:: -(-len(slots) // MOST_SLOTS) or 1])
    return [one for one in slots if one.device in chosen]


def _window(place: Standing, midnights: bytes, now: int) -> Window:
    """The last whole local days of a site."""
    starts = np.frombuffer(midnights, "<i8").astype(np.int64)
    end = int(np.searchsorted(starts, now, "right"))
    starts = starts[max(end - WINDOW_DAYS - 1, 0) : end]
    zone = ZoneInfo(place.current.time_zone)
    first = datetime.fromtimestamp(int(starts[0]) / 1000, zone).toordinal()
    numbers = np.arange(first, first + len(starts) - 1)
    free = np.array([day.toordinal() for day in place.current.holidays], np.int64)
    return Window(Days(starts, (numbers + 6) % 7, np.isin(numbers, free).astype(np.float64)), first - EPOCH)


def _levels(buckets: Sequence[Bucket | None], window: Window) -> list[Level]:
    """One level for each midnight before which something was heard since the midnight before."""
    found: list[Level] = []
    for midnight, bucket in zip(window.days.starts.tolist(), buckets, strict=True):
        at = min(bucket.start + BUCKET, midnight) if bucket is not None else 0
        if bucket is not None and bucket.last == bucket.last and (not found or at > found[-1].at):
            found.append(Level(at, bucket.last))
    return found


def _days_heard(
    heard: dict[int, list[Bucket | None]], slots: Sequence[Metered], device: int, window: Window
) -> set[int]:
    """Indices of the days on which a level of the device was heard: its counters would have told what they counted."""
    starts = window.days.starts.tolist()
    siblings = [one.slot for one in slots if one.device == device and not one.counted]
    return {
        k
        for slot in siblings
        for k, bucket in enumerate(heard[slot][1:])
        if bucket is not None and bucket.start >= starts[k]
    }


def _counted(totals: Sequence[tuple[int, float]], heard: set[int], window: Window) -> Spans:
    """Days with use, and days without on which the device was heard all the same. The first may be a part of one."""
    use = {day - window.first: total for day, total in totals}
    known = sorted(use.keys() | {k for k in heard if use and k > min(use)})
    starts = window.days.starts.tolist()
    return of_days([(starts[k], starts[k + 1], use.get(k, 0.0)) for k in known if k < len(starts) - 1][1:])


def _bytes(one: Evidence) -> bytes:
    return np.concatenate((one.a.ravel(), one.b)).astype("<f8").tobytes()


def _form(one: Form) -> Evidence:
    values = np.frombuffer(one.form, "<f8").astype(np.float64)
    return Evidence(values[: SIZE * SIZE].reshape(SIZE, SIZE), values[SIZE * SIZE :], one.slots, one.days)
