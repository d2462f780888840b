"""Settings that contradict each other, or what is there."""

from collections.abc import Iterator

from models.version import LOGIC
from ullage.doctor.finding import Finding, fail, ok, warn
from ullage.doctor.machine import Machine
from ullage.settings import Settings, is_loopback


def settings(m: Machine, s: Settings) -> Iterator[Finding]:
    found = list(_contradictions(m, s))
    yield from found or [ok("settings", "agree with each other")]


def _contradictions(m: Machine, s: Settings) -> Iterator[Finding]:
    if s.api_port and s.api_port in {s.mqtt_port, s.mqtt_tls_port} and s.api_host == s.mqtt_host:
        yield fail("settings", f"ULLAGE_API_PORT and a port of the gateway are both {s.api_port}", "choose another one")
    if s.mqtt_tls_port and s.mqtt_tls_port == s.mqtt_port:
        yield fail(
            "settings",
            f"ULLAGE_MQTT_TLS_PORT and ULLAGE_MQTT_PORT are both {s.mqtt_port}",
            "choose another one, or unset ULLAGE_MQTT_TLS_PORT: then the one port speaks TLS",
        )
    if m.partitions is not None and m.partitions != s.partitions:
        yield warn(
            "settings",
            f"ULLAGE_PARTITIONS is {s.partitions}, the journal has {m.partitions} for ever",
            f"set it to {m.partitions}: it has no effect",
        )
    if s.checkpoint_every > s.journal_keep:
        yield warn(
            "settings",
            "ULLAGE_CHECKPOINT_EVERY is longer than ULLAGE_JOURNAL_KEEP: checkpoints decide what is kept",
            "checkpoint more often",
        )
    if s.series_keep < s.journal_keep:
        yield warn(
            "settings",
            "ULLAGE_SERIES_KEEP is shorter than ULLAGE_JOURNAL_KEEP: a replay writes points that are to go",
            "keep the series longer than the journal",
        )
    if s.approve_by < s.draft_window:
        yield warn(
            "settings",
            "ULLAGE_APPROVE_BY is shorter than ULLAGE_DRAFT_WINDOW: people have less time than a draft waits",
            "give people more time",
        )
    if s.allow_plaintext and is_loopback(s.api_host) and is_loopback(s.mqtt_host):
        yield warn(
            "settings",
            "ULLAGE_ALLOW_PLAINTEXT is 1, but nothing listens beyond the loopback",
            "unset it, or set ULLAGE_API_HOST, ULLAGE_MQTT_HOST",
        )
    if s.accept_logic and not m.logic - {LOGIC}:
        yield warn(
            "settings",
            "ULLAGE_ACCEPT_LOGIC is 1, but all checkpoints are of this version",
            "unset it: it hides the next upgrade's warning",
        )
