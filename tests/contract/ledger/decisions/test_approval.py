"""Who may approve what: limits of people and roles, deputies, escalation, budgets of cost centres."""

import multiprocessing as mp
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from ledger import budget, delegation, limits, people, purchasing
from ledger import tables as t
from ledger.engine import open_ledger
from ledger.grants import OWNER
from ledger.limits import AUTOMATIC
from ledger.orders import Orders
from ledger.orders.carried import Decided
from ledger.registry.common import Invalid
from ledger.roles import Role
from ledger.scope import NotFound, Scope
from models.units import DAY, HOUR

TOTAL = Decimal("54.90")  # of one toner


def person(world: Any, name: str, role: Role = Role.APPROVER) -> int:
    with world.ledger.write() as tx:
        return people.create(tx, OWNER, name, role, world.now, accounts=[world.account]).id


def limit(world: Any, subject: str, **more: Any) -> None:
    with world.ledger.write() as tx:
        limits.put(tx, world.scope, world.account, subject, **more)


def row(world: Any, number: int) -> Any:
    return world.last(t.order, t.order.c.id == number)


def waiting(world: Any, *slots: int) -> list[int]:
    """Orders that a person must approve, one per slot."""
    world.change(t.account, mode=2)
    found = []
    for slot in slots:
        found.append(world.proposed(world.need(world.slots[slot])))
        world.apply(after=2 * HOUR)
    assert {row(world, number).state for number in found} == {"awaiting"}
    return found


def approve(world: Any, number: int, who: int) -> str:
    return str(world.orders.approve(world.scope, number, by="x", now=world.now, person_id=who).code)


def test_a_person_approves_up_to_a_limit(world: Any) -> None:
    ann, bea = person(world, "Ann"), person(world, "Bea")
    limit(world, f"person/{ann}", per_order=TOTAL - Decimal("0.01"))
    (number,) = waiting(world, 0)
    outcome = world.orders.approve(world.scope, number, by="x", now=world.now, person_id=ann)
    assert outcome.code == "over_limit"
    assert "above the limit per order of 54.89 EUR" in outcome.text
    assert row(world, number).state == "awaiting"
    assert approve(world, number, bea) == "approved"
    assert row(world, number).approved_by == "Bea"
    assert world.rows(t.approval)[-1].limit_of == bea


def test_the_limit_of_a_role_counts_for_who_has_none(world: Any) -> None:
    ann, bea = person(world, "Ann"), person(world, "Bea")
    limit(world, "role/approver", per_order=Decimal(10))
    limit(world, f"person/{bea}", per_order=Decimal(100))
    (number,) = waiting(world, 0)
    assert approve(world, number, ann) == "over_limit"
    assert approve(world, number, bea) == "approved"


def test_a_span_bounds_what_a_person_approves_together(world: Any) -> None:
    ann = person(world, "Ann")
    limit(world, f"person/{ann}", per_span=TOTAL, span_ms=30 * DAY)
    first, second = waiting(world, 0, 1)
    assert approve(world, first, ann) == "approved"
    assert approve(world, second, ann) == "over_limit"
    world.orders.lost(world.scope, first, by="x", now=world.now)  # came to nothing: it is not spent
    assert approve(world, second, ann) == "approved"


def test_a_span_ends(world: Any) -> None:
    ann = person(world, "Ann")
    limit(world, f"person/{ann}", per_span=TOTAL, span_ms=DAY)
    first, second = waiting(world, 0, 1)
    assert approve(world, first, ann) == "approved"
    world.now += DAY - 1
    assert approve(world, second, ann) == "over_limit"
    world.now += 1
    assert approve(world, second, ann) == "approved"


def test_automatic_orders_have_limits_by_span_and_cost_centre(world: Any) -> None:
    limit(world, AUTOMATIC, per_span=TOTAL, span_ms=30 * DAY)
    limit(world, AUTOMATIC, cost_centre="lab", per_order=Decimal(1))
    first = world.proposed(world.need(world.slots[0]))
    world.apply(after=2 * HOUR)
    second = world.proposed(world.need(world.slots[1]))
    world.apply(after=2 * HOUR)
    assert [row(world, n).state for n in (first, second)] == ["placed", "awaiting"]
    assert "in 30 days for automatic orders" in row(world, second).reason
    world.change(t.site, cost_centre="lab")
    third = world.proposed(world.need(world.slots[2]))
    world.apply(after=2 * HOUR)
    assert "limit per order of 1.00 EUR" in row(world, third).reason


