"""The world without a network: what it reports, what it remembers, what its people do."""

import itertools
import json
from collections import Counter
from datetime import datetime

import msgspec
import pytest

from devices_sim import fleet
from devices_sim.errors import BadState
from devices_sim.scenario import Event, FleetSize, Rates, Scenario, Users
from devices_sim.truth import Truth
from devices_sim.world.kinds import KINDS
from devices_sim.world.world import STORE, World

HOUR, DAY = 3_600_000, 86_400_000
START = 1_795_392_000_000  # Mon 2026-11-23
QUIET = Rates(**dict.fromkeys(Rates.__struct_fields__, 0.0))


def scenario(trouble=QUIET, events=(), users=None, **size):
    size = {"devices": 20, "accounts": 1, "sites": 2} | size
    return Scenario(name="x", fleet=FleetSize(**size), trouble=trouble, events=events, users=users or Users())


@pytest.fixture
def new_world(tmp_path):
    opened = []

    def make(what, folder="state", now=START):
        truth = Truth(tmp_path / folder)
        opened.append(truth)
        return World(fleet.make_plan(what), truth, now)

    yield make
    for truth in opened:
        truth.close()


def live(world, until, step=6 * HOUR):
    """Advance and acknowledge everything; the messages as (device, body)."""
    said = []
    now = world.time
    while now < until:
        now = min(now + step, until)
        while not world.advance(now):
            pass
        world.save()
        for machine in world.machines:
            while machine.queue:
                reading = machine.queue.popleft()
                said.append((machine.device.name, reading))
                world.acknowledged(reading)
    world.save()
    return said


def bodies(said):
    return [(name, json.loads(reading.payload)) for name, reading in said]


def at(body):
    return int(datetime.fromisoformat(body["ts"]).timestamp() * 1_000)


def test_devices_report_every_hour_and_count_up(new_world):
    said = bodies(live(new_world(scenario()), START + 2 * DAY))
    per_device = Counter(name for name, _ in said)
    assert len(per_device) == 20
    assert all(46 <= number <= 50 for number in per_device.values())
    for name in per_device:
        mine = [body for other, body in said if other == name]
        assert [body["seq"] for body in mine] == list(range(1, len(mine) + 1))
        assert len({body["boot"] for body in mine}) == 1
        assert sorted(at(b) for b in mine) == [at(b) for b in mine]


def test_every_kind_reports_what_its_model_has(new_world):
    said = dict(bodies(live(new_world(scenario(devices=60)), START + DAY)))
    by_kind = {name.rsplit("-", 1)[0]: body for name, body in said.items()}
    assert {"black", "waste"} <= by_kind["copier"]["supplies"].keys() | {"waste"}
    assert "pages" in by_kind["copier"]["counters"]
    assert {"beans", "milk", "cups"} == by_kind["coffee"]["supplies"].keys()
    assert "hours" in by_kind["industrial"]["counters"]
    assert by_kind["thermostat"]["measures"]["temperature"]["unit"] == "Cel"
    assert by_kind["co-detector"]["measures"]["co"]["unit"] == "ppm"
    assert "cell" not in by_kind["co-detector"]["supplies"]


SECTION_8 = {
    "copier": {
        "black": ("level", "swap"),
        "cyan": ("level", "swap"),
        "magenta": ("level", "swap"),
        "yellow": ("level", "swap"),
        "drum": ("counter", "swap"),
        "waste": ("level", "swap"),
    },
    "coffee": {
        "beans": ("level", "topup"),
        "milk": ("level", "topup"),
        "cups": ("level", "topup"),
        "descaler": ("counter", "swap"),
    },
    "industrial": {"lubricant": ("level", "topup"), "filter": ("counter", "swap")},
    "thermostat": {"battery": ("level", "swap")},
    "co_detector": {"battery": ("level", "swap"), "cell": ("age", "swap")},
}


@pytest.mark.parametrize("kind", SECTION_8)
def test_every_kind_has_its_supplies(kind):
    fullest = max(KINDS[kind].models, key=lambda model: len(model.supplies))
    assert {s.name: (s.meter, s.refill) for s in fullest.supplies} == SECTION_8[kind]
    assert {s.name for s in fullest.supplies if s.ascending} == ({"waste"} if kind == "copier" else set())


