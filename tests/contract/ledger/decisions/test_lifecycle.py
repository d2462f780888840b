"""Every row of the table of LIFECYCLE.md, through the ledger: order, need, cover, money, tasks."""

from decimal import Decimal
from typing import Any

import pytest

from ledger import tables as t
from ledger.orders import Answer
from ledger.orders.release import NotRefused
from ledger.rules import Rules
from ledger.scope import NotFound, Scope
from models.effects import NeedUnnecessary
from models.facts import NeedState
from models.orders import NotAllowed, OrderState
from models.units import DAY, HOUR

S, N = OrderState, NeedState


def tasks(world: Any) -> list[str]:
    return [row.kind for row in world.rows(t.task, t.task.c.state == "open")]


def money(world: Any) -> tuple[Decimal, Decimal]:
    """Reserved and spent of this month's budget."""
    row = world.last(t.budget)
    return row.reserved, row.spent


def who(world: Any, by: str = "anna") -> dict[str, Any]:
    return {"by": by, "now": world.now}


@pytest.fixture
def asking(world: Any) -> Any:
    """A world with a budget, in which every order is asked for."""
    world.change(t.account, mode=2, monthly_budget=Decimal(200))
    return world


@pytest.fixture
def rich(world: Any) -> Any:
    world.change(t.account, monthly_budget=Decimal(200))
    return world


# row 1: a need opens a draft


def test_a_need_opens_a_draft_with_its_budget_reserved(rich: Any) -> None:
    rich.proposed()
    assert rich.states() == ([S.PROPOSED], [N.OPEN])
    assert money(rich) == (Decimal("54.90"), 0)
    assert rich.cover() == (0, 1)


# row 2: another need of the same site and supplier


def test_needs_of_one_site_and_supplier_share_an_order_and_of_one_product_a_line(world: Any) -> None:
    world.proposed(world.need(world.slots[0]), world.need(world.slots[1]), world.need(world.hopper))
    assert world.states() == ([S.PROPOSED], [N.OPEN] * 3)
    toner, beans = world.rows(t.order_line)
    assert (toner.quantity, toner.units_needed, toner.amount) == (2, 2, Decimal("109.80"))
    assert (beans.quantity, beans.units, beans.amount) == (1, 2, Decimal("12.50"))
    assert world.last(t.order).total == Decimal("122.30")


def test_a_sandbox_shares_no_order_and_leaves_the_house_with_nothing(rich: Any) -> None:
    with rich.ledger.write() as tx:
        tx.execute(t.device.update().where(t.device.c.name == "copier-1").values(sandbox=True))
    rich.proposed(rich.need(rich.slots[0]), rich.need(rich.slots[1]))
    assert rich.states() == ([S.PROPOSED, S.PROPOSED], [N.OPEN, N.OPEN])
    assert money(rich) == (Decimal("54.90"), 0)
    rich.apply(after=HOUR)
    assert rich.states()[0] == [S.PLACED, S.PLACED]
    assert len(rich.rows(t.outbox, t.outbox.c.kind == "purchase_order")) == 1


# row 3: the window closes


def test_inside_limits_and_budget_the_closed_window_approves(rich: Any) -> None:
    rich.change(t.account, hold_ms=DAY)
    rich.proposed()
    rich.apply(after=HOUR)
    assert rich.states() == ([S.APPROVED], [N.OPEN])
    assert [(x.decision, x.by) for x in rich.rows(t.approval)] == [("approved", "policy")]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"mode": 2}, "mode ask"),
        ({"limit_per_order": Decimal(50)}, "above the limit per order of 50.00 EUR"),
        ({"monthly_budget": Decimal(50)}, "budget of 2025-10 does not suffice"),
    ],
)
def test_outside_of_them_it_awaits_a_person(world: Any, change: dict[str, Any], why: str) -> None:
    world.change(t.account, **change)
    world.proposed()
    world.apply(after=HOUR)
    assert world.states() == ([S.AWAITING], [N.OPEN])
    assert why in world.last(t.order).reason
    assert tasks(world) == ["approval"]


