"""Every setting: its variable, default, meaning and check; and where its effective value came from.

Precedence: command line, environment, configuration file (TOML, `ULLAGE_CONFIG`), default. docs/reference/settings.md
lists them all; a test compares the two.
"""

import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal

from ledger.mail_server import MailServer

Source = Literal["command line", "environment", "file", "default"]


class ConfigurationError(Exception):
    """A setting is wrong. The message names the variable, the value, and what is allowed."""


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    default: str
    parse: Callable[[str], Any]
    meaning: str
    secret: bool = False

    @property
    def variable(self) -> str:
        return f"ULLAGE_{self.name.upper()}"


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(MB|GB|TB)")
_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """`90s`, `15m`, `1h`, `7d`, `0s`. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("a duration such as 90s, 15m, 1h or 7d")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 65535:
        raise ValueError("a port number from 0 (any free port) to 65535")
    return int(text)


def _optional_port(text: str) -> int | None:
    return _port(text) if text else None


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ValueError("a whole number of at least 1")
    return int(text)


def _factor(text: str) -> float:
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text):
        raise ValueError("a number of 0 or more, such as 5 or 2.5")
    return float(text)


def _switch(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError("0 or 1")
    return text == "1"


def size(text: str) -> int:
    """`500MB`, `10GB`, as bytes. Raises ValueError."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError("a size such as 500MB or 10GB")
    return int(float(match[1]) * _BYTES[match[2]])