def test_who_has_limits_for_some_cost_centres_approves_only_these(world: Any) -> None:
    ann = person(world, "Ann")
    limit(world, f"person/{ann}", cost_centre="lab", per_order=Decimal(100))
    (number,) = waiting(world, 0)
    assert approve(world, number, ann) == "over_limit"
    world.orders.carry(world.scope, number, by="Ann", now=world.now, cost_centre="lab")
    assert approve(world, number, ann) == "approved"


def test_a_deputy_approves_in_the_others_name_and_within_their_limits(world: Any) -> None:
    ann, bea = person(world, "Ann"), person(world, "Bea")
    limit(world, f"person/{ann}", per_span=TOTAL, span_ms=30 * DAY)
    limit(world, f"person/{bea}", per_order=Decimal(1))
    first, second = waiting(world, 0, 1)
    with world.ledger.write() as tx:
        delegation.delegate(tx, world.scope, ann, bea, world.now + HOUR, world.now + DAY)
    assert approve(world, first, bea) == "over_limit"  # not yet
    world.now += HOUR
    assert approve(world, first, bea) == "approved"
    assert (row(world, first).approved_by, world.rows(t.approval)[-1].limit_of) == ("Bea for Ann", ann)
    assert approve(world, second, ann) == "over_limit"  # it was Ann's limit
    assert approve(world, second, bea) == "over_limit"


def test_a_delegation_ends_with_its_time_and_with_its_person(world: Any) -> None:
    ann, bea = person(world, "Ann"), person(world, "Bea")
    limit(world, f"person/{bea}", per_order=Decimal(1))
    (number,) = waiting(world, 0)
    with world.ledger.write() as tx:
        delegation.delegate(tx, world.scope, ann, bea, world.now, world.now + HOUR)
        people.end(tx, OWNER, ann, world.now)
    assert approve(world, number, bea) == "over_limit"


def test_only_people_who_approve_are_delegated_to(world: Any) -> None:
    ann, bea = person(world, "Ann"), person(world, "Bea", Role.BUYER)
    with world.ledger.write() as tx:
        with pytest.raises(Invalid, match="Bea does not approve"):
            delegation.delegate(tx, world.scope, ann, bea, 1, 2)
        with pytest.raises(Invalid, match="somebody else"):
            delegation.delegate(tx, world.scope, ann, ann, 1, 2)
        with pytest.raises(NotFound):
            delegation.delegate(tx, Scope.of(4711), ann, bea, 1, 2)


def test_after_the_escalation_one_person_approves_whatever_the_limits_say(world: Any) -> None:
    ann, bea = person(world, "Ann"), person(world, "Bea")
    limit(world, "role/approver", per_order=Decimal(1))
    with world.ledger.write() as tx:
        purchasing.set_account(tx, world.scope, world.account, escalate_to=bea)
    (number,) = waiting(world, 0)
    assert approve(world, number, bea) == "over_limit"
    world.apply(after=4 * DAY)
    assert [(one.decision, one.reason) for one in world.rows(t.approval)] == [
        ("escalated", "nobody approved in time: Bea is asked")
    ]
    assert approve(world, number, ann) == "over_limit"
    assert approve(world, number, bea) == "approved"


def test_an_order_carries_what_its_site_or_account_says(world: Any) -> None:
    world.change(t.account, cost_centre="all", blanket_order="BPO-7")
    world.change(t.site, cost_centre="lab")
    (number,) = waiting(world, 0)
    found = row(world, number)
    assert (found.cost_centre, found.blanket_order, found.reference) == ("lab", "BPO-7", "")
    world.orders.carry(world.scope, number, by="Ann", now=world.now, reference="R-1", blanket_order="")
    found = row(world, number)
    assert (found.cost_centre, found.blanket_order, found.reference) == ("lab", "", "R-1")
    approve(world, number, person(world, "Ann"))
    with pytest.raises(Decided):
        world.orders.carry(world.scope, number, by="Ann", now=world.now, reference="R-2")
    (other,) = waiting(world, 1)
    with pytest.raises(Invalid, match="printable"):
        world.orders.carry(world.scope, other, by="Ann", now=world.now, reference="a\nb")


