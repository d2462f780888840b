"""Why, as a text that a planner understands. Times are shown in the site's time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ledger.receipts import BudgetPart, LinePart, NeedPart, OfferPart, Receipt
from models.effects import Evidence
from models.money import Money
from models.units import DAY, HOUR, NEVER

if TYPE_CHECKING:
    from ledger.why import CalendarPart, NeedNow, SlotWhy, ViewPart

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CAUSES = {
    "probability": "it would probably be empty before the goods arrive",
    "signal": "the device asked for it",
    "request": "somebody asked for it",
}


def moment(ms: int, zone: str) -> str:
    if not 0 < ms < NEVER // 4:
        return "not in sight"
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M")


def heard(ms: int, zone: str) -> str:
    return moment(ms, zone) if ms else "never"


def percent(share: float) -> str:
    """0.004 is not 0 %: small chances keep a digit."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.5 or value == 0 else f"{value:.1f} %"


def span(ms: int) -> str:
    if ms >= 2 * DAY:
        return f"{ms / DAY:.1f} days"
    return f"{ms / HOUR:.1f} hours"


def level(seen: Evidence | ViewPart) -> str:
    """Nothing that no device reported."""
    if unknown(seen):
        return "unknown"
    if seen.level_high - seen.level_low < 2:
        return f"{seen.level:.0f} %"
    return f"{seen.level_low:.0f} to {seen.level_high:.0f} % (probably {seen.level:.0f} %)"


def falling(seen: Evidence | ViewPart, clock: str) -> str:
    """How fast and, if a counter (named `clock`) is the slot's clock, by what."""
    rate = f"{seen.rate:.2f} % per working day"
    if seen.counts_per_day <= 0:
        return rate
    share = 1000 * seen.rate / seen.counts_per_day
    what = clock or "counts"
    return f"{rate} ({seen.counts_per_day:,.0f} {what} per working day, {share:.2f} % per 1,000 {what})"


def unknown(seen: Evidence | ViewPart) -> bool:
    return seen.level_low <= 0 and seen.level_high >= 100


def evidence_lines(evidence: Evidence, zone: str, clock: str = "") -> list[str]:
    """What was known: the level, the pace, the empty date, the chances, the way of the goods, the cover."""
    said = f"last heard {heard(evidence.last_heard, zone)}"
    lines = [f"level {level(evidence)}, falling {falling(evidence, clock)}; {said}"]
    if evidence.read and not unknown(evidence):
        lines.append(f"as said {heard(evidence.read, zone)} {source(evidence)}")
    if evidence.quantiles:
        q = evidence.quantiles
        lines.append(
            f"empty around {moment(q[len(q) // 2], zone)} (from {moment(q[0], zone)} to {moment(q[-1], zone)})"
        )
    lines.append(
        f"chance to be empty before goods arrive: {percent(evidence.probability)}"
        f" (a day earlier {percent(evidence.probability_earlier)}, later {percent(evidence.probability_later)});"
        f" accepted: {percent(evidence.threshold)}"
    )
    if evidence.lead_ms:
        grid = sorted(evidence.lead_ms)
        lines.append(f"goods take {span(grid[len(grid) // 2])} (between {span(grid[0])} and {span(grid[-1])})")
    cover = f"cover: {evidence.on_hand:g} on the shelf, {evidence.on_order:g} on order"
    lines.append(f"{cover}, {evidence.claims} machine(s) before this one")
    return lines


def source(evidence: Evidence) -> str:
    """Which word of whom the level is from: with it the reading is found in the journal."""
    if evidence.read_boot:
        return f"by reading {evidence.read_seq} of the machine's start {evidence.read_boot}"
    return "by a reading without a number" if evidence.read_seq else "by a person"


