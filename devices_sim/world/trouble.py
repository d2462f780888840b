"""What goes wrong, and when: drawn per device and day, or told by the scenario's events."""

from dataclasses import dataclass

from devices_sim.chance import draws
from devices_sim.clock import DAY, HOUR, MINUTE
from devices_sim.fleet import Plan
from devices_sim.scenario import Event, Scenario, milliseconds


@dataclass(frozen=True, slots=True)
class Trouble:
    ts: int
    kind: str
    lasts: int = 0
    by: int = 0
    factor: float = 1.0
    slot: str | None = None


def of_day(scenario: Scenario, device: str, day: int) -> list[Trouble]:
    """Random troubles of a device on a UTC day (days since 1970), by time."""
    chance = draws(scenario.seed, "trouble", device, day)
    rates = scenario.trouble
    out = []
    for kind in ("network_loss", "silence", "board_swap", "reboot", "shaken", "clock_error"):
        if chance.random() >= getattr(rates, kind):
            continue
        ts = day * DAY + chance.randrange(DAY)
        by = chance.choice((-1, 1)) * chance.randint(2 * MINUTE, 6 * HOUR)
        out.append(Trouble(ts, kind, lasts=int(chance.uniform(1, 30) * HOUR), by=by))
    out.sort(key=lambda trouble: trouble.ts)
    return out


def of_scenario(plan: Plan, start: int) -> dict[int, list[Trouble]]:
    """The scenario's events per device index, by time. A site's event happens to all its devices."""
    out: dict[int, list[Trouble]] = {}
    for event in plan.scenario.events:
        if event.kind == "supplier_late":
            continue
        trouble = _trouble(event, start)
        for device in plan.devices:
            if event.device in {device.name, device.key} or event.site in {device.site.name, device.site.key}:
                out.setdefault(device.index, []).append(trouble)
    for troubles in out.values():
        troubles.sort(key=lambda trouble: trouble.ts)
    return out


def _trouble(event: Event, start: int) -> Trouble:
    lasts, by = milliseconds(event.lasts), milliseconds(event.by)
    # devices begin at `start`: what happens at 0h happens just after
    return Trouble(start + max(event.at_ms, 1), event.kind, lasts, by, event.factor, event.slot)


def late_by(scenario: Scenario, start: int, supplier: str, taken: int) -> int:
    """How much later than drawn a purchase order taken at `taken` arrives because of the scenario's events."""
    late = 0
    for event in scenario.events:
        begins = start + event.at_ms
        applies = event.kind == "supplier_late" and event.supplier in {None, supplier}
        if applies and begins <= taken < begins + milliseconds(event.lasts):
            late = max(late, milliseconds(event.by))
    return late
