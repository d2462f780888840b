"""The whole way: device -> gateway -> journal -> Faust -> step -> ledger -> API, by the commands a user types."""

import json
import socket
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest
from sqlalchemy import select

from ledger import books
from ledger.tables import budget, event, outbox
from tests.faults.auditor import audit
from tests.support.installation import STARTING, Installation, installation, waited
from tests.support.sim import World
from ullage import compose

STEPS = ["proposed", "window_closed", "hold_ended", "accepted", "shipped", "delivered"]
FLEET: dict[str, Any] = {
    "products": [{"sku": "TN-K", "name": "Black toner", "unit": "pages"}],
    "suppliers": [
        {"name": "papierwerk", "offers": [{"sku": "TN-K", "price": "54.90", "currency": "EUR", "lead_days": [1, 2, 3]}]}
    ],
    "device_models": [
        {
            "name": "copier",
            "counters": [{"name": "pages", "per_day": 20_000}],
            "slots": [{"name": "black", "capacity": 12_000, "unit": "pages", "products": [{"sku": "TN-K"}]}],
        }
    ],
    "accounts": [
        {
            "name": "acme",
            "mode": "auto",
            "currency": "EUR",
            "sites": [
                {"name": "hq", "time_zone": "Europe/Berlin", "devices": [{"name": "copier-01", "model": "copier"}]}
            ],
        }
    ],
}


def publish(made: Installation, token: str, seq: int, level: float, *, dated: bool = True) -> None:
    """One reading of copier-01, as a newcomer's ten lines would send it; returns when it is acknowledged."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="copier-01")
    client.username_pw_set("acme", token)
    client.connect("127.0.0.1", made.mqtt_port)
    client.loop_start()
    reading = {
        "v": 1,
        **({"ts": datetime.now(UTC).isoformat(timespec="milliseconds")} if dated else {}),
        "boot": "a81f03c2d94e77b1",
        "seq": seq,
        "supplies": {"black": {"level": level}},
        "counters": {"pages": 182_341 + seq},
    }
    sent = client.publish("ullage/v1/acme/copier-01/readings", json.dumps(reading), qos=1)
    sent.wait_for_publish(STARTING)
    assert sent.is_published()
    client.disconnect()
    client.loop_stop()


def orders(api: httpx.Client) -> list[dict[str, Any]]:
    return list(api.get("/v1/orders").raise_for_status().json()["items"])


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_reading_becomes_an_order_that_can_say_why(tmp_path: Path) -> None:
    file = tmp_path / "fleet.json"  # JSON is YAML too
    file.write_text(json.dumps(FLEET))
    with installation(tmp_path / "home") as made:
        given = json.loads(made.ullage("fleet", "apply", str(file), "--json").stdout)
        device_token = given["credentials"][0]["token"]
        api_token = made.token()
        publish(made, device_token, 1, 0.01)
        with made.client(api_token) as api:
            waited(lambda: orders(api), "an order", 30)
            (order,) = orders(api)
            receipt = api.get(f"/v1/orders/{order['id']}/receipt").raise_for_status().json()
            (slot,) = api.get("/v1/slots").raise_for_status().json()["items"]
        assert order["account"] == "acme"
        assert "copier-01" in json.dumps(receipt)
        assert slot["name"] == "black"
        why = made.ullage("why", f"order/{order['id']}").stdout
        assert "copier-01" in why
        assert "TN-K" in why
        assert "black" in made.ullage("why", "acme/copier-01/black").stdout
        assert made.stop() < 5

        made.start()  # goes on from where it was
        made.wait_ready()
        publish(made, device_token, 2, 0.01)
        with made.client(api_token) as api:
            heard = api.get(f"/v1/slots/{slot['id']}").raise_for_status().json()
            assert heard["id"] == slot["id"]
            assert orders(api)[0]["id"] == order["id"]
            assert len(orders(api)) == 1
        assert made.stop() < 5
        replayed = made.ullage("replay", check=False)
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sandbox_device_goes_through_every_state_and_nothing_leaves_the_house(tmp_path: Path) -> None:
    """In a simulated world, for goods take days. The supplier's orders would be files."""
    fleet = json.loads(json.dumps(FLEET))
    fleet["accounts"][0]["monthly_budget"] = "1000.00"
    fleet["accounts"][0]["sites"][0]["devices"][0]["sandbox"] = True
    file = tmp_path / "fleet.json"
    file.write_text(json.dumps(fleet))
    with installation(tmp_path / "home", speed=24_000.0) as made:
        given = json.loads(made.ullage("fleet", "apply", str(file), "--json").stdout)
        publish(made, given["credentials"][0]["token"], 1, 0.01, dated=False)
        with made.client(made.token()) as api:
            waited(lambda: [one["state"] for one in orders(api)] == ["delivered"], lambda: str(orders(api)), 120)
            (bought,) = api.get("/v1/purchase-orders").raise_for_status().json()["items"]
        with made.client(made.token("--role", "supplier", "--supplier", "papierwerk")) as supplier:
            assert supplier.get("/v1/purchase-orders").raise_for_status().json()["items"] == []
            assert supplier.get(f"/v1/purchase-orders/{bought['id']}").status_code == 404
        made.stop()
        with closing(compose.ledger_of(made.settings())) as ledger, ledger.read() as tx:
            moves = select(event.c.kind).where(event.c.subject == f"order/{bought['order_id']}").order_by(event.c.id)
            told = [kind.removeprefix("order.") for kind in tx.scalars(moves)]
            left = tx.scalars(select(outbox.c.key).where(outbox.c.kind == "purchase_order")).all()
            money = [row for row in tx.execute(select(budget)) if row.reserved or row.spent]
            assert list(books.check(tx)) == []
    assert [kind for kind in told if kind != "placed"] == STEPS  # placing tells twice
    assert (left, money) == ([], [])
    assert not list(made.data.glob("purchase-orders/*"))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["ULLAGE_API_PORT", "ULLAGE_MQTT_PORT"])
def test_a_port_in_use_is_named_by_its_setting(tmp_path: Path, name: str) -> None:
    made = Installation(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "ullage", "serve"],
            env=made.environment() | {name: str(port)},
            capture_output=True,
            text=True,
            timeout=STARTING,
            check=False,
        )
    assert done.returncode != 0
    assert name in done.stderr
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_office_lives_as_its_scenario_expects(tmp_path: Path) -> None:
    with installation(tmp_path, speed=28_800.0) as made:
        world = World(made, "office")
        try:
            world.start()
            code, report = world.ended(STARTING)
        finally:
            world.end()
        assert report["failed"] == [], report
        assert code == 0
        assert made.stop() < 5
        assert audit(made.data, world.folder) == []
