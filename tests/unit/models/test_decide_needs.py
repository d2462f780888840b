"""LIFECYCLE.md as ticks see it: when a slot gets a need, when not, and what the ledger's facts change."""

import pytest

from models.effects import Cause, Need, NeedUnnecessary, RefillKind, RefillSeen, RequestAnswered, SlotView, WouldOrder
from models.facts import (
    AccountFact,
    AccountProductFact,
    DeviceFact,
    Meter,
    Mode,
    NeedState,
    OnOrder,
    SiteFact,
)
from models.frame import Signal
from models.records import Count, Refused, Reorder, Reverse, Swapped, Tick
from models.units import DAY, HOUR, MINUTE
from tests.support.slots import DRUM, START, TONER, World, need_fact, slot_fact, stock_fact


def key(need):
    return need.slot, need.cycle, need.attempt


@pytest.fixture
def ordered():
    """A world whose slot 1 has an open need, and the need."""
    world = World()
    (need,) = world.drain()
    return world, need


def refill(world, slot=1):
    """The device shows a full supply until the fold believes it."""
    for _ in range(3):
        world.say(**{f"s{slot}": 100.0})
        world.wait(HOUR)


def test_a_need_comes_when_empty_before_arrival_is_too_likely(ordered):
    world, need = ordered
    assert key(need) == (1, 1, 1)
    assert (need.site, need.product, need.cause, need.channel, need.mode) == (
        1,
        TONER,
        Cause.PROBABILITY,
        "forecast",
        3,
    )
    proof = need.evidence
    assert proof.threshold == pytest.approx(0.05)
    assert proof.probability_earlier < proof.threshold <= proof.probability < proof.probability_later
    read = world.now - DAY // 4 + world.seq
    assert (proof.read, proof.read_boot, proof.read_seq) == (read, f"{99:016x}", world.seq)
    assert proof.level_high - proof.level_low == pytest.approx(1.0)  # the sensor's step
    assert 4 < proof.level < 30
    assert len(proof.quantiles) == 9
    assert list(proof.quantiles) == sorted(proof.quantiles)
    assert need.deadline == proof.quantiles[4]
    assert len(proof.lead_ms) == 16
    assert min(proof.lead_ms) >= 2 * DAY


def test_there_is_never_a_second_need_while_one_is_open(ordered):
    world, _ = ordered
    world.drain(start=8.0, per_day=1.0, until=0.2)
    assert len(world.all(Need)) == 1
    assert world.partition.open_needs() == {(1, 1, 1)}
    assert world.status() == "need_open"


def test_frames_never_decide():
    world = World()
    for level in (30.0, 20.0, 10.0, 5.0, 1.0):
        world.now += DAY
        world.say(s1=level)
    assert not world.all(Need)
    world.wait(1)
    assert len(world.all(Need)) == 1


def test_a_tick_that_does_not_go_on_is_ignored(ordered):
    world, _ = ordered
    before = world.partition.snapshot()
    assert world.do(Tick(world.now, HOUR), Tick(world.now - DAY, HOUR)) == []
    assert world.partition.snapshot() == before


def test_a_spare_covers_the_slot():
    world = World(on_hand=1.0)
    world.drain(until=2.0)
    assert not world.all(Need)
    assert world.status() == "covered"


def test_losing_the_spare_ends_the_cover_at_the_next_tick():
    world = World(on_hand=1.0)
    world.drain(until=6.0)
    world.do(stock_fact(2, 0.0))
    (need,) = [e for e in world.wait(1) if isinstance(e, Need)]
    assert key(need) == (1, 1, 1)


