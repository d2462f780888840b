"""Every row of the table of LIFECYCLE.md, and every pair of state and event that it does not have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.facts import NeedState
from models.orders import (
    ENDED,
    PRE_PLACED,
    SENT,
    Event,
    Guard,
    ImplausibleQuantity,
    LineBooks,
    LineState,
    NotAllowed,
    OrderState,
    row_of,
    state_of,
)

S, E, N, L = OrderState, Event, NeedState, LineState
LINES = "as the lines say"

# (states, event, guards that hold) -> (next state, need), written down a second time and by hand
EXPECTED: list[tuple[set[OrderState], Event, set[Guard], OrderState | str | None, NeedState]] = [
    ({S.PROPOSED}, E.NEEDED, set(), S.PROPOSED, N.OPEN),
    ({S.PROPOSED}, E.WINDOW_CLOSED, {Guard.INSIDE}, S.APPROVED, N.OPEN),
    ({S.PROPOSED}, E.WINDOW_CLOSED, set(), S.AWAITING, N.OPEN),
    ({S.AWAITING}, E.APPROVED, {Guard.CHECKED}, S.APPROVED, N.OPEN),
    ({S.AWAITING}, E.REJECTED, set(), S.REJECTED, N.REFUSED),
    ({S.AWAITING}, E.APPROVE_BY_PASSED, set(), S.AWAITING, N.OPEN),
    ({S.AWAITING}, E.APPROVE_BY_PASSED, {Guard.ESCALATED}, S.EXPIRED, N.REFUSED),
    ({S.PROPOSED, S.AWAITING, S.APPROVED}, E.CANCELLED, set(), S.CANCELLED, N.REFUSED),
    ({S.PROPOSED, S.AWAITING, S.APPROVED}, E.UNNECESSARY, set(), None, N.WITHDRAWN),
    ({S.PROPOSED, S.AWAITING, S.APPROVED}, E.UNNECESSARY, {Guard.EMPTY}, S.CANCELLED, N.WITHDRAWN),
    ({S.APPROVED}, E.HOLD_ENDED, set(), S.PLACED, N.OPEN),
    ({S.PLACED, S.ACKNOWLEDGED}, E.ACCEPTED, set(), LINES, N.OPEN),
    ({S.PLACED, S.ACKNOWLEDGED}, E.REFUSED, set(), LINES, N.FAILED),
    ({S.PLACED}, E.SILENT, set(), S.PLACED, N.OPEN),
    ({S.PLACED, S.ACKNOWLEDGED}, E.CANCEL_ASKED, set(), S.CANCEL_REQUESTED, N.OPEN),
    ({S.CANCEL_REQUESTED}, E.CANCEL_GRANTED, set(), LINES, N.REFUSED),
    ({S.CANCEL_REQUESTED}, E.CANCEL_DENIED, set(), LINES, N.OPEN),
    (set(SENT), E.SHIPPED, set(), LINES, N.OPEN),
    (set(SENT) | {S.DELIVERED, S.CANCELLED, S.FAILED}, E.DELIVERED, set(), LINES, N.MET),
    (set(SENT), E.OVERDUE, set(), LINES, N.OPEN),
    (set(SENT), E.LOST, set(), LINES, N.FAILED),
]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda e: f"{e[1]}-{e[3]}")
def test_every_row_of_the_table(
    expected: tuple[set[OrderState], Event, set[Guard], OrderState | str | None, NeedState],
) -> None:
    states, event, holds, then, need = expected
    for state in states:
        row = row_of(state, event, frozenset(holds))
        assert row.then == (None if then == LINES else then)
        assert row.need is need


def test_no_other_pair_of_state_and_event_is_allowed() -> None:
    allowed = {(state, e[1]) for e in EXPECTED for state in e[0]}
    approval_needs_its_check = (S.AWAITING, E.APPROVED)
    for state in S:
        for event in E:
            if (state, event) not in allowed or (state, event) == approval_needs_its_check:
                with pytest.raises(NotAllowed, match=state.value):
                    row_of(state, event)


def test_states_are_before_sent_or_ended() -> None:
    assert set(S) == PRE_PLACED | SENT | ENDED
    assert len(PRE_PLACED) + len(SENT) + len(ENDED) == len(S)


def test_a_refused_event_names_what_is_possible() -> None:
    with pytest.raises(NotAllowed, match="an order that is rejected cannot be approved: it takes nothing any more"):
        row_of(S.REJECTED, E.APPROVED)


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([L.PLACED, L.PLACED], S.PLACED),
        ([L.PLACED, L.ACKNOWLEDGED], S.PLACED),
        ([L.ACKNOWLEDGED, L.REFUSED], S.ACKNOWLEDGED),
        ([L.REFUSED, L.REFUSED], S.FAILED),
        ([L.ACKNOWLEDGED, L.SHIPPED], S.PART_SHIPPED),
        ([L.PART_SHIPPED], S.PART_SHIPPED),
        ([L.SHIPPED, L.REFUSED], S.SHIPPED),
        ([L.SHIPPED, L.DELIVERED], S.PART_DELIVERED),
        ([L.PART_DELIVERED], S.PART_DELIVERED),
        ([L.DELIVERED, L.LOST], S.DELIVERED),
        ([L.LOST, L.CANCELLED], S.FAILED),
        ([L.CANCELLED, L.WITHDRAWN], S.CANCELLED),
        ([], S.CANCELLED),
    ],
)
def test_a_sent_order_is_where_its_lines_are(lines: list[LineState], state: OrderState) -> None:
    assert state_of(lines) is state


steps = st.lists(
    st.one_of(
        st.sampled_from(["accept", "refuse", "cancel", "lose"]),
        st.tuples(st.sampled_from(["ship", "deliver"]), st.integers(1, 4)),
    ),
    max_size=12,
)


@given(st.integers(1, 8), steps)
def test_the_books_of_a_line_always_balance(quantity: int, taken: list[str | tuple[str, int]]) -> None:
    books, arrived = LineBooks(quantity), 0
    for step in taken:
        try:
            if isinstance(step, str):
                books = getattr(books, step)()
            else:
                books = getattr(books, step[0])(step[1])
                arrived += step[1] if step[0] == "deliver" else 0
        except ImplausibleQuantity:
            continue
        assert books.quantity + books.over == books.delivered + books.under_way + books.cancelled + books.lost
        assert min(books.under_way, books.cancelled, books.lost, books.over) >= 0
        assert books.delivered == arrived
        assert books.shipped >= books.delivered
        assert (books.state in {L.DELIVERED, L.LOST, L.REFUSED, L.CANCELLED}) == (books.under_way == 0)


def test_a_line_goes_its_usual_way() -> None:
    books = LineBooks(3)
    seen = [books.state]
    for step, units in (("ship", 1), ("ship", 2), ("deliver", 1), ("deliver", 2)):
        books = getattr(books, step)(units)
        seen.append(books.state)
    assert seen == [L.PLACED, L.PART_SHIPPED, L.SHIPPED, L.PART_DELIVERED, L.DELIVERED]


def test_lost_goods_that_come_after_all_are_found() -> None:
    books = LineBooks(2).lose().deliver(2)
    assert (books.delivered, books.lost, books.over, books.state) == (2, 0, 0, L.DELIVERED)


def test_more_than_ordered_is_over() -> None:
    assert LineBooks(2).deliver(3).over == 1


@pytest.mark.parametrize("units", [0, -1, 21])
def test_a_slip_of_the_keyboard_is_no_delivery(units: int) -> None:
    with pytest.raises(ImplausibleQuantity, match="between 1 and 20"):
        LineBooks(2).deliver(units)
