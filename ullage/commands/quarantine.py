"""Commands about input that was acknowledged but could not be used."""

from contextlib import closing

import click

from ingest.again import again
from ingest.limits import Rejected
from journal.routing import partition_of
from ledger import quarantine
from ledger.directory import LedgerDirectory
from ledger.engine import Ledger
from ledger.quarantine import Held
from ledger.scope import Scope
from models.identity import DeviceIdentity
from models.stores import StoreError
from ullage import compose
from ullage.commands.common import (
    SettingsOf,
    as_json,
    domain_now,
    every,
    moment,
    note,
    opened,
    person,
    reading,
    show,
    tell,
)

ALL = Scope.all()


@click.group("quarantine")
def quarantine_group() -> None:
    """Input that was acknowledged but could not be used."""


@quarantine_group.command("list")
@click.option("--device", "device_id", type=int, help="Of this device only.")
@as_json
@click.pass_obj
def quarantine_list(settings_of: SettingsOf, device_id: int | None, as_json: bool) -> None:
    """What waits for a person, oldest first."""
    with reading(settings_of) as tx:
        rows = every(lambda after: quarantine.list_held(tx, ALL, device_id=device_id, after=after))
    show(rows, ("id", "device_id", "ts", "code", "reason"), "Nothing is in quarantine.", as_json, ts=moment)


@quarantine_group.command("replay")
@click.argument("number", type=int)
@as_json
@click.pass_obj
def quarantine_replay(settings_of: SettingsOf, number: int, as_json: bool) -> None:
    """Take a refused message again, as it would be taken today. Exit code 1 when it is refused still."""
    settings = settings_of()
    now = domain_now(settings)
    with opened(settings) as ledger:
        held, identity = _found(ledger, number)
        record = again(held.raw, identity, held.ts)
        if isinstance(record, Rejected):
            raise StoreError(f"quarantined input {number} is refused still: {record.reason}")
        with closing(compose.journal_of(settings)) as journal:
            partition = partition_of(identity.shard, journal.partitions)
            (offset,) = journal.append([(partition, record)])
        with ledger.write() as tx:  # after the append: between the two, once more does no harm
            quarantine.replayed(tx, ALL, number, person(), now)
            note(tx, "quarantine.replayed", f"quarantine/{number}", account_id=held.account_id)
    done = {"id": number, "state": "replayed", "partition": partition, "offset": offset}
    tell(done, f"Quarantined input {number} is in the journal: partition {partition}, offset {offset}.", as_json)


def _found(ledger: Ledger, number: int) -> tuple[Held, DeviceIdentity]:
    """What waits, and its device as it is now. Raises NotFound, StoreError."""
    with ledger.read() as tx:
        held = quarantine.get(tx, ALL, number)
    if held.state != "held":
        raise StoreError(f"quarantined input {number} was {held.state} already")
    if held.device_id is None:
        raise StoreError(f"quarantined input {number} is of no registered device")
    return held, LedgerDirectory(ledger).numbered(held.device_id)
