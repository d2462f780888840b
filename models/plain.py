"""Arrays as plain Python reads them fast: records as C structures, numbers as memory views.

Both are views: what is written there is in the array, rounded to the field's type as compiled code rounds it. A number
of a numpy array is an object of its own that costs ten times as much to read, and a record of one has no attributes.
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, TypeVar, cast

import numpy as np

_F = TypeVar("_F", bound=Callable[..., Any])


def seen(value: Any) -> Any:
    """A view of an array; anything else as it is. A read-only array of records is copied."""
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.names is None:
        return value.data
    structure = _structure(value.dtype) * len(value)
    return structure.from_buffer(value) if value.flags.writeable else structure.from_buffer_copy(value)


def showing(function: _F) -> _F:
    """The function, which sees arrays among its arguments as `seen` shows them."""

    @wraps(function)
    def call(*arguments: Any) -> Any:
        return function(*map(seen, arguments))

    return cast("_F", call)


@cache
def _structure(dtype: np.dtype[Any]) -> Any:
    return np.ctypeslib.as_ctypes_type(dtype)
