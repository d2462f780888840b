"""A gateway as a process of its own: python gateway_process.py JOURNAL; prints its port."""

import asyncio
import sys
from pathlib import Path

import structlog
import uvloop

from ingest.config import GatewayConfig
from ingest.gateway import serve
from journal.sqlite import SqliteJournal
from tests.support.gateway_fakes import NOW, FakeDirectory, identity


async def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    directory = FakeDirectory(*(identity(number) for number in range(1, 9)))
    journal = SqliteJournal(Path(sys.argv[1]))
    await serve(
        GatewayConfig(port=0),
        journal,
        directory,
        lambda: NOW,
        asyncio.Event(),
        lambda ports: print(ports[0], flush=True),
    )


uvloop.run(main())
