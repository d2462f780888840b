"""The one composition root: opens the stores that the settings name, and prepares a new installation."""

import os
import socket
from contextlib import closing
from pathlib import Path

from journal.open import open_journal
from ledger.engine import Ledger, open_ledger
from ledger.meta import settle_partitions
from ledger.migrate import upgrade
from ledger.rules import Rules
from models.simulated import Timeline
from models.stores import Journal, Series, StateStore
from models.version import LOGIC
from series.open import open_series
from streams.state.open import open_state
from ullage import clocks
from ullage.settings import ConfigurationError, Settings


def api_url(settings: Settings) -> str:
    scheme = "https" if settings.api_tls_cert else "http"
    return f"{scheme}://{settings.api_host}:{settings.api_port}"


def mqtt_url(settings: Settings) -> str:
    scheme = "mqtts" if settings.mqtt_tls_cert else "mqtt"
    return f"{scheme}://{settings.mqtt_host}:{settings.mqtt_port}"


def journal_of(settings: Settings) -> Journal:
    return open_journal(settings.journal, partitions=settings.partitions)


def ledger_of(settings: Settings) -> Ledger:
    return open_ledger(settings.ledger)


def state_of(settings: Settings) -> StateStore:
    return open_state(settings.state)


def series_of(settings: Settings) -> Series:
    return open_series(settings.series)


def rules_of(settings: Settings) -> Rules:
    def ms(name: str) -> int:
        return int(getattr(settings, name).total_seconds() * 1000)

    return Rules(
        window_ms=ms("draft_window"),
        hold_ms=ms("hold"),
        approve_within_ms=ms("approve_by"),
        surge_factor=settings.surge,
        logic=LOGIC,
    )


def initialise(settings: Settings, line: Timeline | None) -> None:
    """Make what is not there yet: folders, journal, the ledger's tables. Harmless on what is there."""
    data: Path = settings.data
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    clocks.remember(data, line)
    with closing(journal_of(settings)) as journal, closing(ledger_of(settings)) as ledger:
        upgrade(ledger)
        with ledger.write() as tx:
            settle_partitions(tx, journal.partitions)


def check_ports(settings: Settings) -> None:
    """That both ports are free, before anything starts: a role that fails later would be restarted for ever.

    Raises ConfigurationError, which names the setting."""
    for role in ("api", "mqtt"):
        host, port = getattr(settings, f"{role}_host"), getattr(settings, f"{role}_port")
        if why := why_not_free(host, port):
            setting = f"ULLAGE_{role.upper()}_PORT"
            raise ConfigurationError(
                f"{setting} is {port}: {host}:{port} cannot be listened on ({why}): "
                "choose another one, or end the program that has it"
            )


def why_not_free(host: str, port: int) -> str:
    """Why nobody can listen there now; "" when it is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def child_environment(settings: Settings, line: Timeline | None) -> dict[str, str]:
    """Environment of the roles' processes: the effective settings and the clock."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ULLAGE_")} | settings.environment()
    if line is not None:
        environment[clocks.VARIABLE] = clocks.encode(line)
    return environment
