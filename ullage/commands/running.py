"""`ullage serve` and `ullage config`."""

import asyncio
import json
import signal
from collections.abc import Callable

import click
import structlog

from models.simulated import Timeline
from ullage import clocks, compose, logs
from ullage.commands.options import accept_logic, listening_options
from ullage.settings import Settings
from ullage.supervisor import Supervisor

log = structlog.get_logger()


@click.command()
@listening_options
@accept_logic
@click.pass_obj
def serve(settings_of: Callable[..., Settings], /, **options: str | None) -> None:
    """Run all roles, supervised, until Ctrl-C."""
    settings = settings_of(options)
    logs.configure(settings.log_level, settings.log_format, "serve")
    compose.check_ports(settings)
    line = clocks.timeline()
    compose.initialise(settings, line)
    asyncio.run(_serve(settings, line))


async def _serve(settings: Settings, line: Timeline | None) -> None:
    loop = asyncio.get_running_loop()
    supervisor = Supervisor(compose.child_environment(settings, line))
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    began = loop.time()
    await supervisor.start()
    ready = asyncio.create_task(supervisor.wait_ready())
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({ready, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if ready.done():
        log.info(
            "serve.ready",
            seconds=round(loop.time() - began, 2),
            api=compose.api_url(settings),
            mqtt=compose.mqtt_url(settings),
        )
    await stopping
    ready.cancel()
    await supervisor.stop()
    log.info("serve.stopped")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.pass_obj
def config(settings_of: Callable[..., Settings], as_json: bool) -> None:
    """Effective settings, and where each comes from."""
    effective = settings_of().effective.values()
    if as_json:
        rows = {
            e.setting.variable: {"value": e.shown, "source": e.source, "meaning": e.setting.meaning} for e in effective
        }
        click.echo(json.dumps(rows, indent=2))
        return
    for e in effective:
        click.echo(f"{e.setting.variable:28} {e.shown:44} {e.source:13} {e.setting.meaning}")
