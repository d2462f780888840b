"""An event as a sentence that a buyer understands, and as the text of a mail."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection, select

from ledger.events import Event
from ledger.tables import account, device, order, order_line, product, site, slot, supplier
from ledger.views.rows import iso

LINES: Final = 10
"""Of an order, in one sentence."""


def sentence(tx: Connection, event: Event) -> str:
    """One line. An order comes with its lines, its money and when it is expected."""
    noun, _, number = event.subject.partition("/")
    say = _NOUNS.get(noun)
    told = say(tx, int(number), event) if say is not None and number.isdecimal() else ""
    return told or _plain(event)


def mail(body: Mapping[str, Any]) -> tuple[str, str]:
    """(subject, text) of a message's body, as `collect` made it."""
    data = body["data"]
    if body["type"] == "test":
        return "Ullage: test", str(data["text"])
    if body["type"] != "digest":
        subject = f"Ullage: {body['type'].replace('.', ' ').replace('_', ' ')}, {data['subject']}"
        return subject, f"{data['text']}\n\n{data['happened_at']}\n"
    lines = [f"{one['happened_at'][:16].replace('T', ' ')}  {one['text']}" for one in data["events"]]
    if data["left_out"]:
        lines.append(f"... and {data['left_out']} more")
    return f"Ullage: {len(data['events']) + data['left_out']} events", "\n".join(lines) + "\n"


def _plain(event: Event) -> str:
    text = event.data.get("text") or event.data.get("reason") or ""
    said = f"{event.subject}: {event.kind.partition('.')[2].replace('_', ' ')}"
    return f"{said} ({text})" if text else said


def _order(tx: Connection, number: int, event: Event) -> str:
    found = tx.execute(
        select(order, account.c.name.label("account"), site.c.name.label("site"), supplier.c.name.label("supplier"))
        .join_from(order, account, account.c.id == order.c.account_id)
        .join(site, site.c.id == order.c.site_id)
        .join(supplier, supplier.c.id == order.c.supplier_id)
        .where(order.c.id == number)
    ).one_or_none()
    if found is None:
        return ""
    what = event.data.get("task") or event.kind.partition(".")[2]
    when = (iso(found.expected) or "")[:10]
    parts = [
        f"order {number} of {found.account} for {found.site} from {found.supplier}: {str(what).replace('_', ' ')}",
        f"{_lines(tx, number)}, {found.total} {found.currency}",
        f"expected {when}" if when else "",
        str(event.data.get("text") or ""),
    ]
    return "; ".join(part for part in parts if part)


def _lines(tx: Connection, number: int) -> str:
    query = (
        select(order_line.c.quantity, product.c.sku)
        .join_from(order_line, product, product.c.id == order_line.c.product_id)
        .where(order_line.c.order_id == number)
        .order_by(order_line.c.line)
    )
    rows = tx.execute(query.limit(LINES + 1)).all()
    told = [f"{row.quantity} x {row.sku}" for row in rows[:LINES]]
    return ", ".join(told) + (", and more" if len(rows) > LINES else "")


def _slot(tx: Connection, number: int, event: Event) -> str:
    query = (
        select(slot.c.name, device.c.name.label("device"), site.c.name.label("site"))
        .join_from(slot, device, device.c.id == slot.c.device_id)
        .join(site, site.c.id == slot.c.site_id)
        .where(slot.c.id == number)
    )
    found = tx.execute(query).one_or_none()
    if found is None:
        return ""
    text = event.data.get("text") or event.kind.partition(".")[2].replace("_", " ")
    return f"{found.name} of {found.device} at {found.site}: {text}"


_NOUNS: Final[Mapping[str, Callable[[Connection, int, Event], str]]] = {"order": _order, "slot": _slot}