def test_another_cost_centre_takes_the_money_from_another_budget(world: Any) -> None:
    world.change(t.account, monthly_budget=Decimal(1000))
    with world.ledger.write() as tx:
        budget.set_monthly(tx, world.account, "lab", Decimal(60))
    (number,) = waiting(world, 0)
    reserved = {one.cost_centre: one.reserved for one in world.rows(t.budget)}
    assert reserved == {"": TOTAL}
    world.orders.carry(world.scope, number, by="Ann", now=world.now, cost_centre="lab")
    reserved = {one.cost_centre: one.reserved for one in world.rows(t.budget)}
    assert reserved == {"": 0, "lab": TOTAL}
    world.orders.cancel(world.scope, number, by="Ann", now=world.now)
    assert {one.reserved for one in world.rows(t.budget)} == {0}


def test_a_budget_that_comes_later_takes_what_was_reserved_elsewhere(world: Any) -> None:
    world.change(t.account, monthly_budget=Decimal(1000), cost_centre="lab")
    (number,) = waiting(world, 0)
    with world.ledger.write() as tx:
        budget.set_monthly(tx, world.account, "lab", Decimal(60))
    assert approve(world, number, person(world, "Ann")) == "approved"
    assert {one.cost_centre: one.reserved for one in world.rows(t.budget)} == {"": 0, "lab": TOTAL}


def test_a_budget_that_shrinks_is_seen_at_approval(world: Any) -> None:
    world.change(t.account, monthly_budget=Decimal(1000), cost_centre="lab")
    with world.ledger.write() as tx:
        budget.set_monthly(tx, world.account, "lab", Decimal(10))
    (number,) = waiting(world, 0)
    ann = person(world, "Ann")
    assert approve(world, number, ann) == "over_budget"
    with world.ledger.write() as tx:
        budget.set_amount(tx, world.account, budget.month_of(row(world, number).created), "lab", Decimal(60))
    assert approve(world, number, ann) == "approved"


def _spend(url: str, account: int, numbers: Sequence[int], who: int, now: int, results: Any) -> None:
    ledger = open_ledger(url)
    orders = Orders(ledger)
    results.put([orders.approve(Scope.of(account), n, by="x", now=now, person_id=who).code for n in numbers])
    ledger.close()


@pytest.mark.parametrize(("packs", "spanned", "seed"), [(2, 5, 1), (5, 2, 2), (6, 6, 3), (0, 3, 4)])
def test_processes_that_approve_at_once_never_spend_the_same_money(
    world: Any, url: str, packs: int, spanned: int, seed: int
) -> None:
    """Several processes, one ledger: neither the budget nor the span of a person is ever exceeded, and none is left."""
    kept, span, chance = packs * TOTAL, spanned * TOTAL, random.Random(seed)
    ann = person(world, "Ann")
    limit(world, f"person/{ann}", per_span=span, span_ms=DAY)
    numbers = _many(world, 6, kept)
    context = mp.get_context("spawn")
    results = context.Queue()
    orders = [chance.sample(numbers, len(numbers)) for _ in range(3)]
    processes = [
        context.Process(target=_spend, args=(url, world.account, each, ann, world.now, results)) for each in orders
    ]
    for process in processes:
        process.start()
    codes = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    approved = [one for one in world.rows(t.order) if one.id in numbers and one.state == "placed"]
    spent = sum((one.total for one in approved), Decimal(0))
    assert spent == min(kept, span), codes
    held = world.last(t.budget, t.budget.c.id == world.budget).reserved
    assert spent <= held <= kept  # those that still wait hold what is left
    decided = world.rows(t.approval, t.approval.c.order_id.in_(numbers))
    assert [one.decision for one in decided] == ["approved"] * len(approved)


def _many(world: Any, count: int, kept: Decimal) -> list[int]:
    """Copies of an order that waits, with a budget of their own from which nothing is reserved yet."""
    number = world.proposed()
    centre = f"centre {len(world.rows(t.budget))}"
    with world.ledger.write() as tx:
        budget.set_monthly(tx, world.account, centre, kept)
        created = row(world, number).created
        world.budget = budget.set_amount(tx, world.account, budget.month_of(created), centre, kept).id
        order = dict(row(world, number)._mapping) | {"state": "awaiting", "cost_centre": centre, "total": TOTAL}
        line = dict(next(one for one in world.rows(t.order_line) if one.order_id == number)._mapping)
        del order["id"], line["id"]
        numbers = []
        for _ in range(count):
            numbers.append(tx.execute(t.order.insert().values(order).returning(t.order.c.id)).scalar_one())
            tx.execute(
                t.order_line.insert().values(
                    line | {"order_id": numbers[-1], "reserved": Decimal(0), "budget_id": None}
                )
            )
    return numbers
