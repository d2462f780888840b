"""Cover (LIFECYCLE.md rule 4): a unit covers one slot, the earliest empty first, whatever the device."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.decide import cover
from models.decide.layout import PLAN, POOL, Standing
from models.layout import SLOT

NONE, OPEN = int(Standing.NONE), int(Standing.OPEN)


def ranked(slots, on_hand, on_order=0.0):
    """slots: (empty, standing, claim); what rank says of each: (before, covered)."""
    rows = np.arange(len(slots))
    table, plans = np.zeros(len(slots), SLOT), np.zeros(len(slots), PLAN)
    table["capacity"], table["pack_units"] = 1.0, [1.0 / claim for _, _, claim in slots]
    plans["standing"] = [standing for _, standing, _ in slots]
    pools = np.zeros(1, POOL)
    pools["on_hand"], pools["on_order"] = on_hand, on_order
    order = np.lexsort((rows, [empty for empty, _, _ in slots]))
    before, covered = np.zeros(len(slots)), np.zeros(len(slots), np.bool_)
    cover.rank(order, rows, table, plans, pools, before, covered)
    return before.tolist(), covered.tolist()


def test_the_earliest_empty_gets_the_unit():
    assert ranked([(5, NONE, 1.0), (3, NONE, 1.0), (4, NONE, 1.0)], 2.0) == ([2.0, 0.0, 1.0], [False, True, True])


def test_ten_slots_do_not_count_one_unit_ten_times():
    _, covered = ranked([(k, NONE, 1.0) for k in range(10)], 1.0)
    assert sum(covered) == 1


def test_equal_times_are_ranked_by_id():
    assert ranked([(1, NONE, 1.0), (1, NONE, 1.0)], 1.0)[1] == [True, False]


def test_an_open_need_claims_a_unit_and_leaves_the_ranking():
    _, covered = ranked([(1, OPEN, 1.0), (2, NONE, 1.0)], 0.0, on_order=1.0)
    assert covered[1] is False
    _, covered = ranked([(1, OPEN, 1.0), (2, NONE, 1.0)], 1.0, on_order=1.0)
    assert covered[1] is True


def test_ten_tenths_of_a_pack_are_one_pack():
    _, covered = ranked([(k, NONE, 0.1) for k in range(11)], 1.0)
    assert covered == [True] * 10 + [False]


@given(
    slots=st.lists(st.tuples(st.integers(0, 5), st.sampled_from([NONE, OPEN]), st.just(1.0)), max_size=12),
    on_hand=st.integers(0, 5),
    on_order=st.integers(0, 5),
)
def test_the_rule_is_rank_below_free(slots, on_hand, on_order):
    free = on_hand + on_order - sum(standing == OPEN for _, standing, _ in slots)
    waiting = sorted((empty, k) for k, (empty, standing, _) in enumerate(slots) if standing == NONE)
    _, covered = ranked(slots, float(on_hand), float(on_order))
    assert [covered[k] for _, k in waiting] == [place < free for place in range(len(waiting))]
