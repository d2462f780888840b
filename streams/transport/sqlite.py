"""Faust on a SQLite journal: `sqlite:////absolute/path/journal.db`, with `?runs=0` one record per message.

One topic, TOPIC, is the journal. One worker per group is active and gets all partitions; others stand by and take
over when it ends or dies. Positions come from `Transport.positions` (positions.py), never from here: commits are
accepted and forgotten. Other topics (a table's changelog in a plain Faust program that runs for comparison) have
partitions, take what is sent and forget it: nothing of Ullage uses them.
"""

import asyncio
import time
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import structlog
from faust.transport import base
from faust.types import TP, ConsumerMessage, RecordMetadata
from mode.utils.futures import done_future

from journal.follow import Follower
from journal.sqlite import SqliteJournal
from models.stores import StoreError, Unavailable
from streams.transport.lock import GroupLock
from streams.transport.positions import TOPIC, Positions, checked
from streams.transport.run import MOST_BYTES, MOST_RECORDS, Run, runs_of

log = structlog.get_logger(__name__)
STANDBY_S = 0.05  # how often a worker that stands by tries the lock
FETCH_RECORDS = 4 * MOST_RECORDS
FETCH_BYTES = 4 * MOST_BYTES
MEMBER = "sqlite"


class NoSuchTopic(StoreError):
    """A record for a topic that nobody declared."""


