"""`ullage demo`."""

import asyncio
import sys
from collections.abc import Callable

import click

from devices_sim.clock import feasible_speed, speed_reason
from ullage import compose, logs
from ullage.commands.options import listening_options
from ullage.demo.folder import fresh, settle_devices
from ullage.demo.run import Demo
from ullage.settings import Settings


@click.command()
@listening_options
@click.option("--devices", type=click.IntRange(1, 100_000), help="200, or as many as the demo that goes on has.")
@click.option("--speed", type=click.FloatRange(1, 100_000), default=3600.0, show_default=True, help="Times real time.")
@click.option("--fresh", "from_scratch", is_flag=True, help="Forget the demo that ran before.")
@click.pass_obj
def demo(
    settings_of: Callable[..., Settings],
    /,
    devices: int | None,
    speed: float,
    from_scratch: bool,
    **options: str | None,
) -> None:
    """A simulated fleet that speaks real MQTT to a real installation; Ctrl-C ends it with a summary.

    Started again it goes on from where it was."""
    base = settings_of(options)
    folder = base.data / "demo" if base.effective["data"].source == "default" else base.data
    settings = settings_of(options | {"data": str(folder)})
    compose.check_ports(settings)
    if from_scratch:
        fresh(folder)
    logs.configure("warning", settings.log_format, "demo")
    number = settle_devices(folder, devices)
    possible = feasible_speed(number, wanted=speed)
    note = "" if possible >= speed else speed_reason(number, wanted=speed)
    if note:
        click.echo(note, err=True)
    sys.exit(asyncio.run(Demo(settings, number, possible, note, folder).run()))
