"""Compile where numba is there; run the same functions as plain Python where it is not. Both give the same bits.

Only + - * / sqrt, comparisons and tables in float64 (no fastmath), integers in int64. `f64` and `i64` turn what an
array holds into the number to calculate with: numba keeps float32 as float32 unless told, Python is slow with numpy
scalars.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast
from zlib import crc32

try:
    import numba
    import numpy as np

    COMPILED = not numba.config.DISABLE_JIT
except ImportError:  # the plain Python path: slower, the same results
    COMPILED = False

_F = TypeVar("_F", bound=Callable[..., Any])
_seen = 0

f64: Callable[[Any], float]
i64: Callable[[Any], int]
if COMPILED:
    f64, i64 = cast("Any", np.float64), cast("Any", np.int64)
else:
    f64, i64 = float, int


def _remember(function: Callable[..., Any]) -> None:
    global _seen  # noqa: PLW0603  one sum over all compiled code, made while modules load
    code = function.__code__
    plain = tuple(c for c in code.co_consts if isinstance(c, int | float | str | bool | tuple))
    _seen = crc32(repr((code.co_code, plain, code.co_names)).encode(), _seen)


def jit(function: _F) -> _F:
    """A helper: compiled into whatever calls it."""
    _remember(function)
    return numba.njit(error_model="numpy")(function) if COMPILED else function


def inner(function: _F) -> _F:
    """A helper that only compiled code calls: without the part for calls from Python it compiles faster."""
    _remember(function)
    return numba.njit(no_cpython_wrapper=True, error_model="numpy")(function) if COMPILED else function


def entry(function: _F) -> _F:
    """What Python calls: compiled once and kept on disk. One that calls other files captures `fingerprint()`."""
    _remember(function)
    return numba.njit(cache=True, error_model="numpy")(function) if COMPILED else function


def fingerprint() -> int:
    """A number that changes with the code of any function loaded so far.

    numba's disk cache looks only at the file and the captured variables of the entry: without this, an edited helper in
    another file would go on running as it was compiled before.
    """
    return _seen + 1
