"""Commands about who may call the API: tokens."""

import click

from ledger import tokens
from ledger.clock import real_ms
from ledger.registry import accounts, suppliers
from ledger.roles import ALL_ACCOUNTS, Role
from ledger.scope import Scope
from ullage.commands.common import SettingsOf, as_json, emit, every, moment, note, reading, show, tell, writing


@click.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@click.option("--name", required=True, help="What it is for.")
@click.option("--role", type=click.Choice(list(Role)), default=Role.OPERATOR, show_default=True)
@click.option("--account", "names", multiple=True, help="Account it is bound to; may be repeated. None: all accounts.")
@click.option("--supplier", help="Supplier it is bound to (role supplier).")
@click.option("--person", "who", default="", help="Who stands on approvals; default: the token's name.")
@as_json
@click.pass_obj
def token_create(
    settings_of: SettingsOf, name: str, role: str, names: tuple[str, ...], supplier: str | None, who: str, as_json: bool
) -> None:
    """Make a token; its secret is shown this once."""
    with writing(settings_of) as (tx, _):
        unbound = Role(role) in ALL_ACCOUNTS and not names
        bound = None if unbound else [accounts.find(tx, Scope.all(), one).id for one in names]
        supplier_id = suppliers.find(tx, supplier).id if supplier else None
        made = tokens.create(tx, name, Role(role), real_ms(), person=who, accounts=bound, supplier_id=supplier_id)
        note(tx, "token.created", f"token/{made.token.id}", after={"name": name, "role": role})
    if as_json:
        emit({"id": made.token.id, "role": role, "secret": made.secret})
    else:
        click.echo(made.secret)
        click.echo("This is the only time that it is shown. Send it as: Authorization: Bearer ...", err=True)


@token.command("list")
@as_json
@click.pass_obj
def token_list(settings_of: SettingsOf, as_json: bool) -> None:
    """All tokens, without their secrets; also the revoked ones."""
    with reading(settings_of) as tx:
        found = every(lambda after: tokens.list_tokens(tx, after=after))
    columns = ("id", "name", "prefix", "role", "person", "last_used", "revoked")
    show(found, columns, "No tokens: ullage token create", as_json, last_used=moment, revoked=moment)


@token.command("revoke")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def token_revoke(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """End a token at once and for ever."""
    with writing(settings_of) as (tx, _):
        tokens.revoke(tx, number, real_ms())
        note(tx, "token.revoked", f"token/{number}")
    tell({"id": number, "revoked": True}, f"token {number} is revoked", as_json)
