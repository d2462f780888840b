"""A surge is held for a person: more needs in a day than the slots' use explains."""

from typing import Any

import pytest
from sqlalchemy import select

from ledger import tables as t
from ledger.orders import surge
from models.orders import OrderState
from models.units import DAY, HOUR

S = OrderState


@pytest.fixture
def few(world: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """As if two needs in a day were many; of the three slots each loses 10 % a day: 0.3 needs are expected."""
    monkeypatch.setattr(surge, "LEAST", 2)
    show(world, 10.0)
    return world


def show(world: Any, rate: float) -> None:
    with world.ledger.write() as tx:
        tx.execute(t.slot_view.delete())
        for number in world.slots:
            columns = {c.name: 0 for c in t.slot_view.c if not c.nullable and c.server_default is None}
            columns |= {"slot_id": number, "account_id": world.account, "site_id": world.site, "quantiles": []}
            tx.execute(t.slot_view.insert().values(columns | {"status": "fine", "rate": rate}))


def three(world: Any) -> list[str]:
    """A need of each slot; the states of the orders when their window has closed."""
    world.apply(*(world.need(slot=number) for number in world.slots))
    world.apply(after=2 * HOUR)
    return world.states()[0]


def reasons(world: Any) -> str:
    return " ".join(row.reason for row in world.rows(t.order))


def test_more_than_the_use_explains_waits_for_a_person(few: Any) -> None:
    assert set(three(few)) == {S.AWAITING}
    assert "a surge: 3 needs in a day where 0.3 are expected (more than 5 times)" in reasons(few)
    with few.ledger.read() as tx:
        assert "approval" in tx.scalars(select(t.task.c.kind)).all()


def test_what_the_use_explains_goes_by_itself(few: Any) -> None:
    show(few, 25.0)  # 0.75 a day, and 3 are not more than 5 x 0.75
    assert S.AWAITING not in three(few)


def test_a_few_needs_are_never_a_surge(world: Any) -> None:
    show(world, 0.0)
    assert S.AWAITING not in three(world)


@pytest.mark.parametrize(("factor", "held"), [(0.0, False), (20.0, False), (2.0, True)])
def test_an_account_has_its_own_factor(few: Any, factor: float, held: bool) -> None:
    few.change(t.account, surge_factor=factor)
    assert (S.AWAITING in three(few)) is held


def test_needs_of_the_day_before_do_not_count(few: Any) -> None:
    few.apply(few.need(slot=few.slots[0]))
    few.apply(after=2 * HOUR)
    with few.ledger.write() as tx:
        tx.execute(t.need.update().values(opened=few.now - DAY))
    few.apply(*(few.need(slot=number) for number in few.slots[1:]))
    few.apply(after=2 * HOUR)
    assert S.AWAITING not in few.states()[0]