def _choice(*allowed: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return text

    return parse


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _optional_path(text: str) -> Path | None:
    return _path(text) if text else None


def _mail_server(text: str) -> MailServer | None:
    return MailServer.parse(text) if text else None


SETTINGS = (
    Setting("data", "./ullage-data", _path, "Folder of everything that an embedded installation keeps."),
    Setting("journal", "sqlite:///{data}/journal.db", str, "URL of the journal."),
    Setting("ledger", "sqlite:///{data}/ledger.db", str, "URL of the ledger.", secret=True),
    Setting("state", "sqlite:///{data}/state.db", str, "URL of the checkpoints.", secret=True),
    Setting("series", "sqlite:///{data}/series.db", str, "URL of the time series.", secret=True),
    Setting("partitions", "4", _positive, "Partitions of a journal that does not exist yet (P)."),
    Setting("api_host", "127.0.0.1", str, "Address on which the API listens."),
    Setting("api_port", "8000", _port, "Port of the API."),
    Setting("api_tls_cert", "", _optional_path, "Certificate chain (PEM) of the API; with it the API speaks HTTPS."),
    Setting("api_tls_key", "", _optional_path, "Private key (PEM) of the API's certificate."),
    Setting("mqtt_host", "127.0.0.1", str, "Address on which the gateway listens."),
    Setting("mqtt_port", "1883", _port, "Port of the gateway."),
    Setting(
        "mqtt_tls_cert", "", _optional_path, "Certificate chain (PEM) of the gateway; with it it speaks MQTT over TLS."
    ),
    Setting("mqtt_tls_key", "", _optional_path, "Private key (PEM) of the gateway's certificate."),
    Setting(
        "mqtt_tls_port",
        "",
        _optional_port,
        "Port for TLS beside the plain one; without it the gateway's only port speaks TLS when there is a certificate.",
    ),
    Setting("mqtt_connections", "20000", _positive, "Connections that one gateway carries at most."),
    Setting("allow_plaintext", "0", _switch, "1: listen beyond the loopback without TLS (behind a proxy that has it)."),
    Setting("draft_window", "1h", duration, "How long a draft order of a site and supplier gathers needs."),
    Setting("hold", "0s", duration, "Cancel window between approval and placing."),
    Setting(
        "approve_by", "3d", duration, "How long a person has to approve before the order is escalated, then expires."
    ),
    Setting(
        "surge",
        "5",
        _factor,
        "More needs of an account in a day than so many times the expected ones wait for a person; 0: never.",
    ),
    Setting("checkpoint_every", "5m", duration, "Longest time between two checkpoints of a partition."),
    Setting(
        "checkpoint_readings", "2000000", _positive, "Readings since the last checkpoint that make the next one due."
    ),
    Setting(
        "accept_logic",
        "0",
        _switch,
        "1: replay with this version of the logic what another version decided, though it may decide otherwise.",
    ),
    Setting("journal_keep", "7d", duration, "Journal records younger than this are kept even below the checkpoints."),
    Setting(
        "journal_most", "10GB", size, "Above this size of the journal also younger ones go, the older half at a time."
    ),
    Setting("series_keep", "800d", duration, "Age at which points leave the series (domain time)."),
    Setting(
        "purchase_orders", "{data}/purchase-orders", _path, "Folder for purchase orders of suppliers on channel `file`."
    ),
    Setting(
        "smtp",
        "",
        _mail_server,
        "Mail server for notices, `smtp://user:password@host:587` or `smtps://`; empty: no mail.",
        secret=True,
    ),
    Setting("mail_from", "ullage@localhost", str, "Sender of mails."),
    Setting(
        "webhook_private",
        "0",
        _switch,
        "1: webhooks that accounts subscribe to may also be of this machine or a private network.",
    ),
    Setting("log_level", "info", _choice("debug", "info", "warning", "error"), "Least level that is logged."),
    Setting("log_format", "text", _choice("text", "json"), "Log lines for people or for machines."),
)
_BY_NAME = {s.name: s for s in SETTINGS}


@dataclass(frozen=True, slots=True)
class Effective:
    setting: Setting
    value: Any
    text: str
    source: Source

    @property
    def shown(self) -> str:
        """The value for people: passwords inside URLs are masked."""
        return re.sub(r"(://[^:/@]*:)[^@]*@", r"\1***@", self.text) if self.setting.secret else self.text


class Settings:
    """The effective settings as attributes; `settings.effective` says where each came from."""

    def __init__(self, effective: Mapping[str, Effective]) -> None:
        self.effective = dict(effective)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.effective[name].value
        except KeyError:
            raise AttributeError(name) from None

    def environment(self) -> dict[str, str]:
        """The same settings as variables, for the processes of the roles."""
        return {e.setting.variable: e.text for e in self.effective.values()}


def load(overrides: Mapping[str, str | None] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Effective settings. `overrides` are command line options by setting name; None means not given.

    Raises ConfigurationError, also for a variable ULLAGE_... that no setting has (a typing error would go unseen)."""
    environ = os.environ if environ is None else environ
    overrides = overrides or {}
    file = _read_file(environ.get("ULLAGE_CONFIG", ""))
    _refuse_unknown(environ, file)
    effective: dict[str, Effective] = {}
    for setting in SETTINGS:
        text, source = _find(setting, overrides, environ, file)
        if "{data}" in text:
            text = text.replace("{data}", str(effective["data"].value))
        try:
            value = setting.parse(text)
        except ValueError as error:
            raise ConfigurationError(f"{setting.variable} is {text!r} (from {source}): it must be {error}") from None
        effective[setting.name] = Effective(setting, value, str(value) if setting.name == "data" else text, source)
    settings = Settings(effective)
    _refuse_plaintext(settings)
    return settings


_INTERNAL = {"ULLAGE_CONFIG", "ULLAGE_TIMELINE", "ULLAGE_HEARTBEAT_FD"}


def _refuse_unknown(environ: Mapping[str, str], file: Mapping[str, str]) -> None:
    known = {s.variable for s in SETTINGS} | _INTERNAL
    for variable in environ:
        if variable.startswith("ULLAGE_") and variable not in known:
            raise ConfigurationError(f"{variable} is set, but there is no such setting: `ullage config` lists them")
    for name in file:
        if name not in _BY_NAME:
            raise ConfigurationError(f"the configuration file has {name!r}, but there is no such setting")


def _read_file(path: str) -> dict[str, str]:
    if not path:
        return {}
    try:
        with Path(path).open("rb") as f:
            return {name: str(value) for name, value in tomllib.load(f).items()}
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"ULLAGE_CONFIG is {path!r}: the file cannot be read: {error}") from error


def _find(
    setting: Setting, overrides: Mapping[str, str | None], environ: Mapping[str, str], file: Mapping[str, str]
) -> tuple[str, Source]:
    given = overrides.get(setting.name)
    if given is not None:
        return given, "command line"
    if setting.variable in environ:
        return environ[setting.variable], "environment"
    if setting.name in file:
        return file[setting.name], "file"
    return setting.default, "default"


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_plaintext(settings: Settings) -> None:
    """Credentials must not cross a network in the clear unless somebody says so."""
    for role in ("api", "mqtt"):
        cert, key = getattr(settings, f"{role}_tls_cert"), getattr(settings, f"{role}_tls_key")
        if (cert is None) != (key is None):
            raise ConfigurationError(f"ULLAGE_{role.upper()}_TLS_CERT and _TLS_KEY go together: one of them is empty")
        host = getattr(settings, f"{role}_host")
        if role == "mqtt" and settings.mqtt_tls_port is not None:
            if cert is None:
                raise ConfigurationError("ULLAGE_MQTT_TLS_PORT is set, but not ULLAGE_MQTT_TLS_CERT and _TLS_KEY")
            cert = None  # the other port stays without TLS
        if not is_loopback(host) and cert is None and not settings.allow_plaintext:
            raise ConfigurationError(
                f"ULLAGE_{role.upper()}_HOST is {host!r}, which is beyond the loopback, and a port has no TLS: set "
                f"ULLAGE_{role.upper()}_TLS_CERT and _TLS_KEY (and no second port), or ULLAGE_ALLOW_PLAINTEXT=1 if a "
                "proxy in front has TLS"
            )
