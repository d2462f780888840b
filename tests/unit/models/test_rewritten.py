"""What plain Python runs instead of a function's own code takes fewer calls and gives the same bits."""

from collections.abc import Callable
from importlib import import_module
from math import nan
from pkgutil import walk_packages
from struct import pack
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import models
from models.layout import DEVICE, SLOT
from models.plain import seen
from models.rewritten import FIELDS, rewritten
from streams.worker import series_sink

f64, i64 = float, int
COUNT_ROW = "first"  # a row in models, a level in the series, where it is only written


def names(function: Callable[..., Any]) -> set[str]:
    return set(function.__code__.co_names)


def clamp(x: float, y: float, z: float) -> float:
    return min(max(x, y), z - 1.0)


@given(*[st.floats() | st.sampled_from([nan, 0.0, -0.0])] * 3)
def test_it_chooses_as_min_and_max_do(x, y, z):
    lighter = rewritten(clamp)
    assert names(lighter).isdisjoint({"min", "max"})
    assert pack("d", lighter(x, y, z)) == pack("d", clamp(x, y, z))


def test_an_argument_is_calculated_once_and_in_its_turn():
    asked: list[float] = []

    def tell(x: float) -> float:
        asked.append(x)
        return x

    def least() -> float:
        return min(tell(2.0), max(tell(3.0), tell(1.0)))

    assert rewritten(least)() == 2.0
    assert asked == [2.0, 3.0, 1.0]


def test_more_than_two_and_keywords_stay():
    def least(x: list[int]) -> int:
        return min(x, default=7) + min(1, 2, 3) + min(x)

    assert rewritten(least)([4]) == least([4]) == 9


def test_a_field_is_read_as_what_it_is():
    def read(slot: Any, device: Any) -> tuple[float, int, int]:
        return f64(slot.rate), i64(slot.flags), i64(device.boot[1])

    slots, devices = np.zeros(1, SLOT), np.zeros(1, DEVICE)
    slots["rate"], slots["flags"], devices["boot"] = 0.1, 5, 2**62
    lighter = rewritten(read)
    assert names(lighter).isdisjoint({"f64", "i64"})
    assert lighter(seen(slots)[0], seen(devices)[0]) == read(seen(slots)[0], seen(devices)[0])


def test_what_changes_a_number_stays():
    def cut(slot: Any) -> int:
        return i64(slot.rate)

    def turned(slot: Any) -> float:
        return f64(slot.flags)

    slots = np.zeros(1, SLOT)
    slots["rate"], slots["flags"] = 2.75, 3
    assert [type(rewritten(f)(seen(slots)[0])) for f in (cut, turned)] == [int, float]
    assert rewritten(cut)(seen(slots)[0]) == 2


def test_what_no_table_proves_stays():
    def of_an_array(array: Any, x: float) -> int:
        return i64(array[0]) + i64(x) + i64(array.unheard_of)

    def ambiguous(counter: Any) -> int:  # a measure's value is a float
        return i64(counter.value)

    assert "i64" in names(rewritten(of_an_array))
    assert "i64" in names(rewritten(ambiguous))


def modules() -> list[ModuleType]:
    return [series_sink, *(import_module(m.name) for m in walk_packages(models.__path__, "models."))]


def test_no_table_elsewhere_disagrees():
    """A field is known by its name: one of the same name must be of the same kind."""
    kinds = {float: "f", int: "iu"}
    tables = [table for module in modules() for table in vars(module).values() if isinstance(table, np.dtype)]
    fields = [(name, field[0]) for table in tables for name, field in (table.fields or {}).items()]
    assert len(fields) > 200
    wrong = {
        name
        for name, dtype in fields
        for read in [FIELDS.get((name, dtype.shape != ()), set())]
        if len(read) == 1 and dtype.base.kind not in kinds[next(iter(read))]
    }
    assert wrong <= {COUNT_ROW}


def test_it_stands_where_the_function_stood():
    """Its name, its defaults, what it captured, and the line of an error."""
    step = 2

    def divided(x: int, by: int = 0) -> float:
        """What it says of itself."""
        return max(x + step, 1) / by

    lighter = rewritten(divided)
    assert (lighter.__qualname__, lighter.__doc__) == (divided.__qualname__, divided.__doc__)
    assert lighter(2, 4) == 1.0
    with pytest.raises(ZeroDivisionError) as error:
        lighter(2)
    assert error.traceback[-1].lineno + 1 == divided.__code__.co_firstlineno + 2
    assert str(error.traceback[-1].path) == __file__


def test_without_source_it_stays_as_it_is():
    space: dict[str, Any] = {}
    exec("def least(x, y):\n return min(x, y)", space)  # noqa: S102  the source is ours
    assert rewritten(space["least"]) is space["least"]
