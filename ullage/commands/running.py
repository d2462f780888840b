"""Commands that run: `demo`, `serve`, and each role alone."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from typing import Any

import click
import structlog

from devices_sim.clock import feasible_speed, speed_reason
from models.simulated import Timeline
from ullage import clocks, compose, logs, role
from ullage.demo.run import Demo, fresh
from ullage.roles import MAINS
from ullage.settings import Settings
from ullage.supervisor import Supervisor

log = structlog.get_logger()


def listening_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--api-host", help="ULLAGE_API_HOST"),
        click.option("--api-port", help="ULLAGE_API_PORT"),
        click.option("--mqtt-host", help="ULLAGE_MQTT_HOST"),
        click.option("--mqtt-port", help="ULLAGE_MQTT_PORT"),
    ):
        command = option(command)
    return command


@click.command()
@listening_options
@click.pass_obj
def serve(settings_of: Callable[..., Settings], /, **options: str | None) -> None:
    """Run all roles, supervised, until Ctrl-C."""
    settings = settings_of(options)
    logs.configure(settings.log_level, settings.log_format, "serve")
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
@listening_options
@click.option("--devices", type=click.IntRange(1, 100_000), default=200, show_default=True)
@click.option("--speed", type=click.FloatRange(1, 100_000), default=3600.0, show_default=True, help="Times real time.")
@click.option("--fresh", "from_scratch", is_flag=True, help="Forget the demo that ran before.")
@click.pass_obj
def demo(
    settings_of: Callable[..., Settings], /, devices: int, speed: float, from_scratch: bool, **options: str | None
) -> None:
    """A simulated fleet that speaks real MQTT to a real installation; Ctrl-C ends it with a summary.

    Started again it goes on from where it was."""
    base = settings_of(options)
    folder = base.data / "demo" if base.effective["data"].source == "default" else base.data
    settings = settings_of(options | {"data": str(folder)})
    if from_scratch:
        fresh(folder)
    logs.configure("warning", settings.log_format, "demo")
    possible = feasible_speed(devices, wanted=speed)
    note = "" if possible >= speed else speed_reason(devices, wanted=speed)
    if note:
        click.echo(note, err=True)
    sys.exit(asyncio.run(Demo(settings, devices, possible, note, folder).run()))


def _role_command(name: str, help_text: str) -> click.Command:
    @click.command(name, help=help_text)
    @click.pass_obj
    def command(settings_of: Callable[..., Settings]) -> None:
        settings = settings_of()
        role.run(name, settings, MAINS[name])

    return command


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


COMMANDS = (
    demo,
    serve,
    config,
    _role_command("gateway", "The MQTT gateway: devices -> journal."),
    _role_command("worker", "The stream worker: journal -> decisions."),
    _role_command("api", "The HTTP API and the page."),
    _role_command("deliver", "The outbox: facts to the journal, purchase orders to suppliers."),
    _role_command("clock", "The clock: ticks to all partitions."),
)
