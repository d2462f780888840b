"""Commands about who may call the API: tokens."""

from typing import Any

import click

from ledger import tokens
from ledger.clock import real_ms
from ledger.registry import accounts, suppliers
from ledger.roles import ALL_ACCOUNTS, Permission, Role
from ledger.scope import Scope
from ledger.tokens import Made
from ledger.views.access import told
from models.units import DAY, HOUR
from ullage.commands.common import SettingsOf, as_json, emit, every, moment, note, reading, show, tell, writing
from ullage.commands.options import one_of
from ullage.commands.people import named


@click.group()
def token() -> None:
    """API tokens, of people and of services."""


@token.command("create")
@click.option("--name", required=True, help="What it is for.")
@click.option("--person", "who", help="Whose it is, by number or e-mail: it has their role and accounts.")
@click.option("--role", type=one_of(Role), default=Role.OPERATOR.value, show_default=True, help="Of a service.")
@click.option("--account", "names", multiple=True, help="Account it is bound to; may be repeated. None: all accounts.")
@click.option("--supplier", help="Supplier it is bound to (role supplier).")
@click.option("--scope", "scopes", multiple=True, type=one_of(Permission), help="Less than its role.")
@click.option("--days", type=click.IntRange(1, 3650), help="It ends after so many; default: never.")
@as_json
@click.pass_obj
def token_create(
    settings_of: SettingsOf,
    name: str,
    who: str | None,
    role: str,
    names: tuple[str, ...],
    supplier: str | None,
    scopes: tuple[str, ...],
    days: int | None,
    as_json: bool,
) -> None:
    """Make a token; its secret is shown this once. Only a person's token approves orders."""
    now = real_ms()
    more: dict[str, Any] = {"scopes": [Permission(scope) for scope in scopes]}
    more["expires"] = None if days is None else now + days * DAY
    with writing(settings_of) as (tx, _):
        if who is not None:
            made = tokens.create_for(tx, name, named(tx, who).id, now, **more)
        else:
            unbound = Role(role) in ALL_ACCOUNTS and not names
            bound = None if unbound else [accounts.find(tx, Scope.all(), one).id for one in names]
            supplier_id = suppliers.find(tx, supplier).id if supplier else None
            made = tokens.create(tx, name, Role(role), now, accounts=bound, supplier_id=supplier_id, **more)
        note(tx, "token.created", f"token/{made.token.id}", after=told(made.token))
    _shown(made, as_json)


@token.command("rotate")
@click.argument("number", type=int)
@click.option("--overlap-hours", type=click.IntRange(0, 720), default=24, show_default=True, help="Both work so long.")
@as_json
@click.pass_obj
def token_rotate(settings_of: SettingsOf, number: int, overlap_hours: int, as_json: bool) -> None:
    """Make a new secret with the same rights; the old one lives on for a while."""
    with writing(settings_of) as (tx, _):
        before = tokens.get(tx, number)
        made = tokens.rotate(tx, number, real_ms(), overlap_ms=overlap_hours * HOUR)
        note(tx, "token.rotated", f"token/{number}", before=told(before), after=told(tokens.get(tx, number)))
        note(tx, "token.created", f"token/{made.token.id}", after=told(made.token))
    _shown(made, as_json)


@token.command("list")
@as_json
@click.pass_obj
def token_list(settings_of: SettingsOf, as_json: bool) -> None:
    """All tokens, without their secrets; also the revoked ones."""
    with reading(settings_of) as tx:
        found = every(lambda after: tokens.list_tokens(tx, after=after))
    columns = ("id", "name", "prefix", "role", "person", "scopes", "expires", "last_used", "revoked")
    times = dict.fromkeys(("expires", "last_used", "revoked"), moment)
    show(found, columns, "No tokens: ullage token create", as_json, scopes=" ".join, **times)


@token.command("revoke")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def token_revoke(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """End a token at once and for ever."""
    with writing(settings_of) as (tx, _):
        before = tokens.get(tx, number)
        note(
            tx,
            "token.revoked",
            f"token/{number}",
            before=told(before),
            after=told(tokens.revoke(tx, number, real_ms())),
        )
    tell({"id": number, "revoked": True}, f"token {number} is revoked", as_json)


def _shown(made: Made, as_json: bool) -> None:
    if as_json:
        emit({"id": made.token.id, "role": made.token.role, "secret": made.secret})
    else:
        click.echo(made.secret)
        click.echo("This is the only time that it is shown. Send it as: Authorization: Bearer ...", err=True)
