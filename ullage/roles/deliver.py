"""Role `deliver`: facts and requests into the journal, purchase orders to suppliers; and the ledger's chores."""

import asyncio
import socket
from contextlib import closing

import structlog

from ledger import events
from ledger.deliver import run
from ledger.engine import Ledger
from ledger.registry import calendars
from ledger.sinks import FileSink, SupplierEndpoints, SupplierSink, WebhookSink
from models.outbox import Kind
from models.stores import Unavailable
from models.units import DAY
from ullage import compose
from ullage.role import Role
from ullage.roles.common import pause
from ullage.sinks import JournalSink

log = structlog.get_logger()

EVENTS_KEPT = 400 * DAY
CHORES_EVERY = 60.0  # real seconds: a simulated world's year may pass in two hours


async def main(role: Role) -> None:
    s = role.settings
    with closing(compose.journal_of(s)) as journal, closing(compose.ledger_of(s)) as ledger:
        into_journal = JournalSink(journal)
        with WebhookSink(SupplierEndpoints(ledger)) as webhook:
            suppliers = SupplierSink(ledger, file=FileSink(s.purchase_orders), webhook=webhook)
            role.ready()
            chores = asyncio.create_task(_chores(role, ledger))
            await run(
                ledger,
                {Kind.FACT: into_journal, Kind.REQUEST: into_journal, Kind.PURCHASE_ORDER: suppliers},
                role.stop,
                owner=f"deliver@{socket.gethostname()}",
                now=role.now,
            )
            await chores


async def _chores(role: Role, ledger: Ledger) -> None:
    """What the ledger needs now and then: calendars that reach far enough ahead, an end to old events."""

    def turn() -> None:
        with ledger.write() as tx:
            calendars.extend(tx, role.now())
            events.expire(tx, role.now() - EVENTS_KEPT)

    while not role.stop.is_set():
        try:
            await asyncio.to_thread(turn)
        except Unavailable as error:
            log.warning("chores.wait", reason=str(error))
        await pause(role, CHORES_EVERY)
