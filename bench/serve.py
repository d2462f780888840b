"""How long `ullage serve` takes until it is ready, and how long a published reading takes until its draft line shows.

The fleet is a real one with real credentials over real MQTT (paho); 1,000 readings/s flow meanwhile. A measured reading
carries a reorder signal; it is visible when `GET /v1/needs` gives its need with an order.
"""

import http.client
import json
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from tests.support.installation import Installation

SEED = 0
DEVICES, SLOTS = 60, 4
RATE = 1_000
SAMPLES = 150
POLL = 0.004
GIVE_UP = 5.0


def fleet() -> dict[str, Any]:
    names = [f"toner-{n}" for n in range(SLOTS)]
    slots = [
        {"name": n, "meter": "level", "refill": "swap", "capacity": 12000, "unit": "pages", "days": 400,
         "products": [{"sku": n, "units": 1}]} for n in names
    ]  # fmt: skip
    return {
        "products": [{"sku": n, "name": n, "unit": "pages"} for n in names],
        "suppliers": [
            {
                "name": "papierwerk",
                "channel": "file",
                "offers": [{"sku": n, "price": "50", "currency": "EUR", "lead_days": [1, 2, 3]} for n in names],
            }
        ],
        "device_models": [{"name": "copier", "counters": [{"name": "pages"}], "slots": slots}],
        "accounts": [
            {
                "name": "acme",
                "mode": "auto",
                "currency": "EUR",
                "sites": [
                    {
                        "name": f"site-{s}",
                        "time_zone": "UTC",
                        "devices": [{"name": f"copier-{d}", "model": "copier"} for d in range(s, DEVICES, 12)],
                    }
                    for s in range(12)
                ],
            }
        ],
    }


class Machine:
    """One connection that publishes when told to."""

    def __init__(self, port: int, device: str, token: str) -> None:
        self.topic = f"ullage/v1/acme/{device}/readings"
        self.seq = 0
        self.connected = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=device)
        self.client.username_pw_set("acme", token)
        self.client.on_connect = lambda *a: self.connected.set() if not a[3].is_failure else None
        self.client.max_inflight_messages_set(200)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def publish(self, signals: list[str]) -> None:
        self.seq += 1
        reading = {
            "v": 1,
            "boot": "b0075eed00000001",
            "seq": self.seq,
            "supplies": {"toner-0": {"level": 0.9}, "toner-1": {"level": 0.8}},
            "counters": {"pages": 1000 + self.seq},
            "signals": signals,
        }
        self.client.publish(
            self.topic, json.dumps(reading if signals else {k: v for k, v in reading.items() if v}), qos=1
        )


def flow(machines: list[Machine], end: threading.Event) -> None:
    """RATE readings a second, evenly over the machines."""
    began, sent = time.monotonic(), 0
    while not end.is_set():
        due = int((time.monotonic() - began) * RATE)
        for _ in range(due - sent):
            machines[sent % len(machines)].publish([])
            sent += 1
        end.wait(0.005)


class Asker:
    """Asks the API over one kept connection."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=GIVE_UP)
        self._headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        self._connection.request("GET", path, headers=self._headers)
        return json.loads(self._connection.getresponse().read())


def latencies(machines: list[Machine], asker: Asker, slots: list[tuple[int, int, str]]) -> list[float]:
    """Milliseconds from publish to the draft line, of SAMPLES slots one after another."""
    found = []
    for machine, slot, name in slots[:SAMPLES]:
        began = time.monotonic()
        machines[machine].publish([f"reorder:{name}"])
        while not any(need["order_id"] for need in asker.get(f"/v1/needs?slot={slot}")["items"]):
            if time.monotonic() - began > GIVE_UP:
                raise RuntimeError(f"no draft line for slot {slot} within {GIVE_UP} s")
            time.sleep(POLL)
        found.append((time.monotonic() - began) * 1000)
    return sorted(found)


def run() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        installation = Installation(Path(folder))
        try:
            installation.start()
            first = installation.wait_ready()
            installation.stop()
            installation.start()
            again = installation.wait_ready()
            figures = {"first_start_s": first, "next_start_s": again} | _measure(installation)
            figures["stop_s"] = round(installation.stop(), 2)
        finally:
            installation.end()
    return figures


def _measure(installation: Installation) -> dict[str, Any]:
    token = installation.token()
    with installation.client(token) as client:
        answer = client.post("/v1/fleet", json=fleet(), headers={"Idempotency-Key": "bench"})
        answer.raise_for_status()
        credentials = answer.json()["credentials"]
    asker = Asker(installation.api_port, token)
    machines = [Machine(installation.mqtt_port, c["device"], c["token"]) for c in credentials]
    by_device = {c["device_id"]: n for n, c in enumerate(credentials)}
    for machine in machines:
        if not machine.connected.wait(30):
            raise RuntimeError(f"{machine.topic} does not connect")
    items = asker.get("/v1/slots?limit=500")["items"]
    slots = sorted((by_device[i["device_id"]], i["id"], i["name"]) for i in items)
    end = threading.Event()
    flowing = threading.Thread(target=flow, args=(machines, end))
    flowing.start()
    try:
        found = latencies(machines, asker, slots)
    finally:
        end.set()
        flowing.join()
        for machine in machines:
            machine.client.disconnect()
            machine.client.loop_stop()
    return {
        "readings_per_s": RATE,
        "samples": len(found),
        "p50_ms": round(found[len(found) // 2], 1),
        "p99_ms": round(found[int(len(found) * 0.99)], 1),
    }


def rows(figures: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """(what, measured, at least, go for)."""
    return [
        (
            "reading published -> draft line in the API, p50 / p99 ms at 1,000 readings/s",
            f"{figures['p50_ms']} / {figures['p99_ms']}",
            "200 / 400",
            "80 / 200",
        ),
        (
            "`ullage serve` until ready, s (first start / next)",
            f"{figures['first_start_s']} / {figures['next_start_s']}",
            "5",
            "2",
        ),
        ("`ullage serve` from SIGTERM to its end, s", f"{figures['stop_s']}", "5", ""),
    ]


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