def test_an_urgent_need_closes_the_window_at_once_and_skips_the_hold(world: Any) -> None:
    world.change(t.account, hold_ms=DAY)
    world.proposed(world.need(world.slots[0]))
    world.apply(world.need(world.slots[1], urgent=True))
    assert world.states() == ([S.PLACED], [N.OPEN] * 2)


def test_an_urgent_need_never_skips_approval(asking: Any) -> None:
    asking.proposed(asking.need(asking.slots[0], urgent=True))
    assert asking.states() == ([S.AWAITING], [N.OPEN])


def test_a_pause_after_the_proposal_holds_the_order_for_a_person(world: Any) -> None:
    world.proposed()
    world.change(t.site, paused=True)
    world.apply(after=HOUR)
    assert world.states()[0] == [S.AWAITING]


# row 4: approve


@pytest.fixture
def awaiting(asking: Any) -> tuple[Any, int]:
    number = asking.proposed()
    asking.apply(after=HOUR)
    return asking, number


def test_a_person_approves_once(awaiting: tuple[Any, int]) -> None:
    world, number = awaiting
    for _ in range(2):
        assert world.orders.approve(world.scope, number, **who(world)).code == "approved"
    assert world.states() == ([S.PLACED], [N.OPEN])
    assert [(x.decision, x.by) for x in world.rows(t.approval)] == [("approved", "anna")]
    assert tasks(world) == []


def test_a_dearer_price_is_shown_before_it_is_taken(awaiting: tuple[Any, int]) -> None:
    world, number = awaiting
    world.change(t.offer, price=Decimal("60.00"))
    outcome = world.orders.approve(world.scope, number, **who(world))
    assert (outcome.code, outcome.state) == ("price_changed", S.AWAITING)
    assert "60.00 EUR by now instead of 54.90 EUR" in outcome.text
    assert money(world)[0] == Decimal(60)
    assert world.orders.approve(world.scope, number, **who(world)).code == "approved"


def test_a_cheaper_price_is_taken_at_once(awaiting: tuple[Any, int]) -> None:
    world, number = awaiting
    world.change(t.offer, price=Decimal("40.00"))
    assert world.orders.approve(world.scope, number, **who(world)).code == "approved"
    assert world.last(t.purchase_order).total == money(world)[0] == Decimal(40)


def test_without_budget_nobody_can_approve(awaiting: tuple[Any, int]) -> None:
    world, number = awaiting
    world.change(t.offer, price=Decimal(300))
    world.orders.approve(world.scope, number, **who(world))
    assert world.orders.approve(world.scope, number, **who(world)).code == "over_budget"
    world.change(t.budget, amount=Decimal(300))
    assert world.orders.approve(world.scope, number, **who(world)).code == "approved"


def test_what_is_not_offered_any_more_cannot_be_approved(awaiting: tuple[Any, int]) -> None:
    world, number = awaiting
    world.change(t.offer, retired=True)
    assert world.orders.approve(world.scope, number, **who(world)).code == "no_price"


# row 5: reject


@pytest.mark.parametrize("verb", ["cancel", "lost"])
def test_a_rejected_order_was_never_sent_and_takes_nothing_more(awaiting: tuple[Any, int], verb: str) -> None:
    world, number = awaiting
    world.orders.reject(world.scope, number, reason="too dear", **who(world))
    with pytest.raises(NotAllowed, match="an order that is rejected cannot be"):
        getattr(world.orders, verb)(world.scope, number, **who(world))


