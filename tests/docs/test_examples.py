"""The examples run: fleet file, a device in Python, a supplier's check, the purchase order, containers."""

import json
import re
import shlex
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest
import yaml

from ledger import tables as t
from ledger.engine import open_ledger
from ledger.fleet import apply_fleet, parse_fleet
from ledger.migrate import upgrade
from ledger.sinks import sign
from tests.support import reference
from tests.support.api_world import api_world
from tests.support.gateway import frames, running
from tests.support.mqtt import TOKEN
from ullage.cli import main
from ullage.settings import SETTINGS, load

ROOT, DOCS = reference.ROOT, reference.DOCS
NOW = 1_795_000_000_000


def python_of(page: Path) -> str:
    return reference.code_of(page, "python")[0]


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "tutorial.md"], ids=lambda page: page.name)
def test_first_device_runs(page: Path) -> None:
    with running() as gateway:
        code = python_of(page).replace("1883", str(gateway.port)).replace("THE TOKEN OF copier-01", TOKEN.decode())
        command = [sys.executable, "-W", "error", "-c", code, TOKEN.decode(), "0.05"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        (frame,) = frames(gateway.journal)
        assert frame.supplies["high"][0] == pytest.approx(5 if page.name == "tutorial.md" else 42)


def test_readme_example_is_ten_lines() -> None:
    assert len(python_of(ROOT / "README.md").split("\n\n", 1)[1].splitlines()) <= 10


def test_fleet_file_applies_and_changes_nothing_the_second_time(tmp_path: Path) -> None:
    document = parse_fleet(yaml.safe_load((DOCS / "examples" / "fleet.yaml").read_text()))
    with closing(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")) as ledger:
        upgrade(ledger)
        first = apply_fleet(ledger, document, NOW)
        assert [c.device for c in first.credentials] == ["copier-01", "coffee-01"]
        assert apply_fleet(ledger, document, NOW + 1).credentials == []


def test_supplier_of_the_documents_parses() -> None:
    (block,) = reference.code_of(DOCS / "how-to" / "connect-a-supplier.md", "yaml")
    (supplier,) = parse_fleet(yaml.safe_load(block)).suppliers
    assert supplier.channel == "webhook"


def test_supplier_verifies_what_is_signed() -> None:
    names: dict[str, object] = {}
    exec(python_of(DOCS / "how-to" / "connect-a-supplier.md"), names)  # noqa: S102 - it is our own page
    genuine, body, now = names["genuine"], b'{"version": 1}', int(time.time())
    assert callable(genuine)
    headers = {"Ullage-Timestamp": str(now), "Ullage-Signature": sign("secret", now, body)}
    assert genuine("secret", headers, body)
    assert not genuine("secret", headers, body + b" ")
    assert not genuine("other", headers, body)
    old = {"Ullage-Timestamp": str(now - 900), "Ullage-Signature": sign("secret", now - 900, body)}
    assert not genuine("secret", old, body)


def test_purchase_orders_are_as_their_schema_says(tmp_path: Path) -> None:
    schema = json.loads((DOCS / "schemas" / "purchase-order.json").read_text())
    check = jsonschema.Draft202012Validator(schema)
    with api_world(tmp_path) as world:
        made = [json.loads(row.payload) for row in world.rows(t.outbox, t.outbox.c.kind == "purchase_order")]
    assert made
    for document in [*made, *schema["examples"]]:
        check.validate(document)


@pytest.mark.parametrize("path", sorted((DOCS / "schemas").glob("*.json")), ids=lambda path: path.stem)
def test_schemas_are_schemas_and_their_examples_fit(path: Path) -> None:
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for example in schema["examples"]:
        jsonschema.validate(example, schema)


def test_compose_file_names_what_exists() -> None:
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["ullage"]
    assert set(service["environment"]) <= {s.variable for s in SETTINGS}
    assert load(environ=service["environment"]).api_host == "0.0.0.0"  # noqa: S104 - inside its own network
    assert service["command"][0] in reference.below(main)
    ports = {port.rpartition(":")[2] for port in service["ports"]}
    assert ports == {str(load(environ={}).api_port), str(load(environ={}).mqtt_port)}
    probed = re.search(r"http://[\d.:]+(/\w+)", service["healthcheck"]["test"][-1])
    assert probed
    assert probed[1] in {route.path for route in reference.routes()}


def test_dockerfile_names_what_exists() -> None:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    home = re.search(r"--home-dir (\S+)", text)
    assert home
    assert f"VOLUME {home[1]}\n" in text, "what is compiled at the first start is kept in the home"
    assert set(re.findall(r"ULLAGE_\w+", text)) <= {s.variable for s in SETTINGS}
    assert json.loads(re.findall(r"^CMD (.*)$", text, re.MULTILINE)[0])[0] in reference.below(main)
    exposed = set(re.findall(r"^EXPOSE (.*)$", text, re.MULTILINE)[0].split())
    assert exposed == {str(load(environ={}).api_port), str(load(environ={}).mqtt_port)}


def test_service_file_starts_what_exists() -> None:
    (block,) = reference.code_of(DOCS / "how-to" / "run-as-a-service.md", "ini")
    values = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    assert shlex.split(values["ExecStart"])[1] in reference.below(main)
    load(environ=dict(pair.split("=", 1) for pair in values["Environment"].split()))
