"""Commands about people: who may come in, and as what."""

from typing import Any

import click
from sqlalchemy import Connection

from ledger import people
from ledger.clock import real_ms
from ledger.grants import OWNER
from ledger.people import Person
from ledger.registry import accounts, suppliers
from ledger.registry.common import missing
from ledger.roles import ALL_ACCOUNTS, Role
from ledger.scope import Scope
from ledger.views.access import told
from models.units import MINUTE
from ullage import compose
from ullage.commands.common import SettingsOf, as_json, emit, every, moment, note, reading, show, tell, writing
from ullage.commands.options import one_of


@click.group("person")
def person_group() -> None:
    """People: they sign in on the page, approve orders, and have tokens."""


account_option = click.option("--account", "names", multiple=True, help="An account of theirs; may be repeated.")


@person_group.command("add")
@click.argument("name")
@click.option("--email", default="", help="Signs in by a link that is sent there, or by OpenID Connect.")
@click.option("--role", type=one_of(Role), required=True)
@account_option
@click.option("--supplier", help="Supplier they speak for (role supplier).")
@as_json
@click.pass_obj
def person_add(
    settings_of: SettingsOf,
    name: str,
    email: str,
    role: str,
    names: tuple[str, ...],
    supplier: str | None,
    as_json: bool,
) -> None:
    """Let somebody in. Planners and operators without --account see all accounts."""
    with writing(settings_of) as (tx, _):
        supplier_id = suppliers.find(tx, supplier).id if supplier else None
        bound = _accounts(tx, Role(role), names)
        made = people.create(
            tx, OWNER, name, Role(role), real_ms(), email=email, accounts=bound, supplier_id=supplier_id
        )
        note(tx, "person.created", f"person/{made.id}", after=told(made))
    tell(made, f"person {made.id}, {made.name}, is {made.role}: ullage person link {made.id}", as_json)


@person_group.command("list")
@as_json
@click.pass_obj
def person_list(settings_of: SettingsOf, as_json: bool) -> None:
    """All people, also those who may not come in any more."""
    with reading(settings_of) as tx:
        found = every(lambda after: people.list_people(tx, Scope.all(), after=after))
    show(found, ("id", "name", "email", "role", "accounts", "ended"), "Nobody yet: ullage person add", as_json,
         accounts=_words, ended=moment)  # fmt: skip


@person_group.command("change")
@click.argument("who", metavar="PERSON")
@click.option("--name", help="Another name.")
@click.option("--email", help="Another address; an empty one takes it away.")
@click.option("--role", type=one_of(Role), help="Another role; it counts at once.")
@account_option
@as_json
@click.pass_obj
def person_change(
    settings_of: SettingsOf,
    who: str,
    name: str | None,
    email: str | None,
    role: str | None,
    names: tuple[str, ...],
    as_json: bool,
) -> None:
    """Change what is given; PERSON is a number or an e-mail address."""
    with writing(settings_of) as (tx, _):
        before = named(tx, who)
        changed: dict[str, Any] = {"name": name, "email": email, "role": Role(role) if role else None}
        if names:
            changed["accounts"] = _accounts(tx, before.role, names)
        after = people.change(tx, OWNER, before.id, **changed)
        note(tx, "person.changed", f"person/{after.id}", before=told(before), after=told(after))
    tell(after, f"person {after.id}, {after.name}, is {after.role}", as_json)


@person_group.command("end")
@click.argument("who", metavar="PERSON")
@as_json
@click.pass_obj
def person_end(settings_of: SettingsOf, who: str, as_json: bool) -> None:
    """Keep somebody out from now on: tokens, links and sessions end. PERSON is a number or an e-mail address."""
    with writing(settings_of) as (tx, _):
        before = named(tx, who)
        after = people.end(tx, OWNER, before.id, real_ms())
        note(tx, "person.ended", f"person/{after.id}", before=told(before), after=told(after))
    tell(after, f"person {after.id}, {after.name}, may not come in any more", as_json)


@person_group.command("link")
@click.argument("who", metavar="PERSON")
@click.option("--minutes", type=click.IntRange(1, 10_080), default=15, show_default=True, help="How long it works.")
@as_json
@click.pass_obj
def person_link(settings_of: SettingsOf, who: str, minutes: int, as_json: bool) -> None:
    """A link that signs somebody in on the page, once. PERSON is a number or an e-mail address."""
    with writing(settings_of) as (tx, _):
        found = named(tx, who)
        code = people.make_link(tx, found.id, real_ms(), minutes * MINUTE)
        note(tx, "link.made", f"person/{found.id}", after={"minutes": minutes})
    address = f"{compose.api_url(settings_of())}/sign-in?code={code}"
    emit({"person_id": found.id, "link": address}) if as_json else click.echo(address)


def named(tx: Connection, who: str) -> Person:
    """By number or e-mail address. Raises NotFound."""
    if who.isdecimal():
        return people.get(tx, Scope.all(), int(who))
    found = people.with_email(tx, who)
    if found is None:
        raise missing("person", who)
    return found


def _accounts(tx: Connection, role: Role, names: tuple[str, ...]) -> list[int] | None:
    if role in ALL_ACCOUNTS and not names:
        return None
    return [accounts.find(tx, Scope.all(), one).id for one in names]


def _words(ids: list[int] | None) -> str:
    return "all" if ids is None else ", ".join(map(str, ids)) or "-"
