"""Truth against what Ullage did: readings, empties, spares, residue, orders; did a scenario's wishes come true?"""

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any

import msgspec

from devices_sim.api_client import Api
from devices_sim.clock import DAY, HOUR
from devices_sim.errors import Unavailable
from devices_sim.scenario import Bound, Scenario
from devices_sim.world.world import World

NEED_STATES = ("open", "met", "withdrawn", "refused", "failed")
AHEAD = 12 * HOUR
"""A last will is told when a connection breaks, which may be long after the last reading."""
Number = float | int | None


class Report(msgspec.Struct, kw_only=True):
    """Of the whole life of the world, over restarts. None: not known (the API did not answer, nothing happened yet)."""

    scenario: str
    seed: int
    devices: int
    slots: int
    days: float
    published: int
    acked: int
    pending: int
    dropped: int
    refused: int
    duplicates: int
    deaths: int
    swaps: int
    topups: int
    empties_met: int
    empties_missed: int
    standing_empty: int
    stock_outs_pct: float | None
    residue_pct: float | None  # mean level thrown away at a swap, per cent of a full supply
    spare_days_per_slot_year: float | None
    purchase_orders: int
    units_delivered: int
    supplier_again: int
    counted: int
    miscounted: int
    calls_refused: int
    happened: dict[str, int]  # in truth, by kind: shaken, board_swap, part_used, ...
    # what Ullage says
    api: str = "answered"
    orders: int | None = None
    orders_by_state: dict[str, int] = {}
    needs: int | None = None
    needs_by_state: dict[str, int] = {}
    needs_twice: int | None = None
    orders_twice: int | None = None
    refills_seen: int | None = None
    refills_false: int | None = None  # cycles of a slot beyond its true refills
    refills_unseen: int | None = None  # true refills of a slot beyond its cycles
    devices_unheard: int | None = None  # acknowledged, but Ullage last heard of the device a day before that
    devices_ahead: int | None = None  # Ullage heard of the device long after it was acknowledged last: in its future
    quarantined: int | None = None  # acknowledged, could not be used, and waits for a person
    quarantined_by_code: dict[str, int] = {}
    tasks: int | None = None  # for people, not done yet
    tasks_by_kind: dict[str, int] = {}
    alerts: int | None = None  # raised and not over
    alerts_by_code: dict[str, int] = {}
    failed: list[str] = []  # expectations that did not come true

    @property
    def ok(self) -> bool:
        return not self.failed


