"""The job that learns sites' weeks, on real stores: from buckets of levels to facts and business time."""

import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select, update

from journal import codec
from ledger import why
from ledger.change import Change
from ledger.registry import sites, weeks
from ledger.registry.calendars import CalendarSpec
from ledger.registry.weeks import Learned
from ledger.scope import Scope
from ledger.tables import calendar, device, outbox, refill, site_calendar, slot, usage_day
from ledger.week_use import Metered
from models.calendar import tau_at
from models.jit import constant
from models.partition import Partition
from models.stores import Bucket
from models.units import DAY
from models.week.evidence import Days
from models.week.shape import TOTAL, Week
from tests.support.fleet_world import T0, FleetWorld, fleet_world
from tests.support.weeks import use_of
from ullage.chores import Chores
from ullage.cli import main
from ullage.weeks import AGAIN, BUCKET, MOST_SLOTS, WINDOW_DAYS, Move, WeekLearner, sampled

ALL = Scope.all()
SHOP = Week((0.6, 0.6, 0.7, 0.8, 1.1, 1.4, 0.0))
BERLIN = ZoneInfo("Europe/Berlin")
NOW = T0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[FleetWorld]:
    with fleet_world(tmp_path, 6, sites=2) as opened:
        yield opened


@pytest.fixture
def learner(world: FleetWorld) -> WeekLearner:
    return WeekLearner(world.ledger, world.series)


def levels(world: FleetWorld, slot_id: int, week: Week, *, seed: int, until: int = NOW, last: int = 26) -> None:
    """Write what a sensor of 1 % shows at local midnights of the last weeks: one bucket a day."""
    days = midnights(world, until)[-7 * last - 1 :]
    use = use_of(days_at(days), week, 3.0, np.random.default_rng(seed))
    left, rows, refills = 95.0, [], []
    for k, at in enumerate(days):
        if k:
            left -= float(use[k - 1])
        if left <= 2.0:
            left += 96.0
            refills.append({"at": at - 1, "rise": 96.0})
        shown = float(np.ceil(left))
        rows.append(Bucket(slot_id, at - BUCKET, 96, 0, shown, shown, shown))
    world.series.write(0, world.series.offset(0) + 1, rows, [])
    with world.ledger.write() as tx:
        cycle = tx.scalar(select(func.count()).select_from(refill).where(refill.c.slot_id == slot_id)) or 0
        for n, one in enumerate(refills):
            tx.execute(
                refill.insert().values(
                    slot_id=slot_id, cycle=cycle + n, kind=0, ts=one["at"], boot=1, seq=n, level_before=1.0,
                    level_after=1.0 + one["rise"], units=1.0, why="",
                )
            )  # fmt: skip


def midnights(world: FleetWorld, until: int) -> list[int]:
    with world.ledger.read() as tx:
        starts = np.frombuffer(tx.execute(select(calendar.c.starts).order_by(calendar.c.id)).scalars().first(), "<i8")
    end = int(np.searchsorted(starts, until, "right"))
    return [int(at) for at in starts[end - WINDOW_DAYS - 1 : end]]


def days_at(starts: list[int]) -> Days:
    first = datetime.fromtimestamp(starts[0] / 1000, BERLIN).weekday()
    return Days(np.array(starts), (first + np.arange(len(starts) - 1)) % 7, np.zeros(len(starts) - 1))


def filled(world: FleetWorld, week: Week = SHOP, site: int = 1) -> None:
    with world.ledger.read() as tx:
        ids = list(tx.scalars(select(slot.c.id).where(slot.c.site_id == site)))
    for number in ids:
        levels(world, number, week, seed=number)


def turned(learner: WeekLearner, now: int = NOW) -> list[Move]:
    return [move for move in learner.turn(now) if move is not None]


def spec_of(world: FleetWorld, site: int = 1) -> CalendarSpec:
    with world.ledger.read() as tx:
        return weeks.standing(tx, site).current


def history(world: FleetWorld, site: int = 1) -> list[Any]:
    with world.ledger.read() as tx:
        return list(
            tx.execute(select(site_calendar).where(site_calendar.c.site_id == site).order_by(site_calendar.c.id))
        )


def furthest(one: Week, other: Week) -> float:
    return max(abs(a - b) for a, b in zip(one.weekdays, other.weekdays, strict=True))


def test_a_site_that_works_like_a_shop_gets_the_calendar_of_one(world: FleetWorld, learner: WeekLearner) -> None:
    filled(world)
    (move,) = turned(learner)
    assert move.place.site == 1
    assert furthest(spec_of(world).week, SHOP) < 0.15
    assert spec_of(world).week.total == pytest.approx(TOTAL)
    assert spec_of(world, 2) == CalendarSpec("Europe/Berlin")
    given, learned = history(world)
    assert (given.cause, learned.cause, learned.since, learned.slots) == ("given", "learned", NOW, 6)
    assert learned.weeks == pytest.approx(26, abs=0.1)


