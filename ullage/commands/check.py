"""`ullage device check`."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import click

from ingest.check.events import Event
from ingest.check.listener import Checker
from ingest.check.live import said
from ingest.check.rule import Finding, Verdict
from ingest.check.rules import Judge, live_rules
from ingest.listener import CannotListen
from ingest.tail import follow
from ledger.clock import real_ms
from ledger.directory import LedgerDirectory
from models.identity import DeviceIdentity
from ullage import compose
from ullage.commands.common import SettingsOf, as_json, emit, opened
from ullage.settings import duration

MARKS = {Verdict.PASSED: "passed", Verdict.FAILED: "FAILED", Verdict.NOT_SEEN: "not seen"}
NOTHING_CAME = 2


@click.command("check")
@click.argument("number", type=int, required=False)
@click.option("--live", is_flag=True, help="Watch what the running gateway takes, instead of listening.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address on which the check listens.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="Port of the check; 0: any free one.")
@click.option("--for", "how_long", default="2m", show_default=True, help="How long to watch, such as 90s or 1h.")
@as_json
@click.pass_obj
def device_check(
    settings_of: SettingsOf, number: int | None, live: bool, host: str, port: int, how_long: str, as_json: bool
) -> None:
    """What a device does wrong, rule by rule, for whoever makes it.

    It listens for the device, withholds one PUBACK and cuts the connection once. With NUMBER the device must connect as
    it is registered, and units are judged by its slots. Ends when all was seen, after --for, or at Ctrl-C. Exit code 0:
    nothing is wrong, 1: a rule failed, 2: nothing came.
    """
    try:
        seconds = duration(how_long).total_seconds()
    except ValueError as error:
        raise click.BadParameter(f"write {error}", param_hint="--for") from error
    if live and number is None:
        raise click.UsageError("--live watches one device: say its NUMBER")
    identity = None if number is None else _identity(settings_of, number)
    judge = Judge(live_rules()) if live else Judge()
    if live and identity is not None:
        _watch(settings_of, identity, judge, seconds)
    else:
        asyncio.run(_listen(judge, identity, host, port, seconds))
    _report(judge, as_json)


def _identity(settings_of: SettingsOf, number: int) -> DeviceIdentity:
    with opened(settings_of()) as ledger:
        return LedgerDirectory(ledger).numbered(number)


def _watch(settings_of: SettingsOf, identity: DeviceIdentity, judge: Judge, seconds: float) -> None:
    ends = time.monotonic() + seconds

    def over() -> bool:
        return judge.satisfied or time.monotonic() >= ends

    with closing(compose.journal_of(settings_of())) as journal, contextlib.suppress(KeyboardInterrupt):
        click.echo(f"watching {identity.account}/{identity.device}", err=True)
        for event in said(follow(journal, identity, ended=over)):
            judge.see(event)
            if over():
                return


async def _listen(judge: Judge, identity: DeviceIdentity | None, host: str, port: int, seconds: float) -> None:
    """Raises CannotListen."""
    done = asyncio.Event()

    def see(event: Event) -> None:
        judge.see(event)
        if judge.satisfied:
            done.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    checker = Checker(see, real_ms, identity)
    try:
        server = await checker.listen(host, port)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}:{port} ({error.strerror}): choose another --port") from error
    where = f"mqtt://{host}:{server.sockets[0].getsockname()[1]}"
    who = f"{identity.account}/{identity.device}" if identity else "any device"
    click.echo(f"waiting for {who} at {where}: connect it there, and let it publish readings", err=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await done.wait()
    checker.end()
    server.close()
    await server.wait_closed()


def _report(judge: Judge, as_json: bool) -> None:
    nothing = not judge.events
    findings = judge.findings()
    if as_json:
        emit([one._asdict() for one in findings])
    else:
        for line in _lines(findings):
            click.echo(line)
    if nothing:
        click.echo("nothing came from the device: does it connect to the right host and port?", err=True)
        sys.exit(NOTHING_CAME)
    sys.exit(int(any(one.verdict is Verdict.FAILED for one in findings)))


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    for one in findings:
        yield f"{MARKS[one.verdict]:8} {one.rule:12} {one.demands}"
        for evidence in one.evidence:
            yield f"{'':21} {evidence}"
        if one.todo:
            yield f"{'':21} -> {one.todo}"