class Consumer(base.Consumer):  # type: ignore[misc]  # Faust is untyped for us
    """Reads runs of consecutive records. See streams/transport/run.py, positions.py."""

    transport: "Transport"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._assigned: set[TP] = set()
        self._next: dict[TP, int] = {}
        self._ends: dict[TP, int] = {}
        self._handlers_done = asyncio.Event()
        self._lock: GroupLock | None = None
        self._follower: Follower | None = None

    # -- becoming the group's active worker

    async def subscribe(self, topics: Iterable[str]) -> None:
        # In a task of its own: the app's handler waits for the conductor, which waits for this call to return.
        self.add_future(self._rebalance(set(topics)))

    async def _rebalance(self, topics: set[str]) -> None:
        try:
            if not await self._stood_by():
                return
            self.app.on_rebalance_start()
            self._handlers_done.clear()
            await self.on_partitions_revoked(set(self._assigned))
            generation = self.app.consumer_generation_id + 1
            self.app.consumer_generation_id = generation
            self._assigned = self._plan(topics)
            self._next.clear()
            await self.on_partitions_assigned(set(self._assigned), generation)
            self._handlers_done.set()
        except Exception as error:
            await self.crash(error)
            raise

    async def _stood_by(self) -> bool:
        """Wait until this worker is the group's only one. False: it is to stop."""
        if self._lock is None:
            self._lock = GroupLock(self.transport.lock_path(self.app.conf.id))
        told = False
        while not self._lock.take():
            if not told:
                log.info("transport.standing_by", lock=str(self._lock.path))
                told = True
            await self.sleep(STANDBY_S)
            if self.should_stop:
                return False
        if self._follower is None:
            self._follower = Follower(self.transport.journal.path)
        return True

    def _plan(self, topics: set[str]) -> set[TP]:
        """All partitions; Faust's own assignor says so, because streams and tables ask it."""
        assignor = self.app.assignor
        for topic in topics:
            self.transport.declare(topic, self.app.conf.topic_partitions)
        assignment = assignor.assign(self.transport, {MEMBER: assignor.metadata(topics)})[MEMBER]
        assignor.on_assignment(assignment)
        return {TP(topic, p) for topic, partitions in assignment.assignment for p in partitions}

    # -- reading

    async def _wait_next_records(
        self,
        timeout: float,  # noqa: ASYNC109  # Faust's signature
    ) -> tuple[Mapping[TP, Any], set[TP]]:
        # Faust's own sleeps for a second whenever no partition is active.
        if not self.flow_active:
            await self.wait(self.can_resume_flow)
        active = self._get_active_partitions()
        return await self._getmany(active, timeout), active

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: a full agent holds the fetcher by itself. Faust sleeps for a second when all partitions are full."""

    async def _getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109  # Faust's signature
    ) -> Mapping[TP, list[Any]]:
        follower = self._follower
        if follower is None:
            await self.sleep(min(timeout, STANDBY_S))
            return {}
        try:
            changed = follower.changed()
            found = self._fetch(active_partitions)
            if not found and not changed:
                await follower.wait(timeout)
                found = self._fetch(active_partitions)
        except Unavailable as error:
            log.warning("transport.unavailable", reason=str(error))
            await self.sleep(STANDBY_S)
            return {}
        except StoreError as error:
            await self.crash(error)
            raise
        return found

    def _fetch(self, active_partitions: set[TP] | None) -> dict[TP, list[Any]]:
        found: dict[TP, list[Any]] = {}
        left = FETCH_BYTES
        tps = self._assigned if active_partitions is None else active_partitions
        # The one that is most behind first: a partition that is flooded must not hold up the others.
        for tp in sorted(tps, key=lambda tp: self._next.get(tp, 0) - self._ends.get(tp, 0)):
            at = self._next.get(tp)
            if at is None or left <= 0:
                continue
            records = self.transport.journal.read(tp.partition, at, FETCH_RECORDS, min(left, FETCH_BYTES // len(tps)))
            if records:
                self._next[tp] = end = records[-1].offset + 1
                self._ends[tp] = max(end, self._ends.get(tp, 0))
                left -= sum(len(record.value) for record in records)
                found[tp] = runs_of(records) if self.transport.runs else records
        return found

    def _to_message(self, tp: TP, record: Any) -> ConsumerMessage:
        offset, value = (record.first_offset, record) if isinstance(record, Run) else record
        # Without the current generation the stream would skip the message without a word.
        generation = self.app.consumer_generation_id
        return ConsumerMessage(
            tp.topic, tp.partition, offset, time.time(), 0, None, None, value, None, 0, 0, tp, generation_id=generation
        )

    # -- positions

    async def seek_to_committed(self) -> Mapping[TP, int]:
        await self._handlers_done.wait()
        try:
            found = {tp: self._wanted(tp) for tp in self._assigned if tp.topic == TOPIC}
        except StoreError as error:
            await self.crash(error)  # raising alone would be logged, and the worker would run on
            raise
        self._next.update(found)
        return found

    def _wanted(self, tp: TP) -> int:
        journal, positions = self.transport.journal, self.transport.positions
        earliest, end = journal.earliest(tp.partition), journal.end(tp.partition)
        self._ends[tp] = end
        if positions is None:
            return earliest
        return checked(tp.partition, positions.position(tp.partition), earliest, end)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        for tp, offset in partitions.items():
            await self.seek(tp, offset)

    async def _seek(self, partition: TP, offset: int) -> None:
        if partition.topic == TOPIC:
            self._next[partition] = offset

    async def seek_to_beginning(self, *partitions: TP) -> None:
        await self.seek_wait(await self.earliest_offsets(*partitions))

    async def position(self, tp: TP) -> int | None:
        return self._next.get(tp)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:  # noqa: ARG002  # positions are the worker's
        return True

    def assignment(self) -> set[TP]:
        return set(self._assigned)

    def highwater(self, tp: TP) -> int:
        """The end as of the last look: Faust asks for every message."""
        return self._ends.get(tp, 0)

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        for tp in partitions:
            if tp.topic == TOPIC:
                self._ends[tp] = self.transport.journal.end(tp.partition)
        return {tp: self._ends.get(tp, 0) for tp in partitions}

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        return {tp: self.transport.journal.earliest(tp.partition) if tp.topic == TOPIC else 0 for tp in partitions}

    # -- topics

    async def create_topic(self, topic: str, partitions: int, replication: int, **_: Any) -> None:  # noqa: ARG002
        self.transport.declare(topic, partitions)

    def topic_partitions(self, topic: str) -> int | None:
        return self.transport.partitions_of(topic)

    def key_partition(self, topic: str, key: bytes | None, partition: int | None = None) -> int | None:
        return self.transport.choose(topic, key, partition)

    def _new_topicpartition(self, topic: str, partition: int) -> TP:
        return TP(topic, partition)

    # -- the end

    async def on_shutdown(self) -> None:
        self._assigned = set()
        if self._follower is not None:
            self._follower.close()
            self._follower = None
        if self._lock is not None:
            self._lock.release()
        self.transport.close()


class Producer(base.Producer):  # type: ignore[misc]  # Faust is untyped for us
    """Appends to the journal; a record is durable when `send` returns. Keys choose the partition and are not kept."""

    transport: "Transport"

    async def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,
        *,
        transactional_id: str | None = None,
    ) -> Any:
        sent = await self.send_and_wait(
            topic, key, value, partition, timestamp, headers, transactional_id=transactional_id
        )
        return done_future(sent)

    async def send_and_wait(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        partition: int | None,
        timestamp: float | None,
        headers: Any,  # noqa: ARG002  # a journal record is its value
        *,
        transactional_id: str | None = None,  # noqa: ARG002
    ) -> RecordMetadata:
        chosen = self.transport.choose(topic, key, partition)
        offset = -1
        if topic == TOPIC:
            (offset,) = await asyncio.to_thread(self.transport.journal.append, [(chosen, bytes(value or b""))])
        return RecordMetadata(
            topic=topic,
            partition=chosen,
            topic_partition=TP(topic, chosen),
            offset=offset,
            timestamp=timestamp or time.time(),
            timestamp_type=0,
        )

    async def create_topic(self, topic: str, partitions: int, replication: int, **_: Any) -> None:  # noqa: ARG002
        self.transport.declare(topic, partitions)

    async def flush(self) -> None:
        await self.buffer.flush()

    def key_partition(self, topic: str, key: bytes) -> TP:
        return TP(topic, self.transport.choose(topic, key, None))


class Transport(base.Transport):  # type: ignore[misc]  # Faust is untyped for us
    Consumer: ClassVar[type[Consumer]] = Consumer
    Producer: ClassVar[type[Producer]] = Producer
    driver_version = "ullage-sqlite"
    default_port = 0

    positions: Positions | None = None
    """Set by the worker before the app starts; without it every start reads from the earliest record."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        url = self.url[0]
        self.path = Path(url.path[1:])  # sqlite:////absolute/path
        self.runs = url.query.get("runs", "1") != "0"
        self._journal: SqliteJournal | None = None
        self._others: dict[str, int] = {}

    @property
    def journal(self) -> SqliteJournal:
        """Opened when it is first needed. Raises StoreError."""
        if self._journal is None:
            self._journal = SqliteJournal(self.path)
        return self._journal

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def lock_path(self, group: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{group}.lock")

    def declare(self, topic: str, partitions: int) -> None:
        if topic != TOPIC and topic not in self._others:
            log.info("transport.forgetful_topic", topic=topic, partitions=partitions)
            self._others[topic] = partitions

    def partitions_of(self, topic: str) -> int | None:
        return self.journal.partitions if topic == TOPIC else self._others.get(topic)

    def partitions_for_topic(self, topic: str) -> set[int]:
        """What Faust's assignor asks a Kafka cluster."""
        return set(range(self.partitions_of(topic) or 0))

    def choose(self, topic: str, key: bytes | None, partition: int | None) -> int:
        """The partition that was asked for, or the one of the key. Raises NoSuchTopic."""
        if partition is not None:
            return partition
        partitions = self.partitions_of(topic)
        if not partitions:
            raise NoSuchTopic(f"topic {topic} was not declared: the journal's topic is {TOPIC}")
        return zlib.crc32(key or b"") % partitions
