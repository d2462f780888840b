"""Which ordering mode counts, over every pair of places."""

from itertools import product

import pytest

from ledger.mode import effective, said
from models.facts import Mode

OFF, OBSERVE, ASK, AUTO = Mode


@pytest.mark.parametrize(("one", "other"), list(product(Mode, Mode)))
def test_the_least_counts(one: Mode, other: Mode) -> None:
    assert effective([(one, False), (other, False)]) is min(one, other)


@pytest.mark.parametrize(("mode", "counts"), [(OFF, OFF), (OBSERVE, OBSERVE), (ASK, OBSERVE), (AUTO, OBSERVE)])
def test_a_pause_anywhere_observes_at_most(mode: Mode, counts: Mode) -> None:
    assert effective([(mode, False), (AUTO, True)]) is counts


def test_what_was_not_set_hinders_nothing() -> None:
    assert said((None, None)) is AUTO
    assert effective([(ASK, False), (None, None)]) is ASK