def test_business_time_of_the_worker_changes(world: FleetWorld, learner: WeekLearner) -> None:
    partition = Partition(0)
    before = stepped(world, partition, 0)
    friday = NOW + 2 * DAY  # NOW is a Wednesday
    spans = [(friday, friday + DAY), (friday + DAY, friday + 2 * DAY), (friday, friday + 7 * DAY)]
    usual = [passed(partition, *span) for span in spans]
    filled(world)
    turned(learner)
    world.deliver(NOW)
    stepped(world, partition, before)
    now = [passed(partition, *span) for span in spans]
    assert usual[0] == pytest.approx(0.55, abs=0.2)
    assert now[0] > 1.1  # Friday afternoon to Saturday afternoon
    assert now[1] == pytest.approx(usual[1], abs=0.7)
    assert now[2] == pytest.approx(usual[2], abs=1e-3)  # a week holds as much business time as before


def stepped(world: FleetWorld, partition: Partition, offset: int) -> int:
    for record in world.journal.read(0, offset, limit=10_000):
        partition.step(record.offset, codec.decode(record.value))
        offset = record.offset + 1
    return offset


def passed(partition: Partition, begin: int, end: int) -> float:
    """Business days at site 1."""
    state = partition.state
    row = state.calendars.rows[int(state.sites.rows[state.sites.row(1)]["calendar_row"])]
    days = constant(state.days)
    first, count = int(row["first"]), int(row["count"])
    return float(tau_at(days, first, count, end) - tau_at(days, first, count, begin))


def test_a_second_run_without_new_data_changes_nothing(world: FleetWorld, learner: WeekLearner) -> None:
    filled(world)
    assert len(turned(learner)) == 1
    before = rows(world)
    assert turned(learner, NOW + 1) == []  # nothing is due
    look = learner.look(1, NOW)
    assert learner.adopt(look, learner.classes(), NOW) is None
    assert rows(world) == before


def rows(world: FleetWorld) -> tuple[int, ...]:
    with world.ledger.read() as tx:
        return tuple(tx.scalar(select(func.count()).select_from(t)) for t in (calendar, site_calendar, outbox))  # type: ignore[misc]


def test_killed_between_its_steps_it_goes_on(world: FleetWorld, learner: WeekLearner) -> None:
    filled(world)
    look = learner.look(1, NOW)
    assert learner.adopt(look, {}, NOW) is not None  # and killed before it was kept that the site was looked at
    assert 1 in learner.due(NOW)
    before = rows(world)
    assert turned(learner) == []
    assert rows(world) == before
    assert learner.due(NOW) == []


def test_a_site_is_due_once_a_week(world: FleetWorld, learner: WeekLearner) -> None:
    assert learner.due(NOW) == [1, 2]
    turned(learner)
    assert learner.due(NOW + AGAIN - 1) == []
    assert learner.due(NOW + AGAIN) == [1, 2]
    assert learner.due(NOW, again=0) == [1, 2]


def test_sites_that_work_alike_share_a_calendar(world: FleetWorld, learner: WeekLearner) -> None:
    filled(world)
    filled(world, site=2)
    assert len(turned(learner)) == 2
    with world.ledger.read() as tx:
        ids = {weeks.standing(tx, number).current_id for number in (1, 2)}
        assert weeks.count_learned(tx) == len(ids)
    assert len(ids) == 1 or furthest(spec_of(world, 1).week, spec_of(world, 2).week) > 0.05


def test_the_number_of_learned_calendars_is_bounded(world: FleetWorld, learner: WeekLearner) -> None:
    chance = np.random.default_rng(7)
    for n in range(3 * weeks.MOST):
        week = Week(tuple(chance.uniform(0, 2, 7).tolist()), 0.1).scaled(TOTAL)
        with world.ledger.write() as tx:
            weeks.adopt(Change(tx, NOW + n, "clock"), weeks.standing(tx, 1), Learned(week, 26.0, 6))
    with world.ledger.read() as tx:
        assert tx.scalar(select(func.count()).select_from(calendar)) == weeks.MOST + 1  # and the given one


def test_what_was_given_stays_where_nothing_shall_be_learned(world: FleetWorld, learner: WeekLearner) -> None:
    filled(world)
    with world.ledger.write() as tx:
        sites.change(tx, ALL, 1, NOW, pinned=True)
    assert turned(learner) == []
    with world.ledger.write() as tx:
        sites.change(tx, ALL, 1, NOW, pinned=False)
    assert len(turned(learner)) == 1
    with world.ledger.write() as tx:
        sites.change(tx, ALL, 1, NOW + 1, pinned=True)  # pinned again: back to what was given
    assert spec_of(world).week == Week()
    assert [row.cause for row in history(world)] == ["given", "learned", "given"]


def test_a_person_who_is_faster_is_not_undone(world: FleetWorld, learner: WeekLearner) -> None:
    filled(world)
    look = learner.look(1, NOW)
    with world.ledger.write() as tx:
        sites.change(tx, ALL, 1, NOW, calendar=CalendarSpec("Europe/Paris"))
    assert learner.adopt(look, {}, NOW) is None
    assert spec_of(world).time_zone == "Europe/Paris"


