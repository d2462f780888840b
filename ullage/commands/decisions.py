"""Commands for planners and buyers: orders, and why."""

import sys
from typing import Any

import click
import msgspec
from sqlalchemy import Connection

from ledger import why as reasons
from ledger.orders.facade import Orders
from ledger.registry import accounts, devices, slots
from ledger.roles import Permission
from ledger.scope import NotFound, Scope
from ledger.views import orders as order_views
from models.orders import OrderState
from models.stores import StoreError
from ullage import compose
from ullage.commands.common import SettingsOf, as_json, domain_now, emit, opened, person, reading, shown_at, table, tell
from ullage.commands.options import one_of
from ullage.commands.people import named

ALL = Scope.all()


@click.group()
def orders() -> None:
    """Orders."""


@orders.command("list")
@click.option("--state", type=one_of(OrderState), help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@as_json
@click.pass_obj
def orders_list(settings_of: SettingsOf, state: str | None, limit: int, as_json: bool) -> None:
    """Newest first."""
    with reading(settings_of) as tx:
        rows = order_views.orders(tx, ALL, state=state, limit=limit)
    if as_json:
        emit(rows)
        return
    shown = [
        row | {"created": shown_at(row["created_at"]), "total": f"{row['total']} {row['currency']}"} for row in rows
    ]
    table(shown, ("id", "account", "site", "supplier", "state", "total", "created", "reason"), "No orders yet.")


@orders.command("show")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def orders_show(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """An order with its lines."""
    with reading(settings_of) as tx:
        found = order_views.order(tx, ALL, number)
    if as_json:
        emit(found)
        return
    click.echo(f"order {number} for {found['account']}/{found['site']}: {found['state']}")
    click.echo(f"total {found['total']} {found['currency']}")
    click.echo(
        f"supplier {found['supplier']}, made {shown_at(found['created_at'])}, expected {shown_at(found['expected_at'])}"
    )
    columns = ("line", "sku", "product", "quantity", "unit_price", "amount", "state", "delivered")
    table(found["lines"], columns, "It has no lines.")
    for name in ("reference", "blanket_order", "cost_centre"):
        if found[name]:
            click.echo(f"{name.replace('_', ' ')} {found[name]}")
    for one in found["approvals"]:
        click.echo(f"{one['decision']} by {one['by']}, {shown_at(one['decided_at'])}: {one['reason']}")
    click.echo(f"Why: ullage why order/{number}")


@orders.command("details")
@click.argument("number", type=int)
@click.option("--reference", help="The buyer's.")
@click.option("--blanket-order", help="The blanket purchase order that it draws on.")
@click.option("--cost-centre", help="Whose budget it spends, if that has one.")
@as_json
@click.pass_obj
def orders_details(
    settings_of: SettingsOf,
    number: int,
    reference: str | None,
    blanket_order: str | None,
    cost_centre: str | None,
    as_json: bool,
) -> None:
    """Set what the order carries for the buyer's books, until it is approved."""
    settings = settings_of()
    values = {"reference": reference, "blanket_order": blanket_order, "cost_centre": cost_centre}
    with opened(settings) as ledger:
        verbs = Orders(ledger, compose.rules_of(settings))
        verbs.carry(ALL, number, by=person(), now=domain_now(settings), **values)
    tell({"id": number} | values, f"order {number} carries it", as_json)


@orders.command("approve")
@click.argument("number", type=int)
@click.option("--as", "who", metavar="PERSON", required=True, help="Who approves, by number or e-mail.")
@as_json
@click.pass_obj
def orders_approve(settings_of: SettingsOf, number: int, who: str, as_json: bool) -> None:
    """Approve an order that waits; price, limits and budget are checked again. Exit code 1 when they forbid it."""
    settings = settings_of()
    with opened(settings) as ledger:
        with ledger.read() as tx:
            order_views.order(tx, ALL, number)
            approver = named(tx, who)
        if not approver.live or Permission.APPROVE not in approver.permissions:
            raise StoreError(f"{approver.name} does not approve orders: ullage person list")
        outcome = Orders(ledger, compose.rules_of(settings)).approve(
            approver.scope, number, by=person(), now=domain_now(settings), person_id=approver.id
        )
    tell({"id": number} | msgspec.to_builtins(outcome), outcome.text, as_json)
    sys.exit(0 if outcome.code == "approved" else 1)


@orders.command("reject")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Stands in the order's history.")
@as_json
@click.pass_obj
def orders_reject(settings_of: SettingsOf, number: int, reason: str, as_json: bool) -> None:
    """Say no to an order that waits for approval; its slots are blocked until somebody releases their needs."""
    settings = settings_of()
    with opened(settings) as ledger:
        verbs = Orders(ledger, compose.rules_of(settings))
        state = verbs.reject(ALL, number, by=person(), now=domain_now(settings), reason=reason)
    tell({"id": number, "state": state}, f"order {number} is {state}", as_json)


@orders.command("cancel")
@click.argument("number", type=int)
@click.option("--reason", default="", help="Stands in the order's history.")
@as_json
@click.pass_obj
def orders_cancel(settings_of: SettingsOf, number: int, reason: str, as_json: bool) -> None:
    """Cancel; when it is placed already, the supplier is asked."""
    settings = settings_of()
    with opened(settings) as ledger:
        verbs = Orders(ledger, compose.rules_of(settings))
        state = verbs.cancel(ALL, number, by=person(), now=domain_now(settings), reason=reason)
    tell({"id": number, "state": state}, f"order {number} is {state}", as_json)


@click.command()
@click.argument("what", metavar="ORDER|SLOT")
@as_json
@click.pass_obj
def why(settings_of: SettingsOf, what: str, as_json: bool) -> None:
    """Why an order was made, or why a slot is (not) ordered for.

    ORDER: a number or order/12. SLOT: slot/40 or ACCOUNT/DEVICE/SLOT, such as acme/copier-01/black."""
    settings = settings_of()
    with opened(settings) as ledger, ledger.read() as tx:
        found = _explain(tx, what, domain_now(settings))
    emit(found) if as_json else click.echo(found.text())


def _explain(tx: Connection, what: str, now: int) -> Any:
    parts = what.split("/")
    if parts[0].isdecimal() and len(parts) == 1:
        return reasons.why_order(tx, ALL, int(what), now)
    if len(parts) == 2 and parts[1].isdecimal() and parts[0] == "order":
        return reasons.why_order(tx, ALL, int(parts[1]), now)
    if len(parts) == 2 and parts[1].isdecimal() and parts[0] == "slot":
        return reasons.why_slot(tx, ALL, int(parts[1]))
    if len(parts) == 3:
        owner = accounts.find(tx, ALL, parts[0])
        machine = devices.find(tx, ALL, owner.id, parts[1])
        for slot in slots.list_slots(tx, ALL, device_id=machine.id):
            if slot.name == parts[2]:
                return reasons.why_slot(tx, ALL, slot.id)
    raise NotFound(f"{what!r} is neither an order (12, order/12) nor a slot (slot/40, ACCOUNT/DEVICE/SLOT)")
