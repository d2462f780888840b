"""The Faust app: one agent over the journal's topic that hands runs of records to their partition's task.

Faust gives groups, assignments and flow control. Positions, acknowledgement and state are ours, so every setting that
would have Faust keep them is off.
"""

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

import faust
from faust.tables.manager import TableManager

from models.stores import Record
from streams.transport.positions import TOPIC, Positions
from streams.transport.run import Run


class Handlers(Positions, Protocol):
    """What the app calls; an exception of any of them must reach the process by other ways, for Faust would log it and
    go on."""

    async def assigned(self, partitions: frozenset[int]) -> None:
        """These are ours now; their positions are known when this returns."""

    async def revoked(self, partitions: frozenset[int]) -> None: ...

    async def feed(self, partition: int, records: list[Record]) -> None: ...


class NoTables(TableManager):  # type: ignore[misc]  # Faust is untyped
    """Faust waits a second for tables to be declared; we have none, and a worker is to be ready at once."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()


def make_app(installation: str, broker: str, datadir: Path, handlers: Handlers) -> Any:
    """An app that reads from `handlers.position` on. `broker` chooses the transport by its scheme."""
    app = faust.App(
        f"{installation}-worker",
        broker=broker,
        store="memory://",
        datadir=str(datadir),
        web_enabled=False,  # or it opens a port
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_buffer_maxsize=64,  # runs of up to 1 MiB wait here
        table_standby_replicas=0,
        TableManager=NoTables,
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        value_serializer="raw",
    )
    app.transport.positions = handlers
    topic = app.topic(TOPIC, key_serializer="raw", value_serializer="raw", acks=False)

    async def decide(stream: Any) -> None:
        async for event in stream.noack().events():
            await handlers.feed(event.message.partition, _records(event))

    app.agent(topic, concurrency=1, name="ullage.decide")(decide)
    _connect(app.on_partitions_assigned, handlers.assigned)
    _connect(app.on_partitions_revoked, handlers.revoked)
    return app


def _records(event: Any) -> list[Record]:
    value = event.value
    return value.records if isinstance(value, Run) else [Record(event.message.offset, value)]


def _connect(signal: Any, handler: Callable[[frozenset[int]], Awaitable[None]]) -> None:
    async def changed(_: Any, partitions: Iterable[Any], **__: Any) -> None:
        await handler(frozenset(tp.partition for tp in partitions if tp.topic == TOPIC))

    # weak: a signal forgets a function that nobody else holds
    signal.connect(changed, weak=False)