def need_lines(need: NeedPart, zone: str) -> list[str]:
    head = f"{need.device} {need.slot_name} (slot {need.slot}, cycle {need.cycle}): {CAUSES[need.cause]}"
    if need.urgent:
        head += "; urgent"
    return [head, *("  " + line for line in evidence_lines(need.evidence, zone, need.clock))]


def offer_line(offer: OfferPart, currency: str) -> str:
    text = (
        f"{offer.quantity} x {Money(offer.unit_price, currency)} = {Money(offer.total, currency)} from {offer.supplier}"
    )
    if offer.from_quantity:
        text += f" (price from {offer.from_quantity} on)"
    rules = [f"minimum {offer.moq}"] * (offer.moq > 1) + [f"multiples of {offer.multiple}"] * (offer.multiple > 1)
    return text + (f" [{', '.join(rules)}]" if rules else "")


def line_lines(line: LinePart, currency: str, zone: str) -> list[str]:
    out = [f"{line.line}. {line.product} ({line.sku}): {offer_line(line.chosen, currency)}"]
    if line.chosen.quantity * line.pack > line.units_needed:
        out.append(f"   {line.units_needed:g} needed; the rest for a minimum, a multiple or a lower total price")
    out += [f"   instead of {offer_line(other, currency)}" for other in line.others]
    for need in line.needs:
        out += ["   " + text for text in need_lines(need, zone)]
    return out


def budget_line(budget: BudgetPart, currency: str) -> str:
    used = f"{Money(budget.before, currency)} before and {Money(budget.after, currency)} after this order"
    if budget.amount is None:
        return f"no budget is set; {used} in {budget.month}"
    return f"budget of {budget.month}: {Money(budget.amount, currency)}; {used}"


def order_text(receipt: Receipt, state: str, reason: str, *, overdue: bool, zone: str) -> str:
    total = Money(receipt.total, receipt.currency)
    standing = state + (", overdue" if overdue else "")
    out = [
        f"Order {receipt.order} of {receipt.account} for {receipt.site}, from {receipt.supplier}: {total}, {standing}",
    ]
    if reason:
        out.append(f"because: {reason}")
    for line in receipt.lines:
        out += line_lines(line, receipt.currency, zone)
    out.append(budget_line(receipt.budget, receipt.currency))
    if receipt.limit is not None:
        out.append(f"limit per order: {Money(receipt.limit, receipt.currency)}")
    for approval in receipt.approvals:
        who = "automatically" if approval.how == "automatic" else f"by {approval.by}"
        out.append(
            f"{approval.decision} {who}, {moment(approval.at, zone)}{': ' + approval.why if approval.why else ''}"
        )
    frozen = moment(receipt.frozen_at, zone) if receipt.frozen_at else "not yet, this is how it stands"
    out.append(f"frozen: {frozen}; policy {receipt.policy}, logic {receipt.logic or 'unknown'}")
    return "\n".join(out)


_VERDICTS = {
    "fine": "not ordered: it will most probably last until goods that are ordered later arrive",
    "covered": "not ordered: what is on the shelf or on order covers it",
    "need_open": "not ordered again: its need is on its way, or was just met",
    "blocked": "not ordered: a refused need blocks it, release that to try again",
    "unmapped": "not ordered: the stream does not know yet which product fits it",
    "retired": "not ordered: it was retired when it was last looked at",
    "observe": "not ordered: it would be, but ordering is only observed (mode or pause)",
    "off": "not ordered: ordering is switched off",
    "silent": "not ordered: the device has been silent for so long that its forecast is not credible any more",
    "unknown": "not ordered: no level was ever reported",
    "site_blocked": "not ordered: the site is blocked after an internal error, see its alert",
    "unplaced": "not ordered yet: its registration is on its way",
    "imported": "not ordered yet: what is known of it is imported history, the device has said nothing since",
    "suspect": "not ordered yet: one reading says that it was refilled, the next one decides",
}