def test_new_holidays_leave_what_was_learned(world: FleetWorld, learner: WeekLearner) -> None:
    filled(world)
    turned(learner)
    week = spec_of(world).week
    spec = CalendarSpec("Europe/Berlin", holidays=(date(2026, 12, 25),))
    with world.ledger.write() as tx:
        sites.change(tx, ALL, 1, NOW, calendar=spec)
    assert spec_of(world) == spec.with_week(week)
    assert learner.due(NOW) == [1]  # and it is looked at anew
    other = CalendarSpec("Europe/Berlin", weekdays=(1.0,) * 7)
    with world.ledger.write() as tx:
        sites.change(tx, ALL, 1, NOW, calendar=other)
    assert spec_of(world) == other


@pytest.mark.parametrize("column", [device.c.sandbox, device.c.retired])
def test_devices_that_do_not_count(world: FleetWorld, learner: WeekLearner, column: Any) -> None:
    filled(world)
    with world.ledger.write() as tx:
        tx.execute(update(device).values({column.name: True}))
    assert learner.look(1, NOW).forms == {}


def test_a_slot_that_ages_says_nothing_and_one_that_counts_says_what_it_counted(
    world: FleetWorld, learner: WeekLearner
) -> None:
    filled(world)
    with world.ledger.write() as tx:
        mine = list(tx.scalars(select(slot.c.id).where(slot.c.site_id == 1).order_by(slot.c.id)))
        tx.execute(update(slot).values(meter=2))
    assert learner.look(1, NOW).forms == {}
    starts = midnights(world, NOW)
    days = days_at(starts)
    first = int((starts[0] + 12 * 3_600_000) // DAY)
    use = use_of(days, SHOP, 3.0, np.random.default_rng(5))
    booked = [(first + k, float(total)) for k, total in enumerate(use) if total > 0.0]
    with world.ledger.write() as tx:
        tx.execute(update(slot).where(slot.c.id == mine[0]).values(meter=1))
        tx.execute(usage_day.insert(), [{"slot_id": mine[0], "day": day, "total": total} for day, total in booked])
    (evidence,) = learner.look(1, NOW).forms.values()
    assert evidence.slots == 1
    alone = learner.estimate(learner.look(1, NOW), {}).week  # nobody heard that nothing was used on Sundays
    assert alone.weekdays[5] > 0.9
    with world.ledger.write() as tx:
        tx.execute(update(slot).where(slot.c.id == mine[1]).values(meter=0))  # of the same device: heard every day
    assert learner.estimate(learner.look(1, NOW), {}).week.weekdays[6] < 0.1


def test_of_a_huge_site_some_devices_are_enough() -> None:
    slots = [Metered(n, n // 4, 1, False, 1.0) for n in range(4 * 501)]
    some = sampled(slots)
    assert len(some) <= MOST_SLOTS
    assert len(some) == 4 * len({one.device for one in some})
    assert len({one.device // 100 for one in some}) == 5
    assert sampled(slots[:MOST_SLOTS]) == slots[:MOST_SLOTS]
    assert sampled([]) == []


def test_why_says_by_which_days_a_site_works(world: FleetWorld, learner: WeekLearner) -> None:
    filled(world)
    turned(learner)
    with world.ledger.read() as tx:
        text = why.why_slot(tx, ALL, 1).text()
    (line,) = [line for line in text.splitlines() if line.startswith("working days:")]
    assert "Sun 0," in line
    assert line.endswith("learned, since Wed 2026-11-18 12:06: 6 slots over 26 weeks show it")


def test_the_chores_learn_by_and_by(world: FleetWorld) -> None:
    filled(world)
    filled(world, site=2)
    real = iter(range(0, 1_000, 2))  # each look at the clock is two seconds later: one site for each turn
    chores = Chores(world.ledger, world.series, 800 * DAY, lambda: NOW, lambda: float(next(real)))
    chores.turn()
    assert [len(history(world, site)) for site in (1, 2)] == [2, 1]
    chores.turn()
    assert [len(history(world, site)) for site in (1, 2)] == [2, 2]


def test_the_command_shows_what_would_change_and_changes_it(
    world: FleetWorld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    filled(world)
    (tmp_path / "clock").write_text("system")
    monkeypatch.setattr("ullage.commands.learn.domain_now", lambda _: NOW)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(main, ["--data", str(tmp_path), "learn", "calendars", *arguments])
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    before = rows(world)
    would = json.loads(run("--dry-run", "--json"))
    assert rows(world) == before
    did = json.loads(run("--json"))
    assert did["changes"] == would["changes"]
    assert [one["site"] for one in did["changes"]] == [1]
    assert (did["sites"], did["learned_calendars"]) == (2, 1)
    after = rows(world)
    assert "2 sites looked at, 0 go by another week; learned calendars in use: 1" in run()
    assert rows(world) == after