def test_what_a_counter_meters_is_due_after_so_many_counts(new_world):
    """On every machine: 3,000 cups to a descaler, 600 hours to a filter, 40,000 pages to a drum."""
    what = scenario(devices=30, kinds={"coffee": 1, "industrial": 1, "copier": 1})
    world = new_world(what)
    before = [list(m.state.used) for m in world.machines]
    live(world, START + 20 * DAY, step=DAY)
    metered = 0
    for machine, used in zip(world.machines, before, strict=True):
        names = [c.name for c in machine.model.counters]
        for slot, supply in enumerate(machine.model.supplies):
            if supply.meter != "counter" or machine.state.refills[slot] or machine.state.empty_since[slot]:
                continue
            counter = names.index(supply.counter)
            counted = machine.state.used[counter] - used[counter]
            assert machine.state.levels[slot] == pytest.approx(100 - 100 * counted / supply.capacity)
            metered += counted > 0
    assert metered > 20


def test_levels_fall_with_use_and_waste_rises(new_world):
    what = scenario(devices=5, kinds={"copier": 1}, initial=(1.0, 1.0))
    said = bodies(live(new_world(what), START + 10 * DAY))
    name = next(n for n, body in said if "waste" in body["supplies"])
    mine = [body for other, body in said if other == name]
    waste = [b["supplies"]["waste"]["level"] for b in mine]
    pages = [b["counters"]["pages"] for b in mine]
    assert waste[-1] >= waste[0]
    assert pages[-1] > pages[0]
    assert pages == sorted(pages)


def test_a_restarted_world_goes_on_identically(new_world):
    what = scenario(Rates())
    whole = [(n, r.payload) for n, r in live(new_world(what, "one"), START + 3 * DAY)]
    first = new_world(what, "two")
    begun = live(first, START + DAY + 7 * HOUR)
    first.truth.close()
    rest = live(new_world(what, "two", now=START + 9 * DAY), START + 3 * DAY)
    again = [(n, r.payload) for n, r in begun + rest]
    assert sorted(again) == sorted(whole)


def test_unacknowledged_readings_wait_through_a_restart(new_world):
    what = scenario(devices=3)
    world = new_world(what)
    while not world.advance(START + DAY):
        pass
    world.save()
    waiting = [[r.payload for r in m.queue] for m in world.machines]
    assert min(map(len, waiting)) > 20
    world.truth.close()
    again = new_world(what)
    assert [[r.payload for r in m.queue] for m in again.machines] == waiting


def test_a_puback_on_record_is_not_asked_for_again(new_world):
    """The process ended after the log was written and before the reading was put away."""
    what = scenario(devices=3)
    world = new_world(what)
    while not world.advance(START + DAY):
        pass
    world.save()
    first = world.machines[0].queue[0]
    world.truth.acks.add(first.device, first.boot, first.seq)
    world.truth.close()
    again = new_world(what)
    assert first.seq not in {r.seq for r in again.machines[0].queue}
    assert again.counts.acked == 1
    live(again, START + DAY + 1)
    assert again.counts.acked == again.counts.published
    assert list(again.truth.pending()) == []


def test_a_full_device_forgets_its_oldest(new_world):
    world = new_world(scenario(devices=1))
    while not world.advance(START + (STORE + 100) * HOUR):
        pass
    world.save()
    [machine] = world.machines
    assert len(machine.queue) == STORE
    assert world.counts.dropped > 50
    assert world.counts.published == STORE + world.counts.dropped
    assert len(list(world.truth.pending())) == STORE


def test_another_scenario_does_not_take_the_state(new_world):
    new_world(scenario(devices=3)).truth.close()
    with pytest.raises(BadState, match="holds a world of 3 devices, the scenario 4"):
        new_world(scenario(devices=4))


def event(kind, **kw):
    return Event(at="12h", kind=kind, **({"device": "copier-0001"} | kw))


def test_a_board_swap_makes_the_counter_jump_in_a_new_boot(new_world):
    what = scenario(devices=1, kinds={"copier": 1}, events=(event("board_swap"),))
    said = [body for _, body in bodies(live(new_world(what), START + DAY))]
    jumps = [abs(b["counters"]["pages"] - a["counters"]["pages"]) for a, b in itertools.pairwise(said)]
    assert sum(jump > 5_000 for jump in jumps) == 1
    assert len({body["boot"] for body in said}) == 2
    assert Counter(body["seq"] for body in said)[1] == 2


def test_clock_errors_shift_the_time_stamps(new_world):
    what = scenario(devices=1, kinds={"copier": 1}, events=(event("clock_error", by="-30h", lasts="6h"),))
    said = live(new_world(what), START + DAY)
    off = [at(json.loads(reading.payload)) - reading.ts for _, reading in said]
    assert set(off) == {0, -30 * HOUR}
    assert 4 <= off.count(-30 * HOUR) <= 7


def test_heavy_use_of_an_event(new_world):
    used = {}
    for name, events in (("usual", ()), ("heavy", (event("heavy", factor=5.0, lasts="48h"),))):
        world = new_world(scenario(devices=1, kinds={"copier": 1}, events=events), name)
        began = world.machines[0].state.used[0]
        live(world, START + 2 * DAY, step=HOUR)
        used[name] = world.machines[0].state.used[0] - began
    assert 2 < used["heavy"] / used["usual"] <= 5


