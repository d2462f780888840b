from datetime import timedelta
from pathlib import Path

import pytest

from ullage.roles.gateway import config_of
from ullage.settings import SETTINGS, ConfigurationError, duration, load, size


def test_defaults_listen_on_the_loopback_only():
    settings = load(environ={})
    assert (settings.api_host, settings.api_port) == ("127.0.0.1", 8000)
    assert (settings.mqtt_host, settings.mqtt_port) == ("127.0.0.1", 1883)
    assert settings.draft_window == timedelta(hours=1)
    assert settings.hold == timedelta(0)
    assert settings.partitions == 4


def test_stores_live_in_the_data_folder(tmp_path: Path):
    settings = load({"data": str(tmp_path)}, environ={})
    assert settings.journal == f"sqlite:///{tmp_path}/journal.db"
    assert settings.purchase_orders == tmp_path / "purchase-orders"


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path):
    file = tmp_path / "ullage.toml"
    file.write_text('api_port = 8001\nmqtt_port = 1884\nhold = "5m"\n')
    environ = {"ULLAGE_CONFIG": str(file), "ULLAGE_API_PORT": "8002", "ULLAGE_MQTT_PORT": "1885"}
    settings = load({"api_port": "8003", "mqtt_port": None}, environ)
    found = {n: (e.value, e.source) for n, e in settings.effective.items()}
    assert found["api_port"] == (8003, "command line")
    assert found["mqtt_port"] == (1885, "environment")
    assert found["hold"] == (timedelta(minutes=5), "file")
    assert found["partitions"] == (4, "default")


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("ULLAGE_API_PORT", "80000", "a port number"),
        ("ULLAGE_DRAFT_WINDOW", "1 week", "a duration"),
        ("ULLAGE_JOURNAL_MOST", "10 gigs", "a size such as 500MB or 10GB"),
        ("ULLAGE_PARTITIONS", "0", "at least 1"),
        ("ULLAGE_LOG_LEVEL", "loud", "one of debug"),
        ("ULLAGE_ALLOW_PLAINTEXT", "yes", "0 or 1"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(variable: str, value: str, allowed: str):
    with pytest.raises(ConfigurationError) as error:
        load(environ={variable: value})
    assert variable in str(error.value)
    assert repr(value) in str(error.value)
    assert allowed in str(error.value)


def test_a_misspelt_variable_is_refused():
    with pytest.raises(ConfigurationError, match="ULLAGE_API_PROT"):
        load(environ={"ULLAGE_API_PROT": "80"})


@pytest.mark.parametrize("role", ["API", "MQTT"])
def test_listening_beyond_the_loopback_needs_tls_or_a_plain_word(role: str, tmp_path: Path):
    environ = {f"ULLAGE_{role}_HOST": "0.0.0.0"}  # noqa: S104 - the very thing that must be refused
    with pytest.raises(ConfigurationError, match=f"ULLAGE_{role}_HOST"):
        load(environ=environ)
    load(environ=environ | {"ULLAGE_ALLOW_PLAINTEXT": "1"})
    load(
        environ=environ
        | {f"ULLAGE_{role}_TLS_CERT": str(tmp_path / "c"), f"ULLAGE_{role}_TLS_KEY": str(tmp_path / "k")}
    )


MQTT_TLS = {"ULLAGE_MQTT_TLS_CERT": "/etc/c.pem", "ULLAGE_MQTT_TLS_KEY": "/etc/k.pem"}


@pytest.mark.parametrize(
    ("environ", "ports"),
    [
        ({}, (1883, None)),
        (MQTT_TLS, (None, 1883)),
        (MQTT_TLS | {"ULLAGE_MQTT_TLS_PORT": "8883"}, (1883, 8883)),
    ],
)
def test_the_gateway_listens_plain_with_tls_or_both(environ: dict[str, str], ports: tuple[int | None, int | None]):
    config = config_of(load(environ=environ))
    assert (config.port, config.tls_port) == ports


def test_a_plain_port_beside_that_of_tls_needs_a_plain_word_beyond_the_loopback():
    both = MQTT_TLS | {"ULLAGE_MQTT_TLS_PORT": "8883", "ULLAGE_MQTT_HOST": "0.0.0.0"}  # noqa: S104 - as above
    with pytest.raises(ConfigurationError, match="a port has no TLS"):
        load(environ=both)
    load(environ=both | {"ULLAGE_ALLOW_PLAINTEXT": "1"})


def test_a_port_for_tls_without_a_certificate_is_refused():
    with pytest.raises(ConfigurationError, match="ULLAGE_MQTT_TLS_PORT is set, but not ULLAGE_MQTT_TLS_CERT"):
        load(environ={"ULLAGE_MQTT_TLS_PORT": "8883"})


def test_a_certificate_without_its_key_is_refused():
    with pytest.raises(ConfigurationError, match="go together"):
        load(environ={"ULLAGE_API_TLS_CERT": "/etc/cert.pem"})


def test_passwords_in_urls_are_not_shown():
    settings = load(environ={"ULLAGE_LEDGER": "postgresql://ullage:secret@db/ullage"})
    assert settings.effective["ledger"].shown == "postgresql://ullage:***@db/ullage"


def test_the_environment_for_the_roles_gives_the_same_settings(tmp_path: Path):
    settings = load({"data": str(tmp_path), "api_port": "8005"}, environ={})
    again = load(environ=settings.environment())
    assert {n: e.value for n, e in again.effective.items()} == {n: e.value for n, e in settings.effective.items()}


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1h", 3600), ("0s", 0), ("250ms", 0.25)])
def test_durations(text: str, seconds: float):
    assert duration(text).total_seconds() == seconds


def test_every_setting_says_what_it_means():
    assert all(s.meaning.endswith(".") for s in SETTINGS)


@pytest.mark.parametrize(
    ("text", "size_in_bytes"), [("500MB", 500_000_000), ("1.5 GB", 1_500_000_000), ("2TB", 2 * 10**12)]
)
def test_sizes(text: str, size_in_bytes: int):
    assert size(text) == size_in_bytes
