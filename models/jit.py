"""Compile where numba is there; run the same functions as plain Python where it is not. Both give the same bits.

Only + - * / sqrt, comparisons and tables in float64 (no fastmath), integers in int64. `f64` and `i64` turn what an
array holds into the number to calculate with: numba keeps float32 as float32 unless told. Compiled code reads the
fields of a record as attributes, and so does plain Python: there an entry sees arrays as `models.plain` shows them,
and a function's code is spared calls that change nothing (models.rewritten).
"""

from collections.abc import Callable
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any, TypeVar, cast
from zlib import crc32

from models.plain import seen, showing
from models.rewritten import rewritten

try:
    import numba
    import numpy as np

    COMPILED = not numba.config.DISABLE_JIT
except ImportError:  # the plain Python path: slower, the same results
    COMPILED = False

_ENTRY: dict[str, Any] = {}
_HELPER: dict[str, Any] = {}
if COMPILED:
    with suppress(ImportError):  # else numba compiles in its own way: slower, the same results
        from models.whole import ENTRY as _ENTRY
        from models.whole import HELPER as _HELPER
_F = TypeVar("_F", bound=Callable[..., Any])

f64: Callable[[Any], float]
i64: Callable[[Any], int]
if COMPILED:
    f64, i64 = cast("Any", np.float64), cast("Any", np.int64)
else:
    f64, i64 = float, int


def constant(array: Any) -> Any:
    """A table that compiled code reads as a global."""
    return array if COMPILED else seen(array)


def jit(function: _F) -> _F:
    """A helper: compiled into whatever calls it. Python can call it, too, if no argument is an array of records."""
    return numba.njit(error_model="numpy")(function) if COMPILED else rewritten(function)


def inner(function: _F) -> _F:
    """A helper that only compiled code calls: it is compiled as a part of its entry (models.whole)."""
    if not COMPILED:
        return rewritten(function)
    return cast("_F", numba.njit(no_cpython_wrapper=True, error_model="numpy", **_HELPER)(function))


def entry(function: _F) -> _F:
    """What Python calls: compiled once and kept on disk. One that calls other files captures a `fingerprint`."""
    return numba.njit(cache=True, error_model="numpy", **_ENTRY)(function) if COMPILED else showing(rewritten(function))


def is_kept(compiled: Any) -> bool:
    """Is an entry with its present code in numba's disk cache? False also where numba does not let us look."""
    try:
        cache = compiled._cache
        code = cache._index_key(None, compiled.targetctx.codegen())[1:]
        return any(key[1:] == code for key in cache._cache_file._load_index())
    except AttributeError:
        return False


def fingerprint(root: Callable[..., Any]) -> int:
    """A number, never 0, that changes with the code of `root` or of anything that it calls, in whichever file.

    numba's disk cache looks only at the file and the captured variables of the entry: without this, an edited helper in
    another file would go on running as it was compiled before. It does not depend on what else was loaded, or each
    program would compile the same code again.
    """
    parts: dict[str, bytes] = {}
    waiting: list[Any] = [root]
    while waiting:
        called = waiting.pop()
        function = getattr(called, "py_func", called)  # what numba wrapped
        name = f"{function.__module__}.{function.__qualname__}"
        if name in parts:
            continue
        code, values = function.__code__, _named(function)
        plain = {n: values[n] for n in sorted(code.co_names) if isinstance(values.get(n), int | float | str | tuple)}
        constants = tuple(c for c in code.co_consts if isinstance(c, int | float | str | bool | tuple))
        parts[name] = repr((code.co_code, constants, code.co_names, plain)).encode()
        waiting += [values[n] for n in code.co_names if hasattr(values.get(n), "py_func")]
        waiting += [values[n] for n in code.co_names if isinstance(values.get(n), FunctionType)]
    return crc32(b"".join(parts[name] for name in sorted(parts))) + 1


def _named(function: Any) -> dict[str, Any]:
    """What the names in a function's code stand for: its globals, and attributes of modules among them."""
    names, values = function.__code__.co_names, function.__globals__
    found: dict[str, Any] = {}
    for module in (values.get(name) for name in names):
        if isinstance(module, ModuleType) and module.__name__.startswith("models."):
            found |= {name: getattr(module, name) for name in names if hasattr(module, name)}
    return found | {name: values[name] for name in names if name in values}