def test_a_reboot_begins_a_new_boot_and_counts_anew(new_world):
    what = scenario(devices=1, kinds={"copier": 1}, events=(event("reboot"),))
    said = [body for _, body in bodies(live(new_world(what), START + DAY))]
    assert len({body["boot"] for body in said}) == 2
    assert Counter(body["seq"] for body in said)[1] == 2
    pages = [body["counters"]["pages"] for body in said]
    assert pages == sorted(pages)


def test_a_bad_sensor_says_empty_or_full(new_world):
    what = scenario(devices=1, kinds={"copier": 1}, initial=(0.4, 0.6), events=(event("bad_sensor", lasts="12h"),))
    said = [body["supplies"]["black"]["level"] for _, body in bodies(live(new_world(what), START + 2 * DAY))]
    nonsense = [level in (0.0, 1.0) for level in said]
    assert sum(nonsense[12:25]) >= 3
    assert sum(nonsense[:11]) + sum(nonsense[26:]) <= 1


def test_some_devices_sleep_between_their_reports(new_world):
    what = scenario(msgspec.structs.replace(QUIET, sleepers=1.0), devices=20)
    per_device = Counter(name for name, _ in live(new_world(what), START + 4 * DAY))
    assert all(4 * 24 / 12 - 2 <= number <= 4 * 24 / 4 + 1 for number in per_device.values())
    assert len(set(per_device.values())) > 3


def test_a_shaken_cartridge_shows_more_and_no_spare_was_used(new_world):
    shaken = event("shaken", slot="black")
    what = scenario(devices=1, kinds={"copier": 1}, initial=(0.2, 0.2), spares=0.0, events=(shaken,))
    world = new_world(what)
    live(world, START + 11 * HOUR, step=HOUR)
    before = world.machines[0].state.levels[0]
    live(world, START + 13 * HOUR, step=HOUR)
    assert 3 < world.machines[0].state.levels[0] - before <= 5
    assert world.happened["shaken"] == 1
    assert world.happened["swap"] == 0


def test_silence_network_loss(new_world):
    quiet = scenario(devices=1, kinds={"copier": 1}, events=(event("silence", lasts="6h"),))
    world = new_world(quiet)
    times = [reading.ts for _, reading in live(world, START + DAY)]
    assert max(b - a for a, b in itertools.pairwise(times)) > 5 * HOUR

    lost = scenario(devices=4, sites=1, events=(Event(at="12h", kind="network_loss", site="berlin", lasts="5h"),))
    world = new_world(lost, "lost")
    live(world, START + 14 * HOUR)
    assert not any(world.online(i) for i in range(4))
    live(world, START + 19 * HOUR)
    assert all(world.online(i) for i in range(4))


def test_a_hostile_device_sends_what_is_no_reading(new_world):
    what = scenario(devices=1, kinds={"copier": 1}, events=(event("hostile", lasts="8h"),))
    world = new_world(what)
    junk = [reading for _, reading in live(world, START + DAY) if reading.seq == 0]
    assert 6 <= len(junk) <= 9
    assert world.counts.acked == world.counts.published
    [ranges] = world.truth.acks.ranges.values()
    assert len(ranges) == world.counts.acked - len(junk)


def test_a_world_may_start_with_some_days_in_stock(new_world):
    world = new_world(scenario(devices=40, initial=(0.0, 0.1), least_days=9))
    for machine in world.machines:
        for supply, level in zip(machine.model.supplies, machine.state.levels, strict=True):
            assert level >= min(100 * 9 / supply.days, 90) - 1e-9


def test_counters_wrap(new_world):
    what = scenario(devices=30, kinds={"industrial": 1})
    said = bodies(live(new_world(what), START + 12 * DAY, step=DAY))
    hours = [body["counters"]["hours"] for name, body in said if name == said[0][0]]
    assert all(value < 10_000 for value in hours)
    everyone = {name: [b["counters"]["hours"] for n, b in said if n == name] for name, _ in said[:30]}
    assert any(min(values) < 200 and max(values) > 9_900 for values in everyone.values())


def test_duplicates_and_disorder_change_nothing_that_is_recorded(new_world):
    trouble = msgspec.structs.replace(QUIET, duplicate=0.3, disorder=0.3)
    world = new_world(scenario(trouble, devices=3))
    while not world.advance(START + 2 * DAY):
        pass
    world.save()
    order = [[r.seq for r in m.queue] for m in world.machines]
    assert all(sorted(seqs) != seqs for seqs in order)
    live(world, START + 2 * DAY + 1)
    assert world.counts.duplicates > 10
    assert world.counts.acked == world.counts.published