def test_a_rejected_need_blocks_its_slot_until_it_is_released(awaiting: tuple[Any, int]) -> None:
    world, number = awaiting
    with pytest.raises(ValueError, match="give a reason"):
        world.orders.reject(world.scope, number, reason=" ", **who(world))
    for _ in range(2):
        world.orders.reject(world.scope, number, reason="too dear", **who(world))
    assert world.states() == ([S.REJECTED], [N.REFUSED])
    assert (world.last_need_fact().state, world.last_need_fact().released) == (N.REFUSED, False)
    assert money(world) == (0, 0)
    assert world.cover() == (0, 0)
    need = world.last(t.need).id
    for _ in range(2):
        world.orders.release(world.scope, need, **who(world))
    assert (world.last_need_fact().state, world.last_need_fact().released) == (N.REFUSED, True)
    world.apply(world.need(world.slots[0], attempt=2))
    assert world.states() == ([S.REJECTED, S.PROPOSED], [N.REFUSED, N.OPEN])


def test_only_a_refused_need_can_be_released(world: Any) -> None:
    world.proposed()
    with pytest.raises(NotRefused, match="is opened"):
        world.orders.release(world.scope, world.last(t.need).id, **who(world))


# row 6: approve-by passes


def test_approve_by_escalates_once_then_expires(awaiting: tuple[Any, int]) -> None:
    world, number = awaiting
    world.apply(after=3 * DAY)
    assert world.states() == ([S.AWAITING], [N.OPEN])
    assert sorted(tasks(world)) == ["approval", "approval_late"]
    world.apply(after=3 * DAY)
    assert world.states() == ([S.EXPIRED], [N.REFUSED])
    assert tasks(world) == ["expired"]
    assert money(world) == (0, 0)
    with pytest.raises(NotAllowed, match="is expired"):
        world.orders.approve(world.scope, number, **who(world))


# row 7: cancel before it is placed


@pytest.mark.parametrize("state", [S.PROPOSED, S.AWAITING, S.APPROVED])
def test_before_it_is_placed_a_buyer_cancels_at_once(rich: Any, state: OrderState) -> None:
    rich.change(t.account, mode=2 if state is S.AWAITING else 3, hold_ms=DAY)
    number = rich.proposed()
    if state is not S.PROPOSED:
        rich.apply(after=HOUR)
    assert rich.states()[0] == [state]
    for _ in range(2):
        assert rich.orders.cancel(rich.scope, number, **who(rich)) is S.CANCELLED
    assert rich.states() == ([S.CANCELLED], [N.REFUSED])
    assert money(rich) == (0, 0)
    assert rich.cover() == (0, 0)
    rich.apply(after=30 * DAY)
    assert rich.states() == ([S.CANCELLED], [N.REFUSED])


# row 8: it became unnecessary


@pytest.mark.parametrize("state", [S.PROPOSED, S.AWAITING, S.APPROVED])
def test_an_unnecessary_line_is_withdrawn_and_an_empty_order_cancelled(rich: Any, state: OrderState) -> None:
    rich.change(t.account, mode=2 if state is S.AWAITING else 3, hold_ms=DAY)
    rich.proposed(rich.need(rich.slots[0]), rich.need(rich.slots[1]), rich.need(rich.hopper))
    if state is not S.PROPOSED:
        rich.apply(after=HOUR)
    rich.apply(NeedUnnecessary(rich.slots[0], 1, 1, "refilled"))
    assert rich.states() == ([state], [N.WITHDRAWN, N.OPEN, N.OPEN])
    assert rich.rows(t.order_line)[0].quantity == 1
    assert money(rich)[0] == Decimal("67.40")
    rich.apply(NeedUnnecessary(rich.slots[1], 1, 1, "counted"))
    assert (rich.states()[0], money(rich)[0]) == ([state], Decimal("12.50"))
    assert rich.cover() == (0, 0)
    rich.apply(NeedUnnecessary(rich.hopper, 1, 1, "retired"))
    assert rich.states() == ([S.CANCELLED], [N.WITHDRAWN] * 3)
    assert money(rich) == (0, 0)


def test_once_it_is_placed_the_need_stays_with_the_order(world: Any) -> None:
    world.placed()
    world.apply(NeedUnnecessary(world.slots[0], 1, 1, "refilled"))
    assert world.states() == ([S.PLACED], [N.OPEN])


