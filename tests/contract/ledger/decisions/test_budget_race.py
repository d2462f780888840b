"""Two processes that reserve one budget never overspend it."""

import multiprocessing as mp
from decimal import Decimal
from typing import Any

from ledger import budget
from ledger import tables as t
from ledger.engine import open_ledger

MONTH = "2025-10"


def spender(url: str, budget_id: int, amounts: list[str], results: Any) -> None:
    ledger = open_ledger(url)
    taken = Decimal(0)
    for amount in amounts:
        with ledger.write() as tx:
            if budget.reserve(tx, budget_id, Decimal(amount)):
                taken += Decimal(amount)
    ledger.close()
    results.put(taken)


def test_two_processes_never_overspend(world: Any, url: str) -> None:
    amount = "133.37"
    world.change(t.account, monthly_budget=Decimal(amount))
    with world.ledger.write() as tx:
        kept = budget.standing(tx, world.account, MONTH)
    assert kept is not None
    context = mp.get_context("spawn")
    results = context.Queue()
    prices = ["0.01", "7.77", "13.40", "25.00", "0.03", "3.33"] * 8
    spenders = [context.Process(target=spender, args=(url, kept.id, prices[i:], results)) for i in range(2)]
    for process in spenders:
        process.start()
    taken = [results.get(timeout=60) for _ in spenders]
    for process in spenders:
        process.join()
    row = world.last(t.budget)
    assert row.reserved == sum(taken) <= Decimal(amount)
    assert row.amount - row.reserved < Decimal("7.77"), "what was refused did not fit"
    assert min(taken) >= 0


def test_what_is_given_back_can_be_taken_again(world: Any) -> None:
    world.change(t.account, monthly_budget=Decimal(10))
    with world.ledger.write() as tx:
        kept = budget.standing(tx, world.account, MONTH)
        assert kept is not None
        assert budget.reserve(tx, kept.id, Decimal(10))
        assert not budget.reserve(tx, kept.id, Decimal("0.0001"))
        assert budget.reserve(tx, kept.id, Decimal(-4))
        assert budget.reserve(tx, kept.id, Decimal(4))
        budget.spend(tx, kept.id, Decimal(3), Decimal(5))
    row = world.last(t.budget)
    assert (row.reserved, row.spent) == (7, 5)


def test_an_account_without_a_budget_keeps_none(world: Any) -> None:
    with world.ledger.write() as tx:
        assert budget.standing(tx, world.account, MONTH) is None


def test_a_budget_frees_the_next_order_that_waits(world: Any) -> None:
    world.change(t.account, monthly_budget=Decimal(60))
    first = world.proposed(world.need(world.slots[0]))
    world.apply(after=1)
    world.apply(world.need(world.slots[1]))
    assert [row.reserved for row in world.rows(t.order_line)] == [Decimal("54.90")]
    world.orders.cancel(world.scope, first, by="anna", now=world.now)
    world.apply(world.need(world.slots[2]))
    assert [row.reserved for row in world.rows(t.order_line)] == [0, Decimal("54.90")]
