"""A reading's way through the gateway: acknowledged when durable, in order, whatever the journal does meanwhile."""

from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from journal.sqlite import SqliteJournal
from tests.support.gateway import (
    TOKEN,
    MemoryJournal,
    frames,
    reading,
    running,
    sequences,
)

VERSIONS = pytest.mark.parametrize("version", [4, 5])


@VERSIONS
def test_paho_publishes_and_finds_it_in_the_journal(version: int, tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.db")
    with running(journal) as gateway:
        client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id="copier-01", protocol=mqtt.MQTTProtocolVersion(version)
        )
        client.username_pw_set("acme", TOKEN.decode())
        client.connect("127.0.0.1", gateway.port)
        client.loop_start()
        sent = [client.publish("ullage/v1/acme/copier-01/readings", reading(seq), qos=1) for seq in range(1, 31)]
        for info in sent:
            info.wait_for_publish(5)
        assert sequences(journal) == list(range(1, 31))
        client.disconnect()
        client.loop_stop()
    frame = frames(journal)[0]
    assert frame.readings["device"][0] == 1
    assert frame.supplies[0].tolist() == (11, 0, 42.0, 42.0)
    assert frame.counters[0].tolist() == (0, 0, 0, 182341)
    journal.close()


@VERSIONS
def test_acknowledges_only_what_is_durable(version: int) -> None:
    journal = MemoryJournal()
    with running(journal) as gateway, gateway.client(version) as client:
        journal.gate.clear()
        client.publish(reading(), 7)
        client.quiet()
        journal.gate.set()
        client.expect(0x40, b"\0\7")
        assert sequences(journal) == [1]
