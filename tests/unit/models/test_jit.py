"""The fingerprint that keeps numba's disk cache honest."""

from types import FunctionType, ModuleType
from typing import Any

from models.jit import fingerprint


def module_of(name: str, source: str, **more: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(more)
    exec(source, module.__dict__)  # noqa: S102  the source is ours
    return module


def root_of(helper: str) -> FunctionType:
    made = module_of("models.made", helper)
    function: FunctionType = module_of("models.root", "def root(x):\n return made.helper(x)", made=made).root
    return function


def test_it_follows_calls_through_modules():
    same, again = root_of("def helper(x):\n return x + 1"), root_of("def helper(x):\n return x + 1")
    assert fingerprint(same) == fingerprint(again) != 0
    assert fingerprint(same) != fingerprint(root_of("def helper(x):\n return x + 2"))
    assert fingerprint(same) != fingerprint(root_of("STEP = 1\ndef helper(x):\n return x + STEP"))


def test_it_sees_constants_of_the_module():
    source = "def helper(x):\n return x + STEP"
    assert fingerprint(root_of(f"STEP = 1\n{source}")) != fingerprint(root_of(f"STEP = 2\n{source}"))
