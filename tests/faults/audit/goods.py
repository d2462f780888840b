"""Books, suppliers and accounts: units in balance, every purchase order once at its supplier, nothing mixed."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from ledger import books
from tests.faults.audit.evidence import Evidence

EPSILON = 1e-6


def check(evidence: Evidence) -> Iterator[str]:
    yield from map(str, books.check(evidence.tx))
    yield from _units(evidence)
    yield from _shelves(evidence)
    yield from _at_suppliers(evidence)
    yield from _accounts(evidence)


def _units(evidence: Evidence) -> Iterator[str]:
    """Ordered = delivered + under way + cancelled + lost, line by line, from the deliveries themselves."""
    came: Counter[int] = Counter()
    for row in evidence.rows("select purchase_order_line_id as line, kind, quantity from delivery"):
        if row.kind in {"delivered", "inferred"}:
            came[row.line] += row.quantity
    rows = evidence.rows(
        "select p.*, l.units, l.pack, l.delivered as units_delivered, l.live"
        " from purchase_order_line p join order_line l on l.id = p.order_line_id"
    )
    for row in rows:
        under_way = row.quantity + row.over - row.delivered - row.cancelled - row.lost
        if row.quantity * row.pack != row.units:
            yield f"purchase order line {row.id}: {row.quantity} packs of {row.pack} are not {row.units} units"
        if came[row.id] != row.delivered:
            yield f"purchase order line {row.id}: {came[row.id]} packs were delivered, {row.delivered} are booked"
        if under_way < 0 or bool(row.live) != (under_way > 0):
            yield f"purchase order line {row.id}: {under_way} packs under way, counted on is {bool(row.live)}"


def _shelves(evidence: Evidence) -> Iterator[str]:
    """Spares are what came less what was used; each movement goes on from the one before."""
    shelf: dict[tuple[int, int], float] = defaultdict(float)
    for row in evidence.rows("select * from stock_movement order by id"):
        place = row.site_id, row.product_id
        shelf[place] += row.units
        if abs(shelf[place] - row.on_hand) > EPSILON:
            yield f"stock movement {row.id}: {row.on_hand} on hand afterwards, but it should be {shelf[place]}"
            shelf[place] = row.on_hand
    for row in evidence.rows("select site_id, product_id, on_hand from stock"):
        if abs(shelf[row.site_id, row.product_id] - row.on_hand) > EPSILON:
            yield f"site {row.site_id} has {row.on_hand} of product {row.product_id} by the books, not what was moved"
    refills = {f"refill/{r.slot_id}/{r.cycle}" for r in evidence.rows("select slot_id, cycle from refill")}
    for row in evidence.rows("select id, source from stock_movement where kind = 'used'"):
        if row.source not in refills:
            yield f"stock movement {row.id} is a use by {row.source}, which never was"


def _at_suppliers(evidence: Evidence) -> Iterator[str]:
    ours = {row.id: row for row in evidence.rows("select * from purchase_order")}
    taken = Counter(int(document["purchase_order"]) for document in evidence.purchase_orders)
    orders = Counter(int(document["order"]) for document in evidence.purchase_orders)
    for number, count in sorted(taken.items()):
        if count > 1:
            yield f"purchase order {number} is at its supplier {count} times"
        if number not in ours:
            yield f"purchase order {number} is at its supplier, but not in the ledger"
    for number, count in sorted(orders.items()):
        if count > 1:
            yield f"order {number} went out as {count} purchase orders"
    sandboxes = {row.id for row in evidence.rows("select id from orders where sandbox")}
    waits = {row.key for row in evidence.rows("select key from outbox where state <> 'done'")}
    for row in ours.values():
        if row.id not in taken and row.order_id not in sandboxes and f"purchase_order/{row.id}" not in waits:
            yield f"purchase order {row.id} never reached its supplier, and nothing waits to be sent"
    for document in evidence.purchase_orders:
        yield from _document(evidence, document)


def _document(evidence: Evidence, document: dict[str, Any]) -> Iterator[str]:
    number = int(document["purchase_order"])
    head = evidence.rows(
        "select p.order_id, a.name as account, s.name as site from purchase_order p"
        " join account a on a.id = p.account_id join site s on s.id = p.site_id where p.id = :number",
        number=number,
    )
    if not head:
        return
    said = (document["order"], document["account"], document["site"]["name"])
    if said != tuple(head[0]):
        yield f"purchase order {number} says (order, account, site) {said}, the ledger {tuple(head[0])}"
    lines = evidence.rows(
        "select l.line, p.sku, l.supplier_sku, l.quantity from purchase_order_line l"
        " join product p on p.id = l.product_id where l.purchase_order_id = :number order by l.line",
        number=number,
    )
    sent = [(line["line"], line["sku"], line["supplier_sku"], line["quantity"]) for line in document["lines"]]
    if sent != [tuple(line) for line in lines]:
        yield f"purchase order {number} has other lines at its supplier than in the ledger: {json.dumps(sent)}"


_OWNERS = (
    ("device", "site", "device d join site s on s.id = d.site_id", "d.id", "d.account_id <> s.account_id"),
    (
        "slot",
        "device and site",
        "slot x join device d on d.id = x.device_id join site s on s.id = x.site_id",
        "x.id",
        "x.account_id <> d.account_id or x.account_id <> s.account_id or d.site_id <> s.id",
    ),
    (
        "need",
        "slot",
        "need n join slot x on x.id = n.slot_id",
        "n.id",
        "n.account_id <> x.account_id or n.site_id <> x.site_id",
    ),
    (
        "need",
        "order",
        "need n join order_line l on l.id = n.order_line_id join orders o on o.id = l.order_id",
        "n.id",
        "n.account_id <> o.account_id or n.site_id not in (o.site_id, l.site_id) or n.product_id <> l.product_id",
    ),
    ("order", "site", "orders o join site s on s.id = o.site_id", "o.id", "o.account_id <> s.account_id"),
    (
        "purchase order",
        "order",
        "purchase_order p join orders o on o.id = p.order_id",
        "p.id",
        "p.account_id <> o.account_id or p.site_id <> o.site_id or p.supplier_id <> o.supplier_id",
    ),
    (
        "order line's budget",
        "order",
        "order_line l join budget b on b.id = l.budget_id join orders o on o.id = l.order_id",
        "l.id",
        "b.account_id <> o.account_id",
    ),
    ("view", "slot", "slot_view v join slot x on x.id = v.slot_id", "v.slot_id", "v.account_id <> x.account_id"),
)
"""(what, whose, tables, id, when they are of different accounts or places)."""


def _accounts(evidence: Evidence) -> Iterator[str]:
    for what, whose, tables, number, mixed in _OWNERS:
        for row in evidence.rows(f"select {number} from {tables} where {mixed}"):  # noqa: S608  names of our own
            yield f"{what} {row[0]} and its {whose} are not of the same account and site"
