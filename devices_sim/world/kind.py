"""What every kind of machine has: supplies that its use drains, counters, measures."""

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Literal

from devices_sim.chance import draws
from devices_sim.sensors import Style
from devices_sim.usage import EVEN

Meter = Literal["level", "counter", "age"]
Refill = Literal["swap", "topup"]


@dataclass(frozen=True)
class Product:
    sku: str
    name: str
    unit: str
    price: str  # EUR per unit
    supplier: str
    refills: float = 1.0  # swap: refills per unit; topup: capacity units per unit


@dataclass(frozen=True)
class Supply:
    name: str
    product: Product
    capacity: float
    unit: str
    per_use: float = 0.0  # capacity units drained per unit of use
    per_day: float = 0.0  # and per day, used or not
    meter: Meter = "level"
    refill: Refill = "swap"
    counter: str | None = None
    clock: str | None = None  # the counter that uses it up, told to the product
    ascending: bool = False
    quantum: float = 1.0
    styles: tuple[Style, ...] = (Style.LEVEL,)
    days: float = 45.0  # typical life, told to the product as the prior


@dataclass(frozen=True)
class Counter:
    name: str
    per_use: float = 1.0
    wrap: int = 0
    most_per_day: int = 20_000
    start: int = 100_000  # devices start somewhere below


@dataclass(frozen=True)
class Model:
    """A device model; `kind` names the file that knows how it behaves."""

    name: str
    kind: str
    use: float  # median use per working day
    supplies: tuple[Supply, ...]
    counters: tuple[Counter, ...] = ()
    profile: tuple[float, ...] = EVEN
    follows_people: bool = True  # weekdays, holidays and drift apply
    share: float = 1.0  # among the models of its kind
    busiest: float = 0.0  # use per hour at most (a clock hour has one hour of running); 0: no bound


@dataclass(frozen=True)
class Kind:
    """Behaviour of a kind. Subclasses say how use drains supplies and what else is measured."""

    name: str
    models: tuple[Model, ...]

    @cached_property
    def products(self) -> tuple[Product, ...]:
        seen = {s.product.sku: s.product for m in self.models for s in m.supplies}
        return tuple(seen.values())

    def drain(self, model: Model, use: float, days: float, seed: int, device: str, day: int) -> list[float]:
        """Per cent drained from each supply by `use` over `days` (`day`: ordinal of the local day)."""
        del day
        return [
            100 * (s.per_use * use + s.per_day * days) * taken(seed, device, s) / s.capacity for s in model.supplies
        ]

    def measures(self, at: int, chance: Random) -> dict[str, object]:
        """The `measures` of a reading at domain time `at` (ms)."""
        del at, chance
        return {}


def taken(seed: int, device: str, supply: Supply) -> float:
    """How much of a supply this machine takes beside its model's typical one. What a counter meters is due after so
    many counts on every machine."""
    return 1.0 if supply.meter == "counter" else trait(seed, device, supply.name)


_traits: dict[tuple[int, str, str], float] = {}


def trait(seed: int, device: str, slot: str) -> float:
    """How much more than its model's typical machine this one takes from a supply; fixed per slot."""
    key = (seed, device, slot)
    found = _traits.get(key)
    if found is None:
        if len(_traits) > 100_000:
            _traits.clear()
        found = _traits[key] = draws(seed, "trait", device, slot).lognormvariate(0, 0.2)
    return found
