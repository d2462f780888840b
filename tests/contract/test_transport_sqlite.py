"""What only the transport on SQLite promises: a plain Faust program runs on it, and one process may start it twice."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import faust
import pytest

from journal.sqlite import SqliteJournal
from streams.transport.lock import GroupLock
from streams.transport.positions import TOPIC
from streams.transport.sqlite import NoSuchTopic, Transport


def make_app(path: Path, query: str = "") -> faust.App:
    return faust.App(
        "plain",
        broker=f"sqlite:///{path}/journal.db{query}",
        store="memory://",
        datadir=str(path / "faust"),
        web_enabled=False,
        topic_disable_leader=True,
        topic_partitions=2,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        key_serializer="raw",
        value_serializer="raw",
    )


async def run(app: faust.App, meanwhile: Callable[[], Any], done: Callable[[], bool]) -> None:
    """Start the app, do something, stop it once it is done."""
    await app.start()
    try:
        await meanwhile()
        async with asyncio.timeout(20):
            while not done():
                await asyncio.sleep(0.01)  # the agent says so in this loop
    finally:
        await app.stop()


def test_a_plain_program_counts_in_a_table(tmp_path: Path) -> None:
    SqliteJournal(tmp_path / "journal.db", partitions=2).close()

    async def main() -> None:
        app = make_app(tmp_path, "?runs=0")
        topic = app.topic(TOPIC, acks=False)
        counts = app.Table("counts", default=int)
        values: list[bytes] = []

        @app.agent(topic, concurrency=1)  # type: ignore[untyped-decorator]
        async def count(stream: Any) -> None:
            async for value in stream.noack():
                counts["all"] += 1
                values.append(value)

        async def send() -> None:
            for i in range(20):
                sent = await topic.send(key=b"%d" % i, value=b"value %d" % i)
                assert (await sent).offset >= 0

        await run(app, send, lambda: len(values) == 20)
        assert sorted(values) == sorted(b"value %d" % i for i in range(20))
        assert counts["all"] == 20

    asyncio.run(main())
    with closing(SqliteJournal(tmp_path / "journal.db")) as journal:
        assert journal.end(0) + journal.end(1) == 20
        assert min(journal.end(0), journal.end(1)) > 0


def test_one_process_may_start_it_twice(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path / "journal.db", partitions=2)) as journal:
        journal.append([(0, b"a"), (1, b"b")])

    async def main() -> None:
        app = make_app(tmp_path)
        got: list[tuple[int, ...]] = []

        @app.agent(app.topic(TOPIC, acks=False), concurrency=1)  # type: ignore[untyped-decorator]
        async def receive(stream: Any) -> None:
            async for event in stream.noack().events():
                got.append((event.message.partition, event.value.first_offset, len(event.value)))  # noqa: PERF401  # as they come

        await run(app, lambda: asyncio.sleep(0), lambda: len(got) == 2)
        assert sorted(got) == [(0, 0, 1), (1, 0, 1)]

    asyncio.run(main())
    asyncio.run(main())


def test_the_lock_has_one_holder(tmp_path: Path) -> None:
    first, second = GroupLock(tmp_path / "lock"), GroupLock(tmp_path / "lock")
    assert first.take()
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    assert second.held
    assert not first.take()
    second.release()


def test_a_topic_that_nobody_declared_is_refused(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    assert isinstance(app.transport, Transport)
    with pytest.raises(NoSuchTopic, match=f"topic other was not declared: the journal's topic is {TOPIC}"):
        app.transport.choose("other", b"key", None)
    app.transport.close()