# row 9: no offer, no price, bad data, a mode that step did not know


def test_without_an_offer_the_need_is_refused_and_a_person_asked(world: Any) -> None:
    world.change(t.offer, retired=True)
    world.apply(world.need(world.slots[0]))
    assert world.states() == ([], [N.REFUSED])
    assert (world.last_need_fact().state, world.last_need_fact().reason) == (N.REFUSED, "no_offer")
    assert world.cover() == (0, 0)
    assert tasks(world) == ["no_offer"]


def test_a_price_in_another_currency_is_no_offer(world: Any) -> None:
    world.change(t.account, currency="USD")
    world.apply(world.need(world.slots[0]))
    assert world.states() == ([], [N.REFUSED])


@pytest.mark.parametrize(
    ("table", "change", "reason"),
    [
        (t.account, {"mode": 1}, "mode"),
        (t.account, {"paused": True}, "mode"),
        (t.site, {"mode": 0}, "mode"),
        (t.device, {"retired": True}, "retired"),
    ],
)
def test_what_step_could_not_know_withdraws_the_need(world: Any, table: Any, change: Any, reason: str) -> None:
    world.change(table, **change)
    world.apply(world.need(world.slots[0]))
    assert world.states() == ([], [N.WITHDRAWN])
    assert world.last_need_fact().reason == reason


def test_a_mode_of_one_product_counts(world: Any) -> None:
    with world.ledger.write() as tx:
        tx.execute(t.account_product.insert().values(account_id=world.account, product_id=world.toner, mode=2))
    world.proposed()
    world.apply(after=HOUR)
    assert world.states()[0] == [S.AWAITING]


def test_a_second_need_of_a_slot_is_refused_never_opened(world: Any) -> None:
    world.apply(world.need(world.slots[0]), world.need(world.slots[0], cycle=2))
    assert world.states() == ([S.PROPOSED], [N.OPEN, N.REFUSED])


# row 10: the hold ends


def test_the_hold_is_a_cancel_window(worlds: Any) -> None:
    world = worlds(Rules(hold_ms=DAY))
    world.proposed()
    world.apply(after=HOUR)
    world.apply(after=DAY - 1)
    assert world.states() == ([S.APPROVED], [N.OPEN])
    assert not world.rows(t.purchase_order)
    world.apply(after=1)
    assert world.states() == ([S.PLACED], [N.OPEN])
    assert len(world.rows(t.outbox, t.outbox.c.kind == "purchase_order")) == 1


# rows 11, 12: the supplier accepts or refuses, per line


def test_a_supplier_accepts_and_refuses_per_line(rich: Any) -> None:
    number = rich.placed(rich.need(rich.slots[0]), rich.need(rich.hopper))
    answers = {1: Answer(accepted=True), 2: Answer(accepted=False, reason="sold out")}
    for _ in range(2):
        rich.orders.acknowledge(rich.scope, number, answers, **who(rich))
    assert rich.states() == ([S.ACKNOWLEDGED], [N.OPEN, N.FAILED])
    assert rich.last_need_fact().reason == "sold out"
    assert money(rich) == (Decimal("54.90"), 0)
    assert rich.cover(rich.beans) == (0, 0)
    rich.apply(rich.need(rich.hopper, attempt=2))
    assert rich.states()[1] == [N.OPEN, N.FAILED, N.OPEN]


def test_an_order_of_which_every_line_is_refused_failed(world: Any) -> None:
    number = world.placed()
    world.orders.acknowledge(world.scope, number, {1: Answer(accepted=False)}, **who(world))
    assert world.states() == ([S.FAILED], [N.FAILED])


def test_a_dead_letter_that_was_surely_not_sent_fails(world: Any) -> None:
    number = world.placed()
    for _ in range(2):
        world.orders.never_sent(world.scope, number, reason="no route to host", **who(world))
    assert world.states() == ([S.FAILED], [N.FAILED])