def of_world(world: World, again: int) -> Report:
    """The half that needs no API."""
    counts, happened, truth = world.counts, world.happened, world.truth
    slots = sum(len(m.model.supplies) for m in world.machines)
    days = (world.time - world.start) / DAY
    met, missed = happened["met"], happened["missed"]
    world.closets.pass_time(world.time)
    spare_days = world.closets.unit_ms / DAY
    return Report(
        scenario=world.plan.scenario.name,
        seed=world.plan.scenario.seed,
        devices=len(world.machines),
        slots=slots,
        days=round(days, 2),
        published=counts.published,
        acked=counts.acked,
        pending=counts.published - counts.acked - counts.refused - counts.dropped,
        dropped=counts.dropped,
        refused=counts.refused,
        duplicates=counts.duplicates,
        deaths=counts.deaths,
        swaps=happened["swap"],
        topups=happened["topup"],
        empties_met=met,
        empties_missed=missed,
        standing_empty=sum(1 for m in world.machines for since in m.state.empty_since if since),
        stock_outs_pct=round(100 * missed / (met + missed), 2) if met + missed else None,
        residue_pct=_rounded(truth.mean("swap")),
        spare_days_per_slot_year=_rounded(spare_days / (slots * days / 365)) if days > 0 else None,
        purchase_orders=truth.purchase_orders(),
        units_delivered=int(truth.sum("delivered")),
        supplier_again=again,
        counted=happened["counted"],
        miscounted=happened["miscounted"],
        happened=dict(happened),
        calls_refused=sum(number for kind, number in happened.items() if kind.endswith("_refused")),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


async def ask(report: Report, api: Api, world: World, within: float) -> None:
    """Add what the API says, if it does so within some seconds."""
    try:
        async with asyncio.timeout(within):
            await _orders(report, api)
            await _needs(report, api)
            await _slots(report, api, world)
            await _trouble(report, api)
    except (Unavailable, TimeoutError) as error:
        report.api = f"not known: {error}" if str(error) else f"did not answer within {within:g} s"


async def _orders(report: Report, api: Api) -> None:
    orders = [order async for order in api.pages("/v1/orders")]
    report.orders = len(orders)
    report.orders_by_state = dict(Counter(str(order.get("state", "?")) for order in orders))
    report.orders_twice = len(orders) - len({order["id"] for order in orders})


async def _needs(report: Report, api: Api) -> None:
    needs = [need async for need in api.pages("/v1/needs")]
    report.needs = len(needs)
    report.needs_by_state = dict(Counter(_state(need) for need in needs))
    open_ones = Counter(_slot(need) for need in needs if _state(need) == "open")
    names = Counter((_slot(need), need.get("cycle"), need.get("attempt")) for need in needs)
    report.needs_twice = sum(n - 1 for n in open_ones.values()) + sum(n - 1 for n in names.values())


async def _trouble(report: Report, api: Api) -> None:
    """What Ullage could not use, and what it asks of people."""
    codes = Counter([str(held.get("code", "?")) async for held in api.pages("/v1/quarantine")])
    kinds = Counter([str(task.get("kind", "?")) async for task in api.pages("/v1/tasks")])
    alerts = Counter([str(alert.get("code", "?")) async for alert in api.pages("/v1/alerts")])
    report.quarantined, report.quarantined_by_code = codes.total(), dict(codes)
    report.tasks, report.tasks_by_kind = kinds.total(), dict(kinds)
    report.alerts, report.alerts_by_code = alerts.total(), dict(alerts)


def _state(need: dict[str, Any]) -> str:
    """The API gives a name, or its number."""
    state = need.get("state", "?")
    return NEED_STATES[state] if isinstance(state, int) else str(state)


def _slot(need: dict[str, Any]) -> str:
    return str(need.get("slot_id", need.get("slot")))


async def _slots(report: Report, api: Api, world: World) -> None:
    """Refills that Ullage saw against the true ones; devices that were acknowledged a day after Ullage last heard."""
    heard: dict[tuple[str, str], int] = {}
    true = _true_refills(world)
    seen, differences = 0, []
    async for slot in api.pages("/v1/slots"):
        key = (str(slot["account"]), str(slot["device"]))
        heard[key] = max(heard.get(key, 0), moment(slot.get("last_heard_at")))
        cycles = max((slot.get("cycle") or 1) - 1, 0)
        seen += cycles
        differences.append(cycles - true.get((*key, str(slot["name"])), 0))
    late = [
        m.state.acked - heard.get((m.device.site.account, m.device.name), 0)
        for m in world.machines
        if m.state.acked and m.state.skew_until <= world.time
    ]
    report.devices_unheard = sum(behind > DAY for behind in late)
    report.devices_ahead = sum(behind < -AHEAD for behind in late)
    report.refills_seen = seen
    report.refills_false = sum(max(d, 0) for d in differences)
    report.refills_unseen = sum(max(-d, 0) for d in differences)


def _true_refills(world: World) -> dict[tuple[str, str, str], int]:
    return {
        (m.device.site.account, m.device.name, supply.name): number
        for m in world.machines
        for supply, number in zip(m.model.supplies, m.state.refills, strict=True)
    }


def moment(value: object) -> int:
    """Domain ms of an API's time, which is ISO text or ms."""
    if isinstance(value, str):
        return int(datetime.fromisoformat(value).timestamp() * 1_000)
    return int(value) if isinstance(value, int | float) else 0


def judge(report: Report, scenario: Scenario) -> None:
    """Compare with the scenario's `expect`; what is not so goes to `failed`."""
    values: dict[str, Any] = msgspec.to_builtins(report)
    for name, wish in scenario.expect.items():
        value = _figure(values, name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            report.failed.append(
                f"{name} is {value if name in values else 'no figure of the report'}, expected {_words(wish)}"
            )
            continue
        low, high = (wish.min, wish.max) if isinstance(wish, Bound) else (wish, wish)
        if (low is not None and value < low) or (high is not None and value > high):
            report.failed.append(f"{name} is {value:g}, expected {_words(wish)}")


def _figure(values: dict[str, Any], name: str) -> Any:
    """`orders`, or `orders_by_state.delivered`: 0 where nothing of that name was counted."""
    whole, dot, part = name.partition(".")
    found = values.get(whole)
    return found.get(part, 0) if dot and isinstance(found, dict) else values.get(name)


def _words(wish: float | Bound) -> str:
    if not isinstance(wish, Bound):
        return f"{wish:g}"
    parts = [f"at least {wish.min:g}"] if wish.min is not None else []
    parts += [f"at most {wish.max:g}"] if wish.max is not None else []
    return " and ".join(parts) or "a number"


def text(report: Report) -> str:
    """A table for people."""
    r = report
    readings = f"{r.published:,} made, {r.acked:,} acknowledged, {r.pending:,} waiting, {r.dropped:,} forgotten"
    empties = f"{r.empties_met} met in time, {r.empties_missed} missed, {r.standing_empty} stand empty"
    bought = f"{r.purchase_orders} taken, {r.supplier_again} sent again, {r.units_delivered} units delivered"
    needs = f"{_number(r.needs)} {_states(r.needs_by_state)}; twice: {_number(r.needs_twice)}"
    seen = f"{_number(r.refills_seen)}; false: {_number(r.refills_false)}, unseen: {_number(r.refills_unseen)}"
    rows: list[tuple[str, str]] = [
        ("world", f"{r.scenario}, seed {r.seed}: {r.devices} devices, {r.slots} slots, {r.days} days"),
        ("readings", readings),
        ("connections", f"{r.deaths} died without a DISCONNECT"),
        ("refills", f"{r.swaps} swaps, {r.topups} top-ups"),
        ("empties", empties),
        ("stock-outs", _number(r.stock_outs_pct, "% of refills")),
        ("thrown away", _number(r.residue_pct, "% of a supply per swap")),
        ("spares on site", _number(r.spare_days_per_slot_year, "unit-days per slot and year")),
        ("counts told", f"{r.counted}, {r.miscounted} of them wrong"),
        ("purchase orders", bought),
        ("Ullage's orders", f"{_number(r.orders)} {_states(r.orders_by_state)}"),
        ("Ullage's needs", needs),
        ("refills seen", seen),
        ("not heard", f"{_number(r.devices_unheard)} devices that were acknowledged"),
    ]
    if report.api != "answered":
        rows.append(("API", report.api))
    rows += [("NOT AS EXPECTED", wish) for wish in report.failed]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _number(value: Number, unit: str = "") -> str:
    return "not known" if value is None else f"{value:,} {unit}".rstrip()


def _states(states: dict[str, int]) -> str:
    return "(" + ", ".join(f"{number} {state}" for state, number in sorted(states.items())) + ")" if states else ""
