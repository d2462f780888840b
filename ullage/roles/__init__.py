"""What each role's process runs, one module a role: its stores opened, its parts joined, its end orderly.

A process imports only what its own role needs.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module

from ullage.role import Role

NAMES = ("clock", "deliver", "worker", "api", "gateway")


def main_of(name: str) -> Callable[[Role], Awaitable[None]]:
    """The role's `main(role)`, imported now."""
    main: Callable[[Role], Awaitable[None]] = import_module(f"ullage.roles.{name}").main
    return main