# row 13: silent


def test_a_silent_supplier_is_a_task_until_it_answers(world: Any) -> None:
    number = world.placed()
    world.apply(after=DAY)
    assert world.states() == ([S.PLACED], [N.OPEN])
    assert tasks(world) == ["supplier_silent"]
    world.orders.acknowledge(world.scope, number, {1: Answer(accepted=True)}, **who(world))
    assert tasks(world) == []


# row 14: cancel asked


def ask_to_cancel(world: Any) -> int:
    number = world.placed()
    for _ in range(2):
        assert world.orders.cancel(world.scope, world.last(t.order).id, **who(world)) is S.CANCEL_REQUESTED
    assert world.states() == ([S.CANCEL_REQUESTED], [N.OPEN])
    assert tasks(world) == ["cancel_requested"]
    return int(number)


def test_the_suppliers_yes_cancels(rich: Any) -> None:
    number = ask_to_cancel(rich)
    for _ in range(2):
        rich.orders.answer_cancel(rich.scope, number, granted=True, **who(rich))
    assert rich.states() == ([S.CANCELLED], [N.REFUSED])
    assert money(rich) == (0, 0)
    assert tasks(rich) == []


def test_the_suppliers_no_leads_back(world: Any) -> None:
    number = ask_to_cancel(world)
    world.orders.acknowledge(world.scope, number, {1: Answer(accepted=True)}, **who(world))
    assert world.states()[0] == [S.CANCEL_REQUESTED]
    world.orders.answer_cancel(world.scope, number, granted=False, **who(world))
    assert world.states() == ([S.ACKNOWLEDGED], [N.OPEN])


def test_goods_that_were_shipped_all_the_same_are_an_answer(world: Any) -> None:
    number = ask_to_cancel(world)
    world.orders.ship(world.scope, number, {1: 1}, **who(world))
    assert world.states() == ([S.SHIPPED], [N.OPEN])
    assert tasks(world) == []


def test_what_is_shipped_cannot_be_cancelled_or_refused(world: Any) -> None:
    number = world.placed()
    world.orders.ship(world.scope, number, {1: 1}, **who(world))
    with pytest.raises(NotAllowed, match="is shipped cannot be cancel_asked"):
        world.orders.cancel(world.scope, world.last(t.order).id, **who(world))
    with pytest.raises(NotAllowed, match="is shipped cannot be refused"):
        world.orders.acknowledge(world.scope, number, {1: Answer(accepted=False)}, **who(world))
    assert world.states() == ([S.SHIPPED], [N.OPEN])


# rows 15, 16: ships and delivers quantities


def test_part_shipments_and_part_deliveries(rich: Any) -> None:
    number = rich.placed(rich.need(rich.slots[0], deadline=9), rich.need(rich.slots[1], deadline=5))
    rich.orders.ship(rich.scope, number, {1: 1}, key="a", **who(rich))
    rich.orders.ship(rich.scope, number, {1: 1}, key="a", **who(rich))
    assert rich.states()[0] == [S.PART_SHIPPED]
    rich.orders.ship(rich.scope, number, {1: 1}, key="b", **who(rich))
    assert rich.states()[0] == [S.SHIPPED]
    rich.orders.deliver(rich.scope, number, {1: 1}, key="c", **who(rich))
    rich.orders.deliver(rich.scope, number, {1: 1}, key="c", **who(rich))
    assert rich.states() == ([S.PART_DELIVERED], [N.OPEN, N.MET])
    assert rich.cover() == (1, 1)
    assert money(rich) == (Decimal("54.90"), Decimal("54.90"))
    rich.orders.deliver(rich.scope, number, {1: 1}, key="d", **who(rich))
    assert rich.states() == ([S.DELIVERED], [N.MET, N.MET])
    assert rich.cover() == (2, 0)
    assert money(rich) == (0, Decimal("109.80"))
    rich.apply(after=30 * DAY)
    assert tasks(rich) == []


