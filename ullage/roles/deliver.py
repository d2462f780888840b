"""Role `deliver`: facts and requests into the journal, purchase orders to suppliers; and the stores' chores."""

import asyncio
import contextlib
import socket
from contextlib import closing

import structlog

from ledger.deliver import run
from ledger.sinks import FileSink, SupplierEndpoints, SupplierSink, WebhookSink
from models.outbox import Kind
from models.stores import Unavailable
from ullage import compose
from ullage.chores import Chores
from ullage.role import Role
from ullage.roles.common import pause
from ullage.sinks import JournalSink

log = structlog.get_logger()

CHORES_EVERY = 60.0


async def main(role: Role) -> None:
    s = role.settings
    with (
        closing(compose.journal_of(s)) as journal,
        closing(compose.ledger_of(s)) as ledger,
        closing(compose.series_of(s)) as series,
    ):
        into_journal = JournalSink(journal)
        kept = int(s.series_keep.total_seconds() * 1000)
        with WebhookSink(SupplierEndpoints(ledger)) as webhook:
            suppliers = SupplierSink(ledger, file=FileSink(s.purchase_orders), webhook=webhook)
            role.ready()
            chores = asyncio.create_task(_chores(role, Chores(ledger, series, kept, role.now)))
            await run(
                ledger,
                {Kind.FACT: into_journal, Kind.REQUEST: into_journal, Kind.PURCHASE_ORDER: suppliers},
                role.stop,
                owner=f"deliver@{socket.gethostname()}",
                now=role.now,
            )
            chores.cancel()  # each of its steps is whole or not at all: the end of the process waits for none
            with contextlib.suppress(asyncio.CancelledError):
                await chores


async def _chores(role: Role, chores: Chores) -> None:
    while not role.stop.is_set():
        try:
            await asyncio.to_thread(chores.turn)
        except Unavailable as error:
            log.warning("chores.wait", reason=str(error))
        await pause(role, CHORES_EVERY)