# people
def test_an_empty_slot_is_swapped_when_a_spare_is_there_and_missed_when_not(new_world):
    what = scenario(devices=10, kinds={"copier": 1}, sites=1, initial=(0.02, 0.05), spares=0.0)
    world = new_world(what)
    live(world, START + 5 * DAY)
    missed = world.happened["missed"]
    assert missed >= 10
    assert world.happened["swap"] == 0
    standing = [(m, i) for m in world.machines for i, since in enumerate(m.state.empty_since) if since]
    assert len(standing) == missed

    world.deliver("acme/berlin", "TN-K", 100, world.time)
    world.save()
    assert world.happened["swap"] > 0
    black = [m.state.levels[0] for m in world.machines]
    assert min(black) > 0
    left = world.closets.has("acme/berlin", "TN-K")
    assert left == 100 - world.happened["swap"] + world.happened["part_used"]
    swaps = world.happened["swap"]
    live(world, START + 45 * DAY, step=DAY)
    assert world.happened["swap"] > swaps
    assert world.happened["met"] > 0


def test_beans_are_topped_up_by_whole_bags(new_world):
    what = scenario(devices=6, kinds={"coffee": 1}, sites=1, initial=(0.3, 0.3), spares=0.0)
    world = new_world(what)
    world.deliver("acme/berlin", "BEAN-1KG", 60, START)
    live(world, START + 15 * DAY, step=DAY)
    used = 60 - world.closets.has("acme/berlin", "BEAN-1KG")
    assert used > 5
    beans = world.truth._db.execute("select sum(value) from event where kind = 'topup' and slot = 'beans'").fetchone()
    assert beans[0] == used
    assert world.closets.unit_ms > 0


def test_users_tell_as_often_as_the_scenario_says(new_world):
    told = {}
    for share in (0.0, 1.0):
        users = Users(early=0.0, tell=share, part_used=0.0)
        what = scenario(devices=10, kinds={"copier": 1}, sites=1, initial=(0.02, 0.1), users=users)
        world = new_world(what, f"tell-{share}")
        for sku in ("TN-K", "TN-C", "TN-M", "TN-Y", "WB-1"):
            world.deliver("acme/berlin", sku, 50, START)
        live(world, START + 6 * DAY, step=DAY)
        assert world.happened["swap"] > 5
        told[share] = len(world.truth.untold(1_000)) / world.happened["swap"]
    assert told == {0.0: 0.0, 1.0: 1.0}


def test_early_swappers_throw_something_away(new_world):
    users = Users(early=1.0, tell=0.0, part_used=0.0)
    what = scenario(devices=5, kinds={"copier": 1}, sites=1, initial=(0.3, 0.4), users=users, spares=0.0)
    world = new_world(what)
    world.deliver("acme/berlin", "TN-K", 5, START + HOUR)
    world.save()
    assert world.happened["early"] == world.happened["swap"] == 5
    assert 30 < world.truth.mean("early") <= 40


def test_a_part_used_supply_leaves_the_spare_on_the_shelf(new_world):
    users = Users(early=0.0, part_used=1.0)
    what = scenario(devices=5, kinds={"copier": 1}, sites=1, initial=(0.0, 0.001), users=users, spares=0.0)
    world = new_world(what)
    world.deliver("acme/berlin", "TN-K", 1, START)
    live(world, START + DAY)
    assert world.happened["part_used"] == world.happened["swap"] >= 3
    assert all(60 - 20 < m.state.levels[0] <= 95 for m in world.machines if m.state.refills[0])
    assert world.closets.has("acme/berlin", "TN-K") == 1


@pytest.mark.parametrize(("miscount", "off"), [(0.0, {0}), (1.0, {-1, 1})])
def test_who_takes_a_spare_may_count_the_rest_and_be_wrong(new_world, miscount, off):
    users = Users(early=0.0, tell=0.0, part_used=0.0, count=1.0, miscount=miscount)
    what = scenario(devices=12, kinds={"copier": 1}, sites=1, initial=(0.0, 0.001), users=users, spares=0.0)
    world = new_world(what)
    world.deliver("acme/berlin", "TN-K", 40, START)
    live(world, START + DAY)
    told = world.truth.untold_counts()
    assert len(told) == world.happened["counted"] == world.happened["swap"] > 8
    assert world.happened["miscounted"] == (len(told) if miscount else 0)
    assert {count.site for _, count in told} == {"acme/berlin"}
    left = {number: 39 - place for place, (number, _) in enumerate(told)}
    assert {count.units - left[number] for number, count in told} == off
    for number, _ in told[1:]:
        world.truth.count_told(number)
    world.truth.close()
    assert new_world(what).truth.untold_counts() == told[:1]
