"""Calendars: one for each distinct time zone with weekday weights, holidays, their factor and open days."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from sqlalchemy import Connection, select, update

from ledger.facts import enqueue_calendars
from ledger.registry.common import Invalid
from ledger.tables import calendar, site
from models.units import DAY
from models.week.shape import HOLIDAY, WEEKDAYS, Week

BEFORE_DAYS = 366
AFTER_DAYS = 12 * 366
MARGIN_DAYS = 2 * 366  # what must be left ahead before it is compiled again


class CalendarSpec(msgspec.Struct, frozen=True):
    time_zone: str
    weekdays: tuple[float, ...] = WEEKDAYS  # use on Monday .. Sunday, 1 is a business day
    holidays: tuple[date, ...] = ()
    open_days: tuple[float, ...] = (1, 1, 1, 1, 1, 0, 0)  # goods can arrive
    holiday: float = HOLIDAY  # use on a holiday as a share of its weekday's

    @property
    def week(self) -> Week:
        return Week(self.weekdays, self.holiday)

    def with_week(self, week: Week) -> "CalendarSpec":
        return msgspec.structs.replace(self, weekdays=week.weekdays, holiday=week.holiday)


def ensure(tx: Connection, spec: CalendarSpec, now: int) -> int:
    """The id of this calendar, made and sent to all partitions if it is new. Raises Invalid."""
    _check(spec)
    body = _body(spec)
    digest = hashlib.sha256(msgspec.json.encode(body)).hexdigest()
    known = tx.scalar(select(calendar.c.id).where(calendar.c.digest == digest))
    if known is not None:
        return int(known)
    values = {"digest": digest, "time_zone": spec.time_zone, "spec": body} | _compiled(spec, now)
    new = tx.execute(calendar.insert().values(values).returning(calendar.c.id)).scalar_one()
    enqueue_calendars(tx, [new])
    return int(new)


def alike(tx: Connection, spec: CalendarSpec) -> dict[int, CalendarSpec]:
    """All calendars that differ from this one in nothing but the shape of their week, by id; itself too."""
    rows = tx.execute(
        select(calendar.c.id, calendar.c.spec).where(calendar.c.time_zone == spec.time_zone).order_by(calendar.c.id)
    )
    known = {row.id: msgspec.convert(row.spec, CalendarSpec) for row in rows}
    same = msgspec.structs.replace(spec, weekdays=(), holiday=0.0)
    return {
        number: one
        for number, one in known.items()
        if msgspec.structs.replace(one, weekdays=(), holiday=0.0) == same
        and abs(one.week.total - spec.week.total) < 1e-6
    }


def get_spec(tx: Connection, calendar_id: int) -> CalendarSpec:
    body = tx.execute(select(calendar.c.spec).where(calendar.c.id == calendar_id)).scalar_one()
    return msgspec.convert(body, CalendarSpec)


def extend(tx: Connection, now: int) -> list[int]:
    """Compile calendars whose end draws near anew; run it daily. Their ids."""
    query = select(calendar.c.id, calendar.c.spec).where(calendar.c.last < now + MARGIN_DAYS * DAY)
    used = query.where(calendar.c.id.in_(select(site.c.calendar_id))).order_by(calendar.c.id)
    ids = []
    for calendar_id, body in tx.execute(used).all():
        values = _compiled(msgspec.convert(body, CalendarSpec), now)
        tx.execute(update(calendar).where(calendar.c.id == calendar_id).values(values))
        ids.append(calendar_id)
    enqueue_calendars(tx, ids)
    return ids


def _compiled(spec: CalendarSpec, now: int) -> dict[str, object]:
    from models.calendar import compile_days  # noqa: PLC0415 - brings numba: 150 MB that other roles need not carry

    today = datetime.fromtimestamp(now / 1000, UTC).date()
    start = date.fromordinal(today.toordinal() - BEFORE_DAYS)
    days = BEFORE_DAYS + AFTER_DAYS
    starts, weights, opened = compile_days(
        spec.time_zone, start, days, spec.weekdays, frozenset(spec.holidays), spec.open_days, spec.holiday
    )
    return {
        "first": int(starts[0]),
        "last": int(starts[-1]),
        "starts": starts.astype("<i8").tobytes(),
        "weights": weights.astype("<f4").tobytes(),
        "open_days": opened.astype("u1").tobytes(),
    }


def _body(spec: CalendarSpec) -> dict[str, object]:
    """Without the factor that was the only one once: those calendars are the same as before."""
    body: dict[str, object] = msgspec.to_builtins(spec)
    if spec.holiday == HOLIDAY:
        del body["holiday"]
    return body


def _check(spec: CalendarSpec) -> None:
    try:
        ZoneInfo(spec.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(f"time zone {spec.time_zone!r}: use an IANA name such as Europe/Berlin") from error
    _check_week("weekdays", spec.weekdays)
    _check_week("open_days", spec.open_days)
    if not 0 <= spec.holiday <= 10:
        raise Invalid(f"holiday_use {spec.holiday}: use 0 (closed) to 10, 1 is as on any other day")


def _check_week(name: str, week: Sequence[float]) -> None:
    if len(week) != 7 or any(not 0 <= day <= 100 for day in week) or not any(week):
        raise Invalid(f"{name} {list(week)}: use seven numbers from Monday on, 0 or more, not all 0")
