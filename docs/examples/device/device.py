"""A device in Python (paho-mqtt 2): store and forward. A reading is on disk before it is sent, until its PUBACK.

    python device.py HOST PORT ACCOUNT DEVICE TOKEN STORE < levels

Each line of standard input is a level of the black toner, 0..1. STORE is a file of the device's own. The program ends
when the input has ended and every reading is acknowledged.
"""

import json
import queue
import secrets
import sqlite3
import sys
import threading
from datetime import UTC, datetime

import paho.mqtt.client as mqtt

WINDOW = 20  # readings that wait for their PUBACK at once
FIRST_PAUSE, LAST_PAUSE = 1, 120  # seconds until it connects again


class Store:
    """What is not acknowledged yet, oldest first: the finished bytes, not what they were made of."""

    def __init__(self, path):
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("CREATE TABLE IF NOT EXISTS reading (id INTEGER PRIMARY KEY AUTOINCREMENT, payload BLOB)")

    def add(self, payload):
        self._db.execute("INSERT INTO reading (payload) VALUES (?)", (payload,))

    def after(self, number):
        return self._db.execute(
            "SELECT id, payload FROM reading WHERE id > ? ORDER BY id LIMIT 1", (number,)
        ).fetchone()

    def remove(self, number):
        self._db.execute("DELETE FROM reading WHERE id = ?", (number,))

    def empty(self):
        return self._db.execute("SELECT 1 FROM reading LIMIT 1").fetchone() is None


class Device:
    """One thread has the store: what paho's thread and the input's have to say comes by a queue."""

    def __init__(self, account, name, token, store):
        self.boot, self.seq = secrets.token_hex(8), 0  # a new boot at each start: seq may begin again
        self.store, self.topic = store, f"ullage/v1/{account}/{name}"
        self.events = queue.SimpleQueue()
        self.sent, self.last, self.up = {}, 0, False
        # on a new connection paho sends again what is in flight; after a new start the store does
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=True)
        self.client.username_pw_set(account, token)
        self.client.will_set(f"{self.topic}/status", '{"v":1,"signals":["offline"]}', qos=1)
        self.client.reconnect_delay_set(FIRST_PAUSE, LAST_PAUSE)
        self.client.on_connect, self.client.on_disconnect = self.connected, self.lost
        self.client.on_publish, self.client.on_message = self.acknowledged, self.told

    # in paho's thread

    def connected(self, client, _data, _flags, reason, _properties):
        if reason.is_failure:
            print(f"refused: {reason}", file=sys.stderr)
            return
        client.subscribe([(f"{self.topic}/orders", 1), (f"{self.topic}/errors", 1)])  # each time: there is no session
        self.events.put(("up", None))

    def lost(self, _client, _data, _flags, _reason, _properties):
        self.events.put(("down", None))

    def acknowledged(self, _client, _data, mid, _reason, _properties):
        self.events.put(("acknowledged", mid))

    def told(self, _client, _data, message):
        print(f"{message.topic}: {message.payload.decode()}", file=sys.stderr)

    # in the thread that has the store

    def live(self):
        """Until the input has ended and nothing is left to send."""
        ended = False
        while not ended or not self.store.empty():
            what, value = self.events.get()
            if what == "level":
                self.read(value)
            elif what == "acknowledged":
                self.store.remove(self.sent.pop(value))
            elif what == "end":
                ended = True
            else:
                self.up = what == "up"
            self.pump()

    def read(self, level):
        """One reading: on disk first."""
        self.seq += 1
        ts = datetime.now(UTC).isoformat(timespec="milliseconds")
        body = {"v": 1, "ts": ts, "boot": self.boot, "seq": self.seq, "supplies": {"black": {"level": level}}}
        self.store.add(json.dumps(body).encode())

    def pump(self):
        """Send from the store as far as the window goes."""
        while self.up and len(self.sent) < WINDOW and (row := self.store.after(self.last)):
            self.last, payload = row
            self.sent[self.client.publish(f"{self.topic}/readings", payload, qos=1).mid] = self.last


def take_input(events):
    for line in sys.stdin:
        events.put(("level", float(line)))
    events.put(("end", None))


def main(host, port, account, name, token, store):
    device = Device(account, name, token, Store(store))
    device.client.connect_async(host, int(port), keepalive=60)
    device.client.loop_start()
    threading.Thread(target=take_input, args=(device.events,), daemon=True).start()
    device.live()
    device.client.disconnect()
    device.client.loop_stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