def test_one_spare_covers_one_of_two_slots_the_earlier_empty():
    world = World(on_hand=1.0)
    world.do(slot_fact(2))
    for level in range(40, 4, -2):
        world.say(s1=float(level), s2=float(level + 3))
        world.wait(DAY // 2)
    (need,) = world.all(Need)
    assert need.slot == 2
    assert need.evidence.claims == 1
    assert world.status(1) == "covered"


def test_a_unit_on_order_without_its_own_need_is_cover():
    world = World()
    world.do(stock_fact(2, 0.0, [OnOrder(0, 0, 0, 1.0, START)]))
    world.drain(until=3.0)
    assert not world.all(Need)


def test_an_open_need_claims_what_it_booked(ordered):
    world, _ = ordered
    world.do(slot_fact(2))
    world.say(s2=3.0)
    world.wait(1)
    assert {n.slot for n in world.all(Need)} == {1, 2}


def test_the_stock_fact_keeps_later_bookings(ordered):
    world, _ = ordered
    at = world.partition.book.bookings[0][0].offset
    world.do(stock_fact(2, 0.0, through=at - 1))
    assert world.partition.book.pools.rows[0]["on_order"] == 1.0
    world.do(stock_fact(3, 0.0, [OnOrder(1, 1, 1, 1.0, START)], through=at))
    assert world.partition.book.pools.rows[0]["on_order"] == 1.0
    assert world.partition.book.bookings == {}


def test_a_top_up_is_covered_by_the_volume_that_fits():
    world = World()
    world.do(slot_fact(1, version=2, refill=1, capacity=1000.0, pack_units=500.0), stock_fact(2, 1.0))
    world.drain(until=2.0)
    assert world.all(Need)
    world = World()
    world.do(slot_fact(1, version=2, refill=1, capacity=1000.0, pack_units=500.0), stock_fact(2, 2.0))
    world.drain(until=2.0)
    assert not world.all(Need)


@pytest.mark.parametrize("state", [NeedState.MET, NeedState.FAILED, NeedState.WITHDRAWN])
def test_a_closed_need_opens_the_next_attempt(ordered, state):
    world, need = ordered
    world.do(need_fact(key(need), state), stock_fact(2, 0.0, through=world.offset))
    (again,) = [e for e in world.wait(1) if isinstance(e, Need)]
    assert key(again) == (1, 1, 2)


def test_a_met_need_whose_goods_came_is_covered(ordered):
    world, need = ordered
    world.do(stock_fact(2, 1.0, through=world.offset), need_fact(key(need), NeedState.MET))
    world.wait(1)
    assert len(world.all(Need)) == 1
    assert world.status() == "covered"


def test_a_refused_need_blocks_until_it_is_released(ordered):
    world, need = ordered
    world.do(need_fact(key(need), NeedState.REFUSED))
    world.wait(1)
    assert world.status() == "blocked"
    assert world.partition.open_needs() == set()
    world.do(need_fact(key(need), NeedState.REFUSED, version=2, released=True))
    (again,) = [e for e in world.wait(1) if isinstance(e, Need)]
    assert key(again) == (1, 1, 2)


def test_a_refused_need_blocks_until_a_new_cycle(ordered):
    world, need = ordered
    world.do(need_fact(key(need), NeedState.REFUSED))
    refill(world)
    assert world.status() == "fine"
    (again,) = world.drain(start=100.0)
    assert key(again) == (1, 2, 1)


def test_old_and_repeated_need_facts_change_nothing(ordered):
    world, need = ordered
    released = need_fact(key(need), NeedState.REFUSED, version=3, released=True)
    world.do(released)
    world.wait(1)
    before = world.partition.snapshot()
    world.do(need_fact(key(need), NeedState.REFUSED, version=2), released)
    assert world.partition.snapshot() == before
    assert world.partition.open_needs() == {(1, 1, 2)}


def test_a_refill_while_the_need_is_open_is_proposed_once_and_the_need_stays(ordered):
    world, need = ordered
    refill(world)
    assert [e.kind.name for e in world.all(RefillSeen)] == ["NEW"]
    (proposed,) = world.all(NeedUnnecessary)
    assert (proposed.slot, proposed.cycle, proposed.attempt, proposed.reason) == (1, 1, 1, "refilled")
    assert world.partition.open_needs() == {(1, 1, 1)}
    world.drain(start=100.0)
    assert len(world.all(Need)) == 1, "its goods cover the next cycle"
    world.do(need_fact(key(need), NeedState.WITHDRAWN))
    (again,) = [e for e in world.wait(1) if isinstance(e, Need)]
    assert key(again) == (1, 2, 1)
    assert len(world.all(NeedUnnecessary)) == 1


def test_a_refill_takes_a_unit_from_the_spares_but_not_below_zero():
    world = World(on_hand=1.0)
    world.do(slot_fact(2))
    for level in range(40, 4, -4):
        world.say(s1=float(level), s2=float(level + 10))
        world.wait(DAY)
    refill(world)
    assert world.partition.book.pools.rows[0]["on_hand"] == 0.0
    assert [n.slot for n in world.all(Need)] == [2]


def test_retirement_makes_an_open_need_unnecessary(ordered):
    world, _ = ordered
    world.do(slot_fact(1, version=2, retired=True))
    world.wait(1)
    assert [e.reason for e in world.all(NeedUnnecessary)] == ["retired"]
    assert world.status() == "retired"


def test_a_retired_device_gets_no_need():
    world = World()
    world.say(s1=2.0)
    world.do(DeviceFact(version=2, device=1, account=1, site=1, retired=True))
    world.wait(1)
    assert not world.all(Need)


def test_counted_spares_make_an_open_need_unnecessary(ordered):
    world, _ = ordered
    world.do(Count(id="c", site=1, product=TONER, units=2.0, by="ann"))
    world.wait(1)
    assert [e.reason for e in world.all(NeedUnnecessary)] == ["counted"]
    assert world.partition.open_needs() == {(1, 1, 1)}, "it frees nothing until the ledger says so"


def test_delivered_goods_are_no_reason_to_withdraw(ordered):
    world, _ = ordered
    world.do(stock_fact(2, 1.0, through=world.offset))
    world.wait(1)
    assert not world.all(NeedUnnecessary)


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.OBSERVE])
def test_off_and_observe_only_say_what_they_would_order_once_per_cycle(mode):
    world = World(mode=mode)
    (would,) = world.drain()
    assert isinstance(would, WouldOrder)
    world.drain(start=8.0, per_day=1.0)
    assert len(world.all(WouldOrder)) == 1
    assert not world.all(Need)
    assert world.status() == mode.name.lower()
    refill(world)
    world.drain()
    assert [w.cycle for w in world.all(WouldOrder)] == [1, 2]


