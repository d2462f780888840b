"""The command line of the simulated world."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import click
import msgspec

from devices_sim import report, scenario
from devices_sim.errors import BadState, SimulatorError
from devices_sim.mqtt_client import Broker
from devices_sim.runner import Options, Runner


@click.command(
    help="A simulated fleet with its users and suppliers, against a running Ullage. Ctrl-C ends it with a report."
)
@click.option("--broker", default="mqtt://127.0.0.1:1883", show_default=True, help="mqtt:// or mqtts://HOST:PORT.")
@click.option("--ca", type=click.Path(dir_okay=False), help="Certificate authority for mqtts.")
@click.option("--api", default="http://127.0.0.1:8000", show_default=True, help="Ullage's HTTP API.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="File with an operator token (or ULLAGE_SIM_TOKEN)."
)
@click.option("--scenario", "name", default="demo", show_default=True, help="YAML file, or the name of one that ships.")
@click.option("--devices", type=click.IntRange(min=1), help="In place of the scenario's number.")
@click.option("--seed", type=int, help="In place of the scenario's.")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path("ullage-world"),
    show_default=True,
    help="Folder of the truth.",
)
@click.option("--status-file", type=click.Path(path_type=Path), help="Replaced once per second with how the world is.")
@click.option("--supplier-port", default=0, help="Port of the suppliers' webhook; 0: any free one, kept.")
@click.option("--patience", default=30.0, show_default=True, help="Seconds to wait for the API at the start.")
@click.option("--keep-readings", is_flag=True, help="Keep acknowledged readings in the truth file, for audits.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.option("--linger", is_flag=True, help="After the report the suppliers answer until standard input ends.")
def main(
    broker: str,
    ca: str | None,
    api: str,
    token_file: Path | None,
    name: str,
    devices: int | None,
    seed: int | None,
    state: Path,
    status_file: Path | None,
    supplier_port: int,
    patience: float,
    keep_readings: bool,
    as_json: bool,
    linger: bool,
) -> None:
    try:
        plan = scenario.read(name, devices=devices, seed=seed)
        options = Options(
            broker=Broker.parse(broker, ca),
            api=api,
            token=_token(token_file),
            scenario=plan,
            state=state,
            status_file=status_file,
            supplier_port=supplier_port,
            patience_s=patience,
            keep=keep_readings,
            progress=sys.stderr.isatty(),
        )
        result = asyncio.run(_run(options, as_json=as_json, linger=linger))
    except (SimulatorError, OSError) as error:
        click.echo(f"devices_sim: {error}", err=True)
        sys.exit(2)
    sys.exit(0 if result.ok else 1)


def _token(path: Path | None) -> str:
    token = path.read_text().strip() if path else os.environ.get("ULLAGE_SIM_TOKEN", "")
    if not token:
        raise BadState("no operator token: give --token-file, or ULLAGE_SIM_TOKEN; `ullage token create` makes one")
    return token


async def _run(options: Options, *, as_json: bool, linger: bool) -> report.Report:
    async def tell(result: report.Report) -> None:
        click.echo(json.dumps(msgspec.to_builtins(result)) if as_json else report.text(result))
        if linger:
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)

    runner = Runner(options)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, runner.stop.set)
    return await runner.run(tell)
