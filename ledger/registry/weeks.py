"""Which calendar a site goes by: the one that a person gave, or one with a week that was learned; since when and why.

Learned calendars are shared. One for each site would be dear: a calendar takes 110 kB in the state of every partition.
A site takes one that is near enough to its own week before a new one is made, and of calendars that differ in nothing
but the shape of their week there are never more than MOST.
"""

from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, func, select, update

from ledger.change import Change
from ledger.facts import enqueue_sites
from ledger.registry import calendars
from ledger.registry.calendars import CalendarSpec
from ledger.tables import site, site_calendar, site_week
from models.week.shape import Week, distance, nearest, rounded

MOST: Final = 32


class Standing(msgspec.Struct, frozen=True):
    """What a site goes by, and what it would if nothing were learned."""

    site: int
    account: int
    given_id: int
    given: CalendarSpec
    current_id: int
    current: CalendarSpec
    pinned: bool


class Since(NamedTuple):
    since: int  # ms
    cause: str  # given, learned
    why: str
    calendar_id: int


class Learned(NamedTuple):
    """What a site's use says, and from how much of it."""

    week: Week
    weeks: float
    slots: int


def standing(tx: Connection, site_id: int) -> Standing:
    row = tx.execute(
        select(site.c.account_id, site.c.calendar_id, site_week.c.given_calendar_id, site_week.c.pinned)
        .join(site_week, site_week.c.site_id == site.c.id)
        .where(site.c.id == site_id)
    ).one()
    return Standing(
        site=site_id,
        account=row.account_id,
        given_id=row.given_calendar_id,
        given=calendars.get_spec(tx, row.given_calendar_id),
        current_id=row.calendar_id,
        current=calendars.get_spec(tx, row.calendar_id),
        pinned=row.pinned,
    )


def give(tx: Connection, site_id: int, calendar_id: int, now: int, *, pinned: bool) -> None:
    """A new site begins with the calendar that it was given."""
    tx.execute(site_week.insert().values(site_id=site_id, given_calendar_id=calendar_id, pinned=pinned))
    _note(tx, site_id, calendar_id, now, "given", "the site is new")


def regive(
    tx: Connection, site_id: int, current_id: int, spec: CalendarSpec | None, now: int, *, pinned: bool | None
) -> int:
    """A person gives another calendar or (un)pins the week; the id of the calendar that counts now. Raises Invalid.

    Other holidays, open days or another zone leave what was learned of the week."""
    old = standing(tx, site_id)
    given = old.given if spec is None else spec
    held = old.pinned if pinned is None else pinned
    if (given, held) == (old.given, old.pinned):
        return current_id
    given_id = old.given_id if given == old.given else calendars.ensure(tx, given, now)
    keeps = not held and given.week == old.given.week and old.current.week != old.given.week
    counts = calendars.ensure(tx, given.with_week(old.current.week), now) if keeps else given_id
    # looked = 0: what is given or unpinned is looked at anew, at the next turn
    change = {"given_calendar_id": given_id, "pinned": held, "looked": 0}
    tx.execute(update(site_week).where(site_week.c.site_id == site_id).values(change))
    if counts != current_id:
        why = "other days were given, the week stays as it was learned" if keeps else "a person gave it"
        _note(tx, site_id, counts, now, "learned" if keeps else "given", why)
    return counts


def choose(tx: Connection, place: Standing, week: Week) -> tuple[Week, int | None]:
    """The week that a site should go by, and the id of the calendar that has it, None for a new one."""
    if distance(week, place.current.week) <= 1.0:
        return place.current.week, place.current_id
    known = calendars.alike(tx, place.given)
    ids, shapes = list(known), [one.week for one in known.values()]
    best = nearest(week, shapes)
    if distance(week, shapes[best]) > 1.0 and len(ids) <= MOST:  # the given one is among them
        made = rounded(week)
        return (made, None) if made not in shapes else (made, ids[shapes.index(made)])
    return shapes[best], ids[best]


def adopt(change: Change, place: Standing, learned: Learned) -> Week | None:
    """Give the site the calendar of its learned week; the week as it is used, None if the present one stays."""
    tx, now = change.tx, change.now
    fresh = standing(tx, place.site)
    if fresh != place or fresh.pinned:
        return None  # a person was faster, or does not want it
    if not learned.slots:
        return None
    week, known = choose(tx, place, learned.week)
    calendar_id = calendars.ensure(tx, place.given.with_week(week), now) if known is None else known
    if calendar_id == place.current_id:
        return None  # near enough
    tx.execute(update(site).where(site.c.id == place.site).values(calendar_id=calendar_id))
    why = f"{learned.slots} slots over {learned.weeks:.0f} weeks show it"
    _note(tx, place.site, calendar_id, now, "learned", why, weeks=learned.weeks, slots=learned.slots)
    enqueue_sites(tx, [place.site])
    told = {"weekdays": week.weekdays, "holiday": week.holiday}
    change.tell(place.account, "site.week_learned", f"site/{place.site}", **told)
    return week


def newest(tx: Connection, site_id: int) -> Since:
    """By which calendar a site goes, since when and why."""
    s = site_calendar.c
    query = select(s.since, s.cause, s.why, s.calendar_id).where(s.site_id == site_id)
    return Since(*tx.execute(query.order_by(s.id.desc()).limit(1)).one())


def count_learned(tx: Connection) -> int:
    """How many calendars of sites were learned."""
    s = site.join(site_week, site_week.c.site_id == site.c.id)
    query = select(func.count(site.c.calendar_id.distinct())).select_from(s)
    return int(tx.scalar(query.where(site.c.calendar_id != site_week.c.given_calendar_id)) or 0)


def _note(
    tx: Connection,
    site_id: int,
    calendar_id: int,
    now: int,
    cause: str,
    why: str,
    *,
    weeks: float = 0.0,
    slots: int = 0,
) -> None:
    row = {"site_id": site_id, "calendar_id": calendar_id, "since": now, "cause": cause, "why": why}
    tx.execute(site_calendar.insert().values(row | {"weeks": weeks, "slots": slots}))
