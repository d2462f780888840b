"""A worker in a process of its own, over the stores of a folder, until SIGTERM: what fault tests kill.

python worker_process.py FOLDER [checkpoint pause in seconds]
"""

import asyncio
import signal
import sys
from pathlib import Path

import structlog
import uvloop

from streams.worker.config import WorkerConfig
from streams.worker.run import run_worker
from tests.support.fleet_world import opened


async def main(folder: Path, pause: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    with opened(folder) as world:
        config = WorkerConfig(
            world.broker, folder / "faust", checkpoint_pause=pause, checkpoint_interval=pause, series_interval=0.05
        )
        await run_worker(
            config,
            world.journal,
            world.decisions,
            world.state,
            world.series,
            stop,
            ready=lambda: print("ready", flush=True),
        )


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    uvloop.run(main(Path(sys.argv[1]), float(sys.argv[2])))
