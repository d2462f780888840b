"""Why, as a text that a planner understands. Times are shown in the site's time zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ledger.receipts import BudgetPart, LinePart, NeedPart, OfferPart, Receipt
from models.effects import Evidence
from models.money import Money
from models.units import DAY, HOUR, NEVER

CAUSES = {
    "probability": "it would probably be empty before the goods arrive",
    "signal": "the device asked for it",
    "request": "somebody asked for it",
}


def moment(ms: int, zone: str) -> str:
    if not 0 < ms < NEVER // 4:
        return "not in sight"
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(ZoneInfo(zone)).strftime("%a %Y-%m-%d %H:%M")


def percent(share: float) -> str:
    """0.004 is not 0 %: small chances keep a digit."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.5 or value == 0 else f"{value:.1f} %"


def span(ms: int) -> str:
    if ms >= 2 * DAY:
        return f"{ms / DAY:.1f} days"
    return f"{ms / HOUR:.1f} hours"


def level(evidence: Evidence) -> str:
    if evidence.level_high - evidence.level_low < 2:
        return f"{evidence.level:.0f} %"
    return f"{evidence.level_low:.0f} to {evidence.level_high:.0f} % (probably {evidence.level:.0f} %)"


def evidence_lines(evidence: Evidence, zone: str) -> list[str]:
    """What was known: the level, the pace, the empty date, the chances, the way of the goods, the cover."""
    heard = moment(evidence.last_heard, zone)
    lines = [f"level {level(evidence)}, falling {evidence.rate:.2f} % per working day; last heard {heard}"]
    if evidence.quantiles:
        q = evidence.quantiles
        lines.append(
            f"empty around {moment(q[len(q) // 2], zone)} (from {moment(q[0], zone)} to {moment(q[-1], zone)})"
        )
    lines.append(
        f"chance to be empty before goods arrive: {percent(evidence.probability)}"
        f" (a day earlier {percent(evidence.probability_earlier)}, a day later {percent(evidence.probability_later)});"
        f" accepted: {percent(evidence.threshold)}"
    )
    if evidence.lead_ms:
        grid = sorted(evidence.lead_ms)
        lines.append(f"goods take {span(grid[len(grid) // 2])} (between {span(grid[0])} and {span(grid[-1])})")
    cover = f"cover: {evidence.on_hand:g} on the shelf, {evidence.on_order:g} on order"
    lines.append(f"{cover}, {evidence.claims} machine(s) before this one")
    return lines


def need_lines(need: NeedPart, zone: str) -> list[str]:
    head = f"{need.device} {need.slot_name} (slot {need.slot}, cycle {need.cycle}): {CAUSES[need.cause]}"
    if need.urgent:
        head += "; urgent"
    return [head, *("  " + line for line in evidence_lines(need.evidence, zone))]


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
    if line.chosen.quantity > line.units_needed:
        out.append(
            f"   {line.units_needed} needed; the rest for the supplier's minimum, multiple or a lower total price"
        )
    out += [f"   instead of {offer_line(other, currency)}" for other in line.others]
    for need in line.needs:
        out += ["   " + text for text in need_lines(need, zone)]
    return out


def budget_line(budget: BudgetPart, currency: str) -> str:
    used = f"{Money(budget.before, currency)} before and {Money(budget.after, currency)} after this order"
    if budget.amount is None:
        return f"no budget is set; {used} in {budget.month}"
    return f"budget of {budget.month}: {Money(budget.amount, currency)}; {used}"


def receipt_text(receipt: Receipt, state: str, zone: str) -> str:
    total = Money(receipt.total, receipt.currency)
    head = [
        f"Order {receipt.order} of {receipt.account} for {receipt.site}, from {receipt.supplier}: {total}, {state}",
    ]
    for line in receipt.lines:
        head += line_lines(line, receipt.currency, zone)
    head.append(budget_line(receipt.budget, receipt.currency))
    if receipt.limit is not None:
        head.append(f"limit per order: {Money(receipt.limit, receipt.currency)}")
    for approval in receipt.approvals:
        who = "automatically" if approval.how == "automatic" else f"by {approval.by}"
        head.append(f"{approval.decision} {who} {moment(approval.at, zone)}: {approval.why}")
    frozen = moment(receipt.frozen_at, zone) if receipt.frozen_at else "not yet: this is how it stands"
    head.append(f"frozen {frozen}; policy {receipt.policy}, logic {receipt.logic or 'unknown'}")
    return "\n".join(head)