@pytest.mark.parametrize(
    "fact",
    [
        SiteFact(version=2, site=1, account=1, calendar=1, mode=Mode.AUTO, paused=True),
        AccountFact(version=2, account=1, mode=Mode.AUTO, paused=True),
        AccountProductFact(version=2, account=1, product=TONER, mode=Mode.OBSERVE),
    ],
)
def test_the_least_mode_counts_and_a_pause_observes(fact):
    world = World()
    world.do(fact)
    (would,) = world.drain()
    assert isinstance(would, WouldOrder)
    assert world.status() == "observe"


def test_a_sandbox_beside_real_devices_is_observed():
    """What it orders would cover their slots as well."""
    world = World()
    world.do(DeviceFact(version=1, device=2, account=1, site=1))
    world.do(DeviceFact(version=2, device=1, account=1, site=1, sandbox=True))
    assert [type(effect) for effect in world.drain()] == [WouldOrder]
    assert world.status() == "observe"


def test_a_sandbox_among_its_like_orders():
    world = World()
    world.do(DeviceFact(version=2, device=1, account=1, site=1, sandbox=True))
    world.do(DeviceFact(version=1, device=2, account=1, site=1, sandbox=True))
    world.do(DeviceFact(version=1, device=3, account=1, site=2))
    (need,) = world.drain()
    assert isinstance(need, Need)


