"""The one composition root: builds each role's process from the settings."""

import os

import structlog

from journal.open import open_journal
from models.simulated import Timeline
from models.stores import Journal
from ullage import clocks
from ullage.settings import Settings

log = structlog.get_logger()


def api_url(settings: Settings) -> str:
    scheme = "https" if settings.api_tls_cert else "http"
    return f"{scheme}://{settings.api_host}:{settings.api_port}"


def mqtt_url(settings: Settings) -> str:
    scheme = "mqtts" if settings.mqtt_tls_cert else "mqtt"
    return f"{scheme}://{settings.mqtt_host}:{settings.mqtt_port}"


def journal_of(settings: Settings) -> Journal:
    return open_journal(settings.journal, partitions=settings.partitions)


def child_environment(settings: Settings, line: Timeline | None) -> dict[str, str]:
    """Environment of the roles' processes: the effective settings and the clock."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ULLAGE_")} | settings.environment()
    if line is not None:
        environment[clocks.VARIABLE] = clocks.encode(line)
    return environment
