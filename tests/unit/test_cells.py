"""Cells of tables: what a spreadsheet may calculate, and what it may not."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cells import FORMULA, cell
from ullage.export.write import write_table


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("a=b", "a=b"),
        ("", ""),
        (None, ""),
        (-1, -1),
        (0.25, 0.25),
        (True, "true"),
        ({"a": [1, None]}, '{"a":[1,null]}'),
    ],
)
def test_a_text_never_becomes_a_formula(value: object, shown: object) -> None:
    assert cell(value) == shown


@given(st.lists(st.fixed_dictionaries({"name": st.text(), "count": st.integers()}), min_size=1, max_size=5))
def test_no_cell_of_a_table_begins_like_a_formula_but_numbers(rows: list[dict[str, object]]) -> None:
    out = io.StringIO(newline="")
    assert write_table(lambda: iter(rows), out) == len(rows)
    read = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    name, count = read[0].index("name"), read[0].index("count")
    for line, row in zip(read[1:], rows, strict=True):
        assert line[name][:1] not in FORMULA
        assert line[name].removeprefix("'") == str(row["name"]).removeprefix("'")
        assert int(line[count]) == row["count"]


def test_columns_that_come_later_are_there_too() -> None:
    out = io.StringIO(newline="")
    write_table(lambda: iter([{"a": 1}, {"b": "x"}]), out)
    assert out.getvalue() == "a,b\r\n1,\r\n,x\r\n"