def verdict(
    sku: str | None,
    retired: bool,
    offers: int,
    mode: str,
    view: ViewPart | None,
    need: NeedNow | None,
) -> str:
    """One sentence: what is the case, or what stands against an order; the first that applies."""
    if retired:
        return "not ordered: it is retired"
    if need is not None and need.state == "open":
        return f"ordered: need {need.id} is open, order {need.order} is {need.order_state}"
    if sku is None:
        return "not ordered: no product fits this slot, map it first"
    blocks = need is not None and need.state == "refused" and not need.released
    if need is not None and blocks and (view is None or view.cycle == need.cycle):
        return f"not ordered: need {need.id} was refused ({need.reason}); release it to try again"
    if not offers:
        return f"not ordered: nobody offers {sku} in the account's currency"
    if view is None:
        return "not ordered: nothing was heard of it yet"
    if view.status == "fine" and mode in {"off", "observe"}:
        return f"not ordered: it will most probably last; and the mode is {mode}"
    return _VERDICTS.get(view.status, f"{view.status}: see the figures")


def slot_text(why: SlotWhy) -> str:
    zone = why.time_zone
    out = [f"Slot {why.slot}: {why.name} of {why.device} at {why.site} ({why.account})", why.verdict]
    if why.view is not None:
        out += _view_lines(why.view, zone)
    out.append(f"cover: {_cover(why)}")
    if why.view is not None:
        out.append(f"last heard {heard(why.view.last_heard, zone)}")
    sku = why.product or "none"
    out.append(f"product {sku}, {why.offers} offer(s)")
    paused = f", paused at {' and '.join(why.mode.paused)}" if why.mode.paused else ""
    modes = f"account {why.mode.account}, site {why.mode.site}, SKU {why.mode.sku}"
    out.append(f"mode {why.mode.effective} ({modes}{paused})")
    out.append(f"working days: {_calendar(why.calendar, zone)}")
    out.append(f"guard: {_guard(why)}")
    if why.would_order:
        out.append("in this cycle it would have been ordered, had the mode allowed it")
    out += [f"alert: {text}" for text in why.alerts]
    return "\n".join(out)


def _view_lines(view: ViewPart, zone: str) -> list[str]:
    pace = f"falling {falling(view, view.clock)}, cycle {view.cycle}"
    out = [f"level {level(view)}, {pace}; as of {moment(view.ts, zone)}"]
    if view.quantiles:
        q = view.quantiles
        out.append(f"empty around {moment(q[len(q) // 2], zone)} (from {moment(q[0], zone)} to {moment(q[-1], zone)})")
    chance = "unknown" if view.status == "unknown" else percent(view.probability)
    out.append(f"chance to be empty before goods arrive: {chance}; ordered from {percent(view.threshold)} on")
    return out


def _cover(why: SlotWhy) -> str:
    """By the books; and what the slot's last look had, if that was something else."""
    now, view = why.cover, why.view
    said = f"{now.on_hand:g} on the shelf, {now.on_order:g} on order at this site"
    if view is None or (view.on_hand, view.on_order) == (now.on_hand, now.on_order):
        return said
    return f"{said} (at its last look: {view.on_hand:g} and {view.on_order:g})"


def _calendar(seen: CalendarPart, zone: str) -> str:
    days = " ".join(f"{name} {weight:.2g}" for name, weight in zip(DAYS, seen.weekdays, strict=True))
    return f"{days}, holidays x {seen.holiday:.2g}; {seen.cause}, since {moment(seen.since, zone)}: {seen.why}"


def _guard(why: SlotWhy) -> str:
    if why.need is None:
        return "free, the slot never had a need"
    label = f"need {why.need.id} (cycle {why.need.cycle}, attempt {why.need.attempt}) is {why.need.state}"
    if why.need.state == "open":
        return f"{label}: no second one until it is met"
    if why.need.state == "refused" and not why.need.released:
        return f"{label} ({why.need.reason}): no other in this cycle until a person releases it"
    return f"free, {label}"
