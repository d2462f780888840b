"""A function for plain Python, rewritten so that the same steps take fewer calls. numba never sees this.

Calls are what plain Python pays for most. Two kinds of them say nothing that it does not know already:

    f64(slot.rate)      slot.rate                 a float field is read as a float (models.plain), and f64 is float
    i64(slot.flags)     slot.flags                likewise an integer field
    min(a, b)           b if a > b else a         as min decides, also about NaN and about -0.0
    max(a, b)           b if a < b else a

An argument of min or max that is more than a name or a number is calculated once, in its turn, and kept under a name.
What the types of the tables do not prove keeps its call: i64 of a float cuts it off, f64 of an integer rounds it.
"""

import ast
import builtins
from collections.abc import Callable
from functools import update_wrapper
from inspect import getsource
from textwrap import dedent
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

import numpy as np

from models import frame, layout
from models.decide import layout as decide_layout

_F = TypeVar("_F", bound=Callable[..., Any])

_READ = {"f": float, "i": int, "u": int}
"""As what plain Python reads a number of this kind."""
_TAKES_SECOND: dict[object, type[ast.cmpop]] = {min: ast.Gt, max: ast.Lt}
"""How the first of two compares with the second where the second is the result."""


def _fields() -> dict[tuple[str, bool], set[object]]:
    """Of each (name of a field, is it an array?) as what its numbers are read, over all tables."""
    found: dict[tuple[str, bool], set[object]] = {}
    tables = [v for m in (layout, frame, decide_layout) for v in vars(m).values() if isinstance(v, np.dtype)]
    for name, (dtype, *_) in (item for table in tables for item in (table.fields or {}).items()):
        found.setdefault((name, dtype.shape != ()), set()).add(_READ.get(dtype.base.kind))
    return found


FIELDS = _fields()
"""What is read of each field, if all tables that have it agree. Tables elsewhere must not disagree (its test)."""


def rewritten(function: _F) -> _F:
    """The function with fewer calls; as it is where its source is not at hand."""
    try:
        tree = ast.parse(dedent(getsource(function)))
    except OSError:
        return function
    plain = cast("FunctionType", function)
    definition = _Lighter(plain.__globals__).visit(tree.body[0])
    code = _compiled(definition, plain.__code__)
    made = FunctionType(code, plain.__globals__, plain.__name__, plain.__defaults__, plain.__closure__)
    return cast("_F", update_wrapper(made, function))


def _compiled(definition: ast.FunctionDef, of: CodeType) -> CodeType:
    """Code of a definition that stands where `of` stood. A function around it makes its free variables free again."""
    definition.decorator_list = []
    around = ast.parse(f"def around({', '.join(of.co_freevars)}): pass")
    cast("ast.FunctionDef", around.body[0]).body = [definition]
    ast.increment_lineno(definition, of.co_firstlineno - 1)
    outer = compile(ast.fix_missing_locations(around), of.co_filename, "exec", dont_inherit=True)
    return _within(_within(outer, "around"), of.co_name)


def _within(code: CodeType, name: str) -> CodeType:
    return next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)


class _Lighter(ast.NodeTransformer):
    """Rewrites calls, the inner ones first. `names` say what is called."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names
        self._kept = 0

    def visit_Call(self, call: ast.Call) -> ast.expr:
        self.generic_visit(call)
        if not isinstance(call.func, ast.Name) or call.keywords:
            return call
        name = call.func.id
        called = self._names.get(name, getattr(builtins, name, None))
        match call.args:
            case [number] if called in (float, int) and _read_as(number) == {called}:
                return number
            case [first, second] if called in (min, max):
                return self._chosen(_TAKES_SECOND[called](), first, second)
        return call

    def _chosen(self, compares: ast.cmpop, first: ast.expr, second: ast.expr) -> ast.expr:
        (left, first), (right, second) = self._once(first), self._once(second)
        return ast.IfExp(ast.Compare(left, [compares], [right]), second, first)

    def _once(self, value: ast.expr) -> tuple[ast.expr, ast.expr]:
        """(the value where it is calculated, what stands for it afterwards)"""
        if isinstance(value, ast.Name | ast.Constant):
            return value, value
        self._kept += 1
        name = f"_{self._kept}"
        return ast.NamedExpr(ast.Name(name, ast.Store()), value), ast.Name(name, ast.Load())


def _read_as(number: ast.expr) -> set[object]:
    """The types that it can be read as: of a record's field, or of an element of one."""
    indexed = isinstance(number, ast.Subscript)
    field = number.value if isinstance(number, ast.Subscript) else number
    return FIELDS.get((field.attr, indexed), set()) if isinstance(field, ast.Attribute) else set()
