"""A small real Faust worker: prints what it receives as JSON lines, keeps its positions in a file.

python transport_worker.py URL GROUP POSITIONS [delay in seconds per message]
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import faust
import uvloop

from streams.transport.positions import TOPIC
from streams.transport.run import Run


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class FilePositions:
    def __init__(self, path: Path) -> None:
        self.path = path

    def position(self, partition: int) -> int:
        return int(self._read().get(str(partition), 0))

    def set(self, partition: int, offset: int) -> None:
        new = self.path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(self._read() | {str(partition): offset}))
        new.replace(self.path)

    def _read(self) -> dict[str, int]:
        return json.loads(self.path.read_text()) if self.path.exists() else {}


def make_app(url: str, group: str, positions: FilePositions, delay: float) -> faust.App:
    app = faust.App(
        group,
        broker=url,
        store="memory://",
        datadir=tempfile.mkdtemp(),
        web_enabled=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_buffer_maxsize=64,
        key_serializer="raw",
        value_serializer="raw",
    )
    app.transport.positions = positions
    topic = app.topic(TOPIC, key_serializer="raw", value_serializer="raw", acks=False)

    @app.agent(topic, concurrency=1)  # type: ignore[untyped-decorator]
    async def receive(stream: Any) -> None:
        async for event in stream.noack().events():
            run = event.value
            assert isinstance(run, Run)
            assert event.message.offset == run.first_offset
            positions.set(event.message.partition, run.end)
            for record in run.records:
                say(p=event.message.partition, o=record.offset, v=record.value.decode(), t=time.monotonic())
            if delay:
                await asyncio.sleep(delay)

    @app.on_partitions_assigned.connect  # type: ignore[untyped-decorator]
    async def assigned(_: Any, assigned: set[Any], **__: Any) -> None:
        await asyncio.sleep(0.05)  # positions must not be asked for before this has returned
        say(assigned=sorted(tp.partition for tp in assigned if tp.topic == TOPIC))

    return app


if __name__ == "__main__":
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    wait = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
    application = make_app(sys.argv[1], sys.argv[2], FilePositions(Path(sys.argv[3])), wait)
    faust.Worker(application, loglevel="INFO", redirect_stdouts=False).execute_from_commandline()
