"""Role `deliver`: facts and requests into the journal, orders to suppliers, notices to subscribers; and the chores."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import closing

import structlog

from ledger.deliver import run
from ledger.notices import collect, risks
from ledger.sinks import (
    FileSink,
    MailSink,
    Subscribers,
    SubscriberSink,
    SupplierEndpoints,
    SupplierSink,
    WebhookSink,
    to_subscriber,
)
from models.outbox import Kind, Sink
from models.stores import Unavailable
from ullage import compose
from ullage.chores import Chores
from ullage.role import Role
from ullage.roles.common import pause
from ullage.sinks import JournalSink

log = structlog.get_logger()

CHORES_EVERY = 60.0
RISKS_EVERY = 10.0
NOTICES_EVERY = 0.5


async def main(role: Role) -> None:
    s = role.settings
    with (
        closing(compose.journal_of(s)) as journal,
        closing(compose.ledger_of(s)) as ledger,
        closing(compose.series_of(s)) as series,
    ):
        into_journal = JournalSink(journal)
        kept = int(s.series_keep.total_seconds() * 1000)
        subscribers = Subscribers(ledger)
        with (
            WebhookSink(SupplierEndpoints(ledger)) as webhook,
            WebhookSink(subscribers.endpoint, headers=to_subscriber, anywhere=s.webhook_private) as notices,
        ):
            suppliers = SupplierSink(ledger, file=FileSink(s.purchase_orders), webhook=webhook)
            channels: dict[str, Sink] = {"webhook": notices}
            if s.smtp is not None:
                channels["email"] = MailSink(s.smtp, s.mail_from, subscribers.address)
            role.ready()
            sinks: dict[Kind, Sink] = {
                Kind.FACT: into_journal,
                Kind.REQUEST: into_journal,
                Kind.PURCHASE_ORDER: suppliers,
                Kind.WEBHOOK: SubscriberSink(ledger, channels),
            }
            chores = Chores(ledger, series, kept, role.now)
            async with asyncio.TaskGroup() as group:  # a fault of one ends the process, and the supervisor restarts it
                others = [
                    group.create_task(_turns(role, chores.turn, CHORES_EVERY)),
                    group.create_task(_turns(role, lambda: risks.tell(ledger, role.now()), RISKS_EVERY)),
                    group.create_task(_turns(role, lambda: collect.collect(ledger, role.now()), NOTICES_EVERY)),
                ]
                await run(ledger, sinks, role.stop, owner=f"deliver@{socket.gethostname()}", now=role.now)
                for one in others:  # each of its steps is whole or not at all: the end waits for none
                    one.cancel()


async def _turns(role: Role, turn: Callable[[], object], seconds: float) -> None:
    """Call `turn` every so often, in a thread; a store that is away is looked for at the next."""
    while not role.stop.is_set():
        try:
            await asyncio.to_thread(turn)
        except Unavailable as error:
            log.warning("deliver.turn_waits", reason=str(error))
        await pause(role, seconds)