def test_going_to_auto_orders_at_the_next_tick():
    world = World(mode=Mode.OBSERVE)
    world.drain()
    world.do(AccountFact(version=2, account=1, mode=Mode.AUTO, service_level=0.95))
    (need,) = [e for e in world.wait(1) if isinstance(e, Need)]
    assert need.mode == Mode.AUTO


def test_the_mode_ask_makes_needs_that_say_so():
    world = World(mode=Mode.ASK)
    (need,) = world.drain()
    assert need.mode == Mode.ASK


@pytest.mark.parametrize("signal", [Signal.REORDER, Signal.LOW, Signal.EMPTY])
def test_a_signal_skips_the_probability_but_not_the_guard(signal):
    world = World()
    world.say(s1=80.0)
    world.wait()
    world.say(signals=[(signal, 1)])
    (need,) = [e for e in world.wait() if isinstance(e, Need)]
    assert need.cause == Cause.SIGNAL
    assert need.channel == "device"
    world.say(signals=[(signal, 1)])
    world.wait()
    assert len(world.all(Need)) == 1
    covered = World(on_hand=1.0)
    covered.say(s1=80.0, signals=[(signal, 1)])
    covered.wait()
    assert not covered.all(Need)


def test_a_receipt_does_not_take_a_persons_word_for_a_reading():
    world = World(on_hand=0.0)
    world.say(s1=50.0)
    world.wait()
    world.do(Swapped(id="swap", slot=1, by="ann"))
    world.do(Reorder(id="r", slot=1, by="ann"))
    (need,) = [e for e in world.wait() if isinstance(e, Need)]
    assert (need.evidence.read, need.evidence.read_boot, need.evidence.read_seq) == (world.now - HOUR, "", 0)


def test_a_slot_without_any_level_orders_on_a_signal():
    world = World()
    world.say(signals=[(Signal.EMPTY, 1)])
    (need,) = [e for e in world.wait() if isinstance(e, Need)]
    assert (need.evidence.level_low, need.evidence.level_high) == (0.0, 100.0)
    assert need.evidence.quantiles == ()
    assert need.urgent


def answer(world, name):
    (found,) = [e for e in world.all(RequestAnswered) if e.id == name]
    return found


def test_a_request_skips_the_probability_and_is_answered_with_its_need():
    world = World()
    world.say(s1=90.0)
    world.do(Reorder(id="r", slot=1, by="ann", channel="web"))
    world.wait(1)
    (need,) = world.all(Need)
    assert (need.cause, need.channel, need.request) == (Cause.REQUEST, "web", "r")
    assert (answer(world, "r").outcome, answer(world, "r").attempt) == ("need", 1)
    world.do(Reorder(id="q", slot=1, by="ann"))
    world.wait(1)
    assert answer(world, "q").outcome == "guarded"
    assert len(world.all(Need)) == 1


def test_a_test_request_says_what_would_happen_and_changes_nothing():
    world = World()
    world.say(s1=90.0)
    world.wait(1)
    world.do(Reorder(id="t", slot=1, by="ann", test=True))
    world.wait(1)
    assert answer(world, "t").outcome == "need"
    assert answer(world, "t").evidence.on_hand == 0.0
    assert not world.all(Need)
    assert world.status() == "fine"


@pytest.mark.parametrize(
    ("prepare", "outcome"),
    [
        (stock_fact(2, 1.0), "guarded"),
        (SiteFact(version=2, site=1, account=1, calendar=1, mode=Mode.OBSERVE), "would_order"),
        (slot_fact(1, version=2, product=0), "refused"),
    ],
)
def test_a_request_meets_guard_mode_and_missing_products(prepare, outcome):
    world = World()
    world.do(prepare, Reorder(id="a", slot=1, by="ann"), Reorder(id="b", slot=1, by="ann", test=True))
    world.wait(1)
    assert answer(world, "a").outcome == answer(world, "b").outcome == outcome
    assert not world.all(Need)