def test_more_than_ordered_is_on_the_shelf_and_owed(rich: Any) -> None:
    number = rich.placed()
    rich.orders.deliver(rich.scope, number, {1: 3}, **who(rich))
    assert rich.states() == ([S.DELIVERED], [N.MET])
    assert rich.cover() == (3, 0)
    assert money(rich) == (0, Decimal("164.70"))


def test_goods_that_come_after_a_cancellation_are_on_the_shelf(world: Any) -> None:
    number = ask_to_cancel(world)
    world.orders.answer_cancel(world.scope, number, granted=True, **who(world))
    world.orders.deliver(world.scope, number, {1: 1}, **who(world))
    assert world.states() == ([S.DELIVERED], [N.REFUSED])
    assert world.cover() == (1, 0)


# row 17: overdue, lost


def test_late_goods_are_overdue_and_then_lost(rich: Any) -> None:
    rich.placed()
    rich.apply(after=DAY)
    rich.apply(after=4 * DAY)
    row = rich.last(t.order)
    assert (row.state, row.overdue) == (S.PLACED, True)
    assert tasks(rich) == ["supplier_silent", "overdue"]
    for _ in range(2):
        rich.orders.lost(rich.scope, row.id, reason="never came", **who(rich))
    assert rich.states() == ([S.FAILED], [N.FAILED])
    assert rich.cover() == (0, 0)
    assert money(rich) == (0, 0)
    assert tasks(rich) == []


def test_the_lost_rest_of_a_part_delivery_fails_its_needs_only(world: Any) -> None:
    number = world.placed(world.need(world.slots[0]), world.need(world.slots[1]))
    world.orders.deliver(world.scope, number, {1: 1}, **who(world))
    world.orders.lost(world.scope, world.last(t.order).id, **who(world))
    assert world.states() == ([S.DELIVERED], [N.MET, N.FAILED])


def test_an_order_that_was_not_placed_cannot_be_lost(world: Any) -> None:
    number = world.proposed()
    with pytest.raises(NotAllowed, match="is proposed cannot be lost"):
        world.orders.lost(world.scope, number, **who(world))


# and nobody sees another account's


def test_every_verb_hides_other_accounts(world: Any) -> None:
    number = world.placed()
    order, need = world.last(t.order).id, world.last(t.need).id
    other, args = Scope.of(world.account + 1), who(world)
    for call in (
        lambda: world.orders.approve(other, order, **args),
        lambda: world.orders.reject(other, order, reason="x", **args),
        lambda: world.orders.cancel(other, order, **args),
        lambda: world.orders.lost(other, order, **args),
        lambda: world.orders.release(other, need, **args),
        lambda: world.orders.acknowledge(other, number, {1: Answer(accepted=True)}, **args),
        lambda: world.orders.ship(other, number, {1: 1}, **args),
        lambda: world.orders.deliver(other, number, {1: 1}, **args),
        lambda: world.orders.deliver(Scope.all(), number, {1: 1}, supplier_id=world.dear, **args),
    ):
        with pytest.raises(NotFound):
            call()
    assert world.states() == ([S.PLACED], [N.OPEN])


def test_what_a_person_does_is_audited_and_what_the_clock_does_is_not(awaiting: tuple[Any, int]) -> None:
    world, number = awaiting
    assert not world.rows(t.audit)
    for _ in range(2):
        world.orders.reject(world.scope, number, reason="too dear", **who(world))
    world.orders.release(world.scope, world.last(t.need).id, **who(world))
    rejected, released = world.rows(t.audit)
    assert (rejected.by, rejected.action, rejected.subject) == ("anna", "order.rejected", f"order/{number}")
    assert (rejected.before, rejected.after) == ({"state": "awaiting"}, {"state": "rejected", "text": "too dear"})
    assert (released.action, released.account_id) == ("need.released", world.account)
