import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.decide.layout import PLAN
from models.rows import gather, scatter


def _rows(count: int) -> np.ndarray:
    return np.frombuffer(np.random.default_rng(1).bytes(count * PLAN.itemsize), PLAN).copy()


@given(st.lists(st.integers(0, 9)))
def test_gathering_copies_the_rows_that_numpy_would(at: list[int]) -> None:
    rows = _rows(10)
    taken = gather(rows, np.array(at, np.int64))
    assert taken.dtype == PLAN
    assert taken.tobytes() == rows[np.array(at, np.int64)].tobytes()


def test_a_mask_gathers_where_it_is_true() -> None:
    rows = _rows(4)
    mask = np.array([True, False, False, True])
    assert gather(rows, mask).tobytes() == rows[mask].tobytes()


def test_what_was_gathered_is_the_callers_own() -> None:
    rows = _rows(2)
    before = rows.tobytes()
    gather(rows, np.array([0, 1]))["status"] = 9
    assert rows.tobytes() == before


@given(st.lists(st.integers(0, 9), unique=True))
def test_scattering_writes_the_rows_that_numpy_would(at: list[int]) -> None:
    ours, theirs, new = _rows(10), _rows(10), np.zeros(len(at), PLAN)
    scatter(ours, np.array(at, np.int64), new)
    theirs[np.array(at, np.int64)] = new
    assert ours.tobytes() == theirs.tobytes()
