"""Commands about notices: who is told of which events."""

from typing import Any

import click
import msgspec

from ledger.clock import real_ms
from ledger.notices import subscriptions
from ledger.notices.collect import sample
from ledger.notices.subscriptions import CHANNELS, DEFAULT_KINDS
from ledger.registry import accounts
from ledger.scope import Scope
from models.units import MINUTE
from ullage.commands.common import SettingsOf, as_json, every, note, reading, show, tell, writing

ALL = Scope.all()


def _worded(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"kinds": " ".join(row["kinds"])}


@click.group()
def subscription() -> None:
    """Notices by webhook or e-mail."""


@subscription.command("add")
@click.argument("name")
@click.argument("target")
@click.option("--channel", type=click.Choice(CHANNELS), default="webhook", show_default=True)
@click.option("--account", "account_name", help="Whose events; without it those of all accounts.")
@click.option("--kind", "kinds", multiple=True, help="order.placed, order.* or *; may be repeated.")
@click.option("--digest", type=click.IntRange(0, 44_640), default=0, help="Minutes; 0: each event at once.")
@as_json
@click.pass_obj
def subscription_add(
    settings_of: SettingsOf,
    name: str,
    target: str,
    channel: str,
    account_name: str | None,
    kinds: tuple[str, ...],
    digest: int,
    as_json: bool,
) -> None:
    """Tell TARGET (a URL or an e-mail address) what happens from now on. A webhook's secret is shown this once."""
    with writing(settings_of) as (tx, now):
        account_id = accounts.find(tx, ALL, account_name).id if account_name else None
        made = subscriptions.create(
            tx,
            ALL,
            name,
            channel,
            target,
            now,
            account_id=account_id,
            kinds=kinds or DEFAULT_KINDS,
            digest_ms=digest * MINUTE or None,
        )
        number = made.subscription.id
        note(tx, "subscription.created", f"subscription/{number}", account_id=account_id, after=made.subscription)
    text = f"subscription {number}: {name}, {' '.join(made.subscription.kinds)}"
    if made.secret:
        text += f"\nsecret, shown this once: {made.secret}"
    tell(msgspec.structs.asdict(made.subscription) | {"secret": made.secret}, text, as_json)


@subscription.command("list")
@as_json
@click.pass_obj
def subscription_list(settings_of: SettingsOf, as_json: bool) -> None:
    """All subscriptions, without their secrets."""
    with reading(settings_of) as tx:
        found = every(lambda after: subscriptions.list_subscriptions(tx, ALL, after=after))
    columns = ("id", "account_id", "name", "channel", "target", "kinds", "digest_ms", "paused")
    rows = found if as_json else [_worded(row) for row in found]
    show(rows, columns, "Nobody is told of anything yet: ullage subscription add", as_json)


@subscription.command("pause")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def subscription_pause(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """Tell nothing until it is resumed, and nothing later of what happens meanwhile."""
    _set_paused(settings_of, number, as_json, paused=True)


@subscription.command("resume")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def subscription_resume(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """Tell what happens from now on."""
    _set_paused(settings_of, number, as_json, paused=False)


def _set_paused(settings_of: SettingsOf, number: int, as_json: bool, *, paused: bool) -> None:
    with writing(settings_of) as (tx, now):
        before = subscriptions.get(tx, ALL, number)
        after = subscriptions.change(tx, ALL, number, now, paused=paused)
        subject = f"subscription/{number}"
        note(tx, "subscription.changed", subject, account_id=after.account_id, before=before, after=after)
    tell(msgspec.structs.asdict(after), f"subscription {number} is {'paused' if paused else 'resumed'}", as_json)


@subscription.command("remove")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def subscription_remove(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """End it; what still waits for it is not delivered."""
    with writing(settings_of) as (tx, _):
        before = subscriptions.get(tx, ALL, number)
        subscriptions.remove(tx, ALL, number)
        subject = f"subscription/{number}"
        note(tx, "subscription.removed", subject, account_id=before.account_id, before=before)
    tell({"id": number, "removed": True}, f"subscription {number} is removed", as_json)


@subscription.command("test")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def subscription_test(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """Send a message of type `test`; `ullage outbox list` shows it while it does not arrive."""
    with writing(settings_of) as (tx, now):
        found = subscriptions.get(tx, ALL, number)
        name = sample(tx, number, now, real_ms())
        note(tx, "subscription.tested", f"subscription/{number}", account_id=found.account_id)
    tell({"id": number, "message_id": name}, f"message {name} is on its way to {found.target}", as_json)


@subscription.command("replay")
@click.argument("number", type=int)
@click.option("--after", type=click.IntRange(min=0), required=True, help="Tell the events above this id again.")
@as_json
@click.pass_obj
def subscription_replay(settings_of: SettingsOf, number: int, after: int, as_json: bool) -> None:
    """Tell again what happened, with the same message ids."""
    with writing(settings_of) as (tx, _):
        found = subscriptions.replay(tx, ALL, number, after)
        subject = f"subscription/{number}"
        note(tx, "subscription.replayed", subject, account_id=found.account_id, after={"position": after})
    tell(msgspec.structs.asdict(found), f"subscription {number} is told again from event {after + 1} on", as_json)
