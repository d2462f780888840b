"""The people at the machines: they swap when empty if a spare is there, some early, some without telling."""

from dataclasses import dataclass, field

from devices_sim.chance import draws, unit
from devices_sim.fleet import Device, Plan
from devices_sim.truth import Count, Happening
from devices_sim.world.kinds import MODELS
from devices_sim.world.state import State


@dataclass(slots=True)
class Closets:
    """Spares at the sites, in truth, and how many unit-days they lay there."""

    units: dict[tuple[str, str], int]
    unit_ms: float = 0.0
    since: int = 0
    changed: set[tuple[str, str]] = field(default_factory=set)
    _total: int = -1

    def total(self) -> int:
        if self._total < 0:
            self._total = sum(self.units.values())
        return self._total

    def pass_time(self, now: int) -> None:
        if now > self.since:
            self.unit_ms += self.total() * (now - self.since) if self.since else 0
            self.since = now

    def has(self, site: str, sku: str) -> int:
        return self.units.get((site, sku), 0)

    def add(self, site: str, sku: str, units: int, now: int) -> None:
        """Put units in, or with a negative number take them out."""
        self.pass_time(now)
        key = (site, sku)
        left = self.units.get(key, 0) + units
        if left < 0:
            raise ValueError(f"closet of {site} has {left - units} of {sku}, {-units} were taken")
        self._total = self.total() + units
        self.units[key] = left
        self.changed.add(key)


@dataclass(slots=True)
class Users:
    """What people do. Collects what happened and what they tell the product; the world saves both."""

    plan: Plan
    closets: Closets
    happened: list[Happening] = field(default_factory=list)
    tells: list[tuple[int, int, str, str]] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)

    def note(self, ts: int, kind: str, device: Device, slot: str, value: float = 0.0) -> None:
        self.happened.append(Happening(ts, kind, device.index, slot, value))

    def look(self, device: Device, state: State, slot: int, now: int) -> str | None:
        """Someone looks at a slot after use. Returns a signal that the machine then sends, if any."""
        supply = MODELS[device.model].supplies[slot]
        level = state.levels[slot]
        if supply.refill == "topup" and level < self._threshold(device, supply.name):
            self._pour(device, state, slot, now)
        if state.levels[slot] > 0:
            if (
                supply.refill == "swap"
                and level < 20
                and supply.meter == "level"
                and self._impatient(device, slot, now)
            ):
                self._swap(device, state, slot, now, "early")
            return None
        if self.closets.has(device.site.key, supply.product.sku):
            self._swap(device, state, slot, now, "empty")
            return None
        if state.empty_since[slot]:
            return None
        state.empty_since[slot] = now
        self.note(now, "missed", device, supply.name)
        chance = draws(self.plan.scenario.seed, "button", device.name, slot, state.refills[slot])
        return f"reorder:{supply.name}" if chance.random() < self.plan.scenario.users.button else f"empty:{supply.name}"

    def goods_came(self, devices: list[tuple[Device, State]], sku: str, now: int) -> list[int]:
        """After a delivery: first what stands empty, then early swappers. Returns the devices that changed."""
        slots = [
            (state.levels[i], device.index, i, device, state)
            for device, state in devices
            for i, supply in enumerate(MODELS[device.model].supplies)
            if supply.product.sku == sku
        ]
        changed = []
        for level, index, slot, device, state in sorted(slots, key=lambda row: row[:3]):
            supply = MODELS[device.model].supplies[slot]
            if not self.closets.has(device.site.key, sku):
                break
            chance = draws(self.plan.scenario.seed, "on arrival", device.name, slot, state.refills[slot])
            early = supply.refill == "swap" and supply.meter == "level" and level < 50
            if state.empty_since[slot]:
                self._swap(device, state, slot, now, "empty")
            elif early and chance.random() < self.plan.scenario.users.early:
                self._swap(device, state, slot, now, "early")
            else:
                continue
            changed.append(index)
        return changed

    def _threshold(self, device: Device, slot: str) -> float:
        return 8 + 22 * unit(self.plan.scenario.seed, "threshold", device.name, slot)

    def _impatient(self, device: Device, slot: int, now: int) -> bool:
        if not self.closets.has(device.site.key, MODELS[device.model].supplies[slot].product.sku):
            return False
        return unit(self.plan.scenario.seed, "impatient", device.name, slot, now) < 0.01 / 24

    def _pour(self, device: Device, state: State, slot: int, now: int, *, at_least: int = 0) -> None:
        """Top up by whole packs from the closet, as many as fit."""
        supply = MODELS[device.model].supplies[slot]
        sku, pack = supply.product.sku, supply.product.refills
        room = max(int((100 - state.levels[slot]) / 100 * supply.capacity / pack), at_least)
        units = min(self.closets.has(device.site.key, sku), room)
        if units <= 0:
            return
        if not state.empty_since[slot]:
            self.note(now, "met", device, supply.name, state.levels[slot])
        state.empty_since[slot] = 0
        self.closets.add(device.site.key, sku, -units, now)
        self.note(now, "topup", device, supply.name, units)
        state.levels[slot] = min(100.0, state.levels[slot] + 100 * units * pack / supply.capacity)
        state.refills[slot] += 1
        self._count(device, state, slot, now)

    def _swap(self, device: Device, state: State, slot: int, now: int, why: str) -> None:
        """Refill from the closet. `why`: empty, or early."""
        supply = MODELS[device.model].supplies[slot]
        if supply.refill == "topup":
            self._pour(device, state, slot, now, at_least=1)
            return
        in_time = not state.empty_since[slot]
        state.empty_since[slot] = 0
        users, seed = self.plan.scenario.users, self.plan.scenario.seed
        chance = draws(seed, "swap", device.name, slot, state.refills[slot])
        residue = max(state.levels[slot], 0.0)
        part_used = supply.meter == "level" and chance.random() < users.part_used
        if not part_used:  # one that was opened before lay somewhere else: the shelf keeps what it has
            self.closets.add(device.site.key, supply.product.sku, -1, now)
        self.note(now, "swap", device, supply.name, residue)
        if in_time:
            self.note(now, "met", device, supply.name, residue)
        if why == "early":
            self.note(now, "early", device, supply.name, residue)
        state.levels[slot] = 100.0
        if part_used:
            state.levels[slot] = chance.uniform(60, 95)
            self.note(now, "part_used", device, supply.name, state.levels[slot])
        state.refills[slot] += 1
        if supply.meter != "level" or chance.random() < users.tell:
            self.tells.append((now, device.index, supply.name, "swapped"))
        self._count(device, state, slot, now)

    def _count(self, device: Device, state: State, slot: int, now: int) -> None:
        """Whoever has just taken something from the shelf may count what is left, and may be wrong."""
        users, sku = self.plan.scenario.users, MODELS[device.model].supplies[slot].product.sku
        chance = draws(self.plan.scenario.seed, "count", device.name, slot, state.refills[slot])
        if chance.random() >= users.count:
            return
        units, name = self.closets.has(device.site.key, sku), MODELS[device.model].supplies[slot].name
        if chance.random() < users.miscount:
            units += 1 if units == 0 else chance.choice((-1, 1))
            self.note(now, "miscounted", device, name, units)
        self.note(now, "counted", device, name, units)
        self.counts.append(Count(now, device.site.key, sku, units))