def test_a_request_for_an_unknown_slot_is_refused_at_once():
    world = World()
    world.do(Reorder(id="x", slot=77, by="ann"))
    assert answer(world, "x").outcome == "refused"


def test_a_request_that_comes_twice_acts_once():
    world = World(on_hand=2.0)
    world.say(s1=50.0)
    swapped = Swapped(id="s", slot=1, by="ann")
    world.wait()
    world.do(swapped, swapped)
    assert len(world.all(RefillSeen)) == 1
    assert answer(world, "s").outcome == "swapped"
    assert world.partition.book.pools.rows[0]["on_hand"] == 1.0


def test_a_swap_that_the_device_has_shown_already_is_not_a_second_one():
    world = World(on_hand=2.0)
    world.say(s1=20.0)
    world.wait()
    refill(world)
    world.do(Swapped(id="s", slot=1, by="ann"))
    assert len(world.all(RefillSeen)) == 1
    assert "already" in answer(world, "s").reason


def test_a_swap_is_shown_already_by_a_part_used_supply_too():
    world = World(on_hand=2.0)
    world.say(s1=5.0)
    for _ in range(2):
        world.wait()
        world.say(s1=80.0)
    world.do(Swapped(id="s", slot=1, by="ann"))
    assert [seen.kind for seen in world.all(RefillSeen)] == [RefillKind.PART_USED]
    assert answer(world, "s").cycle == 2
    world.wait(12 * HOUR)
    world.do(Swapped(id="later", slot=1, by="ann"))
    assert len(world.all(RefillSeen)) == 2


@pytest.fixture
def suspect():
    """A slot that would be ordered for, and one reading that says that it was refilled."""
    world = World()
    for level in (8.0, 8.0, 100.0):
        world.say(s1=level)
    world.wait()
    assert not world.all(Need)
    assert world.status() == "suspect"
    return world


def test_a_second_reading_makes_the_refill(suspect):
    suspect.say(s1=99.0)
    suspect.wait(2 * DAY)
    assert not suspect.all(Need)
    assert len(suspect.all(RefillSeen)) == 1


@pytest.mark.parametrize(
    "happens",
    [
        pytest.param(lambda world: world.say(s1=8.0), id="it was a glitch"),
        pytest.param(lambda world: world.say(signals=[(Signal.REORDER, 1)]), id="the device asks"),
        pytest.param(lambda world: world.say(signals=[(Signal.LOW, 1)]), id="the device says low"),
        pytest.param(lambda world: world.do(Reorder(id="r", slot=1, by="ann")), id="a person asks"),
    ],
)
def test_what_ends_the_suspicion_of_a_refill_orders_at_once(suspect, happens):
    happens(suspect)
    suspect.wait()
    assert len(suspect.all(Need)) == 1
    assert not suspect.all(RefillSeen)


def test_a_device_that_says_no_more_is_ordered_for_after_thirty_hours(suspect):
    suspect.wait(28 * HOUR)
    assert not suspect.all(Need)
    suspect.wait(2 * HOUR)
    assert len(suspect.all(Need)) == 1


def test_a_reversed_refill_merges_the_cycles_and_returns_the_spare():
    world = World(on_hand=1.0)
    for level in (14.0, 12.0, 10.0):
        world.say(s1=level)
        world.wait(DAY)
    refill(world)
    (seen,) = world.all(RefillSeen)
    world.do(Reverse(id="v", slot=1, cycle=seen.cycle, by="ann"))
    assert answer(world, "v").outcome == "reversed"
    assert world.partition.book.pools.rows[0]["on_hand"] == 1.0
    world.wait(1)
    assert world.status() == "covered"
    world.do(stock_fact(2, 0.0, through=world.offset))
    world.wait(1)
    (need,) = world.all(Need)
    assert key(need) == (1, 2, 1), "numbers are never used again"


