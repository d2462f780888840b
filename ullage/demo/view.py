"""What the demo shows in the terminal. Pure: from a snapshot to something that rich can draw."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from models.units import DAY, HOUR
from ullage.standing import Standing

ORDER_STATES = (
    *("proposed", "awaiting", "approved", "placed", "acknowledged", "part_shipped", "shipped", "part_delivered"),
    *("delivered", "cancelled", "failed"),
)

LATE = 5.0
"""Real seconds by which the world may be late before it is said."""
FIRST_LINES = 15.0
"""Seconds for which a log without a terminal repeats the addresses."""


@dataclass(slots=True)
class Snapshot:
    """One look: the ledger's standing, the world's own status, and what was measured in between."""

    standing: Standing
    world: dict[str, Any]
    readings_per_second: float
    speed: float
    elapsed: float  # real seconds since the start
    links: dict[str, str] = field(default_factory=dict)
    note: str = ""
    lag: int = 0  # journal records that the worker has not folded yet

    def behind(self) -> str:
        """That the world cannot follow its clock, if so: a person should know, and what to do."""
        late = int(self.world.get("lag_ms", 0))
        if late < LATE * self.speed * 1000:
            return ""
        return (
            f"this machine does not hold {self.speed:,.0f} x: the world is {late / DAY:.1f} d late; try a lower --speed"
        )


def moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%a %Y-%m-%d %H:%M") if ms else "-"


def in_time(ms: int, now: int) -> str:
    """`in 3.2 d`, `in 5 h`, `now`."""
    left = ms - now
    if left >= 1000 * DAY:
        return "not in sight"
    if left >= 2 * DAY:
        return f"in {left / DAY:.1f} d"
    return f"in {left / HOUR:.0f} h" if left > 0 else "now"


def draw(look: Snapshot) -> RenderableType:
    return Panel(
        Group(_numbers(look), Text(), _next_empties(look), Text(), _links(look)),
        title="Ullage: a simulated fleet, a real installation",
        subtitle="Ctrl-C ends it with a summary",
    )


def line(look: Snapshot) -> str:
    """The same in one line, for logs."""
    s, w = look.standing, look.world
    return (
        f"{moment(w.get('now_ms') or s.now)}  {look.readings_per_second:,.0f} readings/s, "
        f"lag {look.lag}, orders: {_counts(s.orders, ORDER_STATES) or 'none yet'}, "
        f"empties {w.get('empties_met', 0)} met {w.get('empties_missed', 0)} missed"
        + (f"\n{look.behind()}" if look.behind() else "")
        + "".join(f"\n{name}: {address}" for name, address in look.links.items() if look.elapsed < FIRST_LINES)
    )


def _numbers(look: Snapshot) -> Table:
    s, w = look.standing, look.world
    grid = Table.grid(padding=(0, 3))
    grid.add_row("simulated date", f"[bold]{moment(w.get('now_ms') or s.now)}[/]  ({look.speed:,.0f} x real time)")
    grid.add_row("fleet", f"{s.accounts} accounts, {s.sites} sites, {s.devices} devices")
    grid.add_row(
        "readings", f"{look.readings_per_second:,.0f}/s, {w.get('acked', 0):,} acknowledged, lag {look.lag} records"
    )
    grid.add_row("slots", _counts(s.bands, ("fine", "watch", "at risk", "empty")))
    grid.add_row("orders", _counts(s.orders, ORDER_STATES) or "none yet")
    met, missed = w.get("empties_met", s.empties_met), w.get("empties_missed", s.empties_missed)
    grid.add_row("empties", f"{met} met in time, {missed} missed")
    if s.quarantined or s.tasks:
        grid.add_row("for people", f"{s.quarantined} in quarantine, {s.tasks} tasks")
    return grid


def _counts(counts: dict[str, int], order: tuple[str, ...]) -> str:
    known = [name for name in order if counts.get(name)]
    rest = [name for name in counts if name not in order and counts[name]]
    return ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in known + rest)


def _next_empties(look: Snapshot) -> Table:
    table = Table(title="next empties", title_justify="left", box=None, padding=(0, 2))
    for name in ("slot", "empty", "P(before arrival)", "why (not)"):
        table.add_column(name)
    for e in look.standing.next_empties:
        when = in_time(e.empty_at, look.standing.now)
        table.add_row(f"{e.account}/{e.device}/{e.slot}", when, f"{e.probability:.0%}", e.status.replace("_", " "))
    return table


def _links(look: Snapshot) -> Text:
    text = Text()
    for name, address in look.links.items():
        text.append(f"{name:8}", style="dim")
        text.append(address + "\n")
    for note in filter(None, (look.note, look.behind())):
        text.append(note + "\n", style="yellow")
    return text
