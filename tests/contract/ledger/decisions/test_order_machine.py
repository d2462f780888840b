"""Random lives of orders, with repeated calls and crashes: the books always balance, and `step` is told all of it."""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ledger import books
from ledger import tables as t
from ledger.engine import open_ledger
from ledger.orders import Answer
from ledger.orders.release import NotRefused
from models.effects import Counted, NeedUnnecessary, RefillKind, RefillSeen
from models.facts import NeedFact, NeedState, StockFact
from models.orders import ImplausibleQuantity, NotAllowed
from models.stores import Fenced
from models.units import DAY, HOUR, MINUTE

EXAMPLES = int(os.environ.get("ORDER_MACHINE_EXAMPLES", "6"))
"""A long run: 200."""

numbers = st.integers(0, 9)
slots = st.integers(0, 3)
few = st.integers(1, 3)


class Lives(RuleBasedStateMachine):
    new_file: Callable[[], Path]
    new_world: Callable[..., Any]

    @initialize(hold=st.sampled_from([0, DAY]), mode=st.sampled_from([2, 3]), budget=st.sampled_from([None, 150, 900]))
    def begin(self, hold: int, mode: int, budget: int | None) -> None:
        self.path = type(self).new_file()
        self.world = type(self).new_world(open_ledger(f"sqlite:///{self.path}"))
        amount = None if budget is None else Decimal(budget)
        self.world.change(t.account, hold_ms=hold, mode=mode, monthly_budget=amount)

    def slot(self, n: int) -> int:
        return int([*self.world.slots, self.world.hopper][n])

    def pick(self, table: Any, n: int) -> int | None:
        rows = self.world.rows(table)
        return None if not rows else int(rows[n % len(rows)].id)

    @property
    def args(self) -> dict[str, Any]:
        return {"by": "anna", "now": self.world.now}

    @rule(wanted=st.lists(st.tuples(slots, few, few), min_size=1, max_size=3), urgent=st.booleans())
    def needs(self, wanted: list[tuple[int, int, int]], urgent: bool) -> None:
        made = [self.world.need(self.slot(n), cycle, attempt, urgent=urgent) for n, cycle, attempt in wanted]
        self.world.apply(*made)
        before = self.counts()
        self.world.decisions.apply(self.world.partition, self.world.epoch, self.world.offset, self.world.now, made)
        assert self.counts() == before

    def counts(self) -> list[int]:
        return [len(self.world.rows(table)) for table in (t.need, t.order, t.order_line, t.event, t.outbox)]

    @rule(n=slots, cycle=few, attempt=few)
    def unnecessary(self, n: int, cycle: int, attempt: int) -> None:
        self.world.apply(NeedUnnecessary(self.slot(n), cycle, attempt, "refilled"))

    @rule(n=slots, cycle=few, units=st.sampled_from([0.0, 0.5, 1.0]))
    def refill(self, n: int, cycle: int, units: float) -> None:
        seen = RefillSeen(self.slot(n), cycle, RefillKind.NEW, self.world.now, 1, 1, 2.0, 99.0, units, 0, "it rose")
        self.world.apply(seen)

    @rule(units=st.integers(0, 4), n=numbers)
    def count(self, units: int, n: int) -> None:
        self.world.apply(Counted(f"c{n}", self.world.site, self.world.toner, float(units), "anna"))

    @rule(after=st.sampled_from([MINUTE, HOUR, DAY, 4 * DAY]))
    def tick(self, after: int) -> None:
        self.world.apply(after=after)

    @rule(n=numbers, verb=st.sampled_from(["approve", "reject", "cancel", "lost"]))
    def person(self, n: int, verb: str) -> None:
        number = self.pick(t.order, n)
        if number is not None:
            reason = {"reason": "because"} if verb == "reject" else {}
            for _ in range(2):
                with suppress(NotAllowed):
                    getattr(self.world.orders, verb)(self.world.scope, number, **reason, **self.args)

    @rule(n=numbers)
    def release(self, n: int) -> None:
        number = self.pick(t.need, n)
        if number is not None:
            with suppress(NotRefused):
                self.world.orders.release(self.world.scope, number, **self.args)

    @rule(n=numbers, line=st.integers(1, 2), accepted=st.booleans())
    def acknowledge(self, n: int, line: int, accepted: bool) -> None:
        self.supplier(n, "acknowledge", line, {line: Answer(accepted)})

    @rule(
        n=numbers,
        line=st.integers(1, 2),
        packs=few,
        verb=st.sampled_from(["ship", "deliver"]),
        key=st.text("ab", max_size=1),
    )
    def goods(self, n: int, line: int, packs: int, verb: str, key: str) -> None:
        self.supplier(n, verb, line, {line: packs}, key=key)

    @rule(n=numbers, granted=st.booleans())
    def answer_cancel(self, n: int, granted: bool) -> None:
        self.supplier(n, "answer_cancel", 1, granted=granted)

    def supplier(self, n: int, verb: str, line: int, *values: Any, **more: Any) -> None:
        number = self.pick(t.purchase_order, n)
        if number is None:
            return
        lines = self.world.rows(t.purchase_order_line, t.purchase_order_line.c.purchase_order_id == number)
        if line in {row.line for row in lines}:
            with suppress(NotAllowed, ImplausibleQuantity):
                getattr(self.world.orders, verb)(self.world.scope, number, *values, **more, **self.args)

    @rule(price=st.sampled_from(["10.00", "54.90", "80"]), paused=st.booleans(), moq=few)
    def catalogue(self, price: str, paused: bool, moq: int) -> None:
        self.world.change(t.offer, price=Decimal(price), moq=moq)
        self.world.change(t.site, paused=paused)

    @rule()
    def crash(self) -> None:
        old = self.world.decisions, self.world.epoch
        self.world.ledger.close()
        self.world.ledger = open_ledger(f"sqlite:///{self.path}")
        before = self.world.offset
        self.world.open()
        assert self.world.offset == before
        with pytest.raises(Fenced):
            old[0].apply(self.world.partition, old[1], before + 1, self.world.now, [])
        old[0]._ledger.close()

    @invariant()
    def the_books_balance(self) -> None:
        with self.world.ledger.read() as tx:
            assert books.check(tx) == []

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.step_knows()
        for _ in range(12):
            self.world.apply(after=5 * DAY)
        self.the_books_balance()
        waiting = {row.state for row in self.world.rows(t.order)} & {"proposed", "approved", "awaiting"}
        assert not waiting, "what the clock moves does not stay for ever"
        self.world.ledger.close()
        self.path.unlink()

    def step_knows(self) -> None:
        """Facts say what the ledger has: cover of every shelf, the end of every need."""
        told = {(f.slot, f.cycle, f.attempt): (f.state, f.released) for f in self.world.facts(NeedFact)}
        for row in self.world.rows(t.need, t.need.c.state != NeedState.OPEN):
            assert told[row.slot_id, row.cycle, row.attempt] == (row.state, row.released)
        newest = {(f.site, f.product): f for f in self.world.facts(StockFact)}
        for row in self.world.rows(t.stock):
            lines = self.world.rows(t.order_line, t.order_line.c.live, t.order_line.c.product_id == row.product_id)
            fact = newest[row.site_id, row.product_id]
            under_way = sum(line.units - line.delivered - line.cancelled for line in lines)
            assert (fact.on_hand, sum(x.units for x in fact.on_order)) == (row.on_hand, pytest.approx(under_way))


def test_the_books_balance_whatever_happens(empty_sqlite: Path, tmp_path: Path, new_world: Callable[..., Any]) -> None:
    made = iter(range(10**6))

    def new_file() -> Path:
        return Path(shutil.copy(empty_sqlite, tmp_path / f"{next(made)}.db"))

    Machine = type("Machine", (Lives,), {"new_file": staticmethod(new_file), "new_world": staticmethod(new_world)})  # noqa: N806 - a class
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