def test_a_reversal_brings_the_open_need_back_to_its_cycle(ordered):
    world, need = ordered
    refill(world)
    (seen,) = world.all(RefillSeen)
    world.do(Reverse(id="v", slot=1, cycle=seen.cycle, by="ann"))
    world.wait(1)
    assert world.partition.open_needs() == {key(need)}
    assert world.status() == "need_open"


def test_an_unmapped_slot_is_shown_but_never_ordered():
    world = World()
    world.do(slot_fact(1, version=2, product=0))
    world.drain()
    world.say(signals=[(Signal.EMPTY, 1)])
    world.wait()
    assert not world.all(Need)
    assert world.status() == "unmapped"


def test_a_slot_that_only_ages_orders_before_its_life_ends():
    world = World()
    world.do(slot_fact(2, meter=Meter.AGE, capacity=40.0, product=DRUM), stock_fact(1, 0.0, product=DRUM))
    world.wait(20 * DAY)
    assert not world.all(Need)
    for _ in range(15):
        world.wait(DAY)
    (need,) = world.all(Need)
    assert need.slot == 2
    assert 20 * DAY < world.now - START < 36 * DAY
    assert need.deadline == START + 40 * DAY


def test_a_quiet_slot_is_shown_anew_though_others_of_its_pool_are_looked_at_all_the_time():
    world = World(on_hand=1.0)
    world.do(slot_fact(2))
    world.say(s1=3.0, s2=80.0)
    for _ in range(48):
        world.wait(30 * MINUTE)
        world.say(s1=3.0)
    shown = [e for e in world.all(SlotView) if e.slot == 2]
    assert world.now - shown[-1].ts <= 6 * HOUR + 30 * MINUTE


def test_facts_may_come_in_any_order():
    first, second = World(), World.__new__(World)
    records = []

    class Recorder(World):
        def do(self, *given):
            records.extend(given)
            return []

    Recorder()
    second.__dict__.update(first.__dict__)
    from models.partition import Partition  # noqa: PLC0415  a fresh one

    second.partition, second.offset, second.effects = Partition(0), 0, []
    second.do(*reversed(records))
    for world in (first, second):
        world.now, world.seq = START, 0
        assert [key(n) for n in world.drain()] == [(1, 1, 1)]
    assert first.all(Need)[0].evidence == second.all(Need)[0].evidence


def test_nothing_is_decided_before_the_account_is_known():
    from models.partition import Partition  # noqa: PLC0415

    world = World()
    world.partition, world.offset = Partition(0), 0
    world.do(DeviceFact(version=1, device=1, account=1, site=1), slot_fact(1))
    world.say(s1=1.0)
    assert world.wait() == []


def test_a_view_shows_cover_that_changed_once_and_at_once():
    world = World()
    world.say(s1=80.0)
    world.wait(MINUTE)
    seen = len(world.all(SlotView))
    world.do(stock_fact(2, 4.0))
    world.wait(MINUTE)
    world.wait(MINUTE)
    assert [view.on_hand for view in world.all(SlotView)[seen:]] == [4.0]


def test_views_are_coalesced_but_changes_are_shown_at_once():
    world = World()
    world.say(s1=80.0)
    world.wait(MINUTE)
    seen = len(world.all(SlotView))
    for _ in range(10):
        world.say(s1=80.0)
        world.wait(MINUTE)
    assert len(world.all(SlotView)) == seen
    world.say(s1=80.0)
    world.wait(15 * MINUTE)
    assert len(world.all(SlotView)) == seen + 1
    world.say(signals=[(Signal.EMPTY, 1)])
    world.wait(MINUTE)
    assert world.all(SlotView)[-1].status == "need_open"


def test_what_the_gateway_refused_waits_where_people_see_it():
    world = World()
    record = Refused(
        device=1, received=START, code="level_out_of_range", reason="supplies.black.level is 42", raw=b"{}"
    )
    first, second = world.do(record), world.do(record)
    assert [(q.code, q.reason, q.raw) for q in first] == [(record.code, record.reason, b"{}")]
    assert first[0].seq != second[0].seq  # the same bytes twice are two messages
