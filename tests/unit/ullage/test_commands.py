"""The commands over an embedded installation that no role runs on."""

import json
import os
import socket
import time
from contextlib import closing
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from journal.codec import encode_tick
from ledger.registry import products
from ledger.sinks import sign
from models.records import Tick
from tests.support.http_supplier import listening
from tests.support.reference import leaves
from ullage import compose
from ullage.cli import COMMANDS, main
from ullage.settings import load

FLEET = Path(__file__).parents[3] / "docs/examples/fleet.yaml"
SCHEMAS = Path(__file__).parents[3] / "docs/schemas"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    compose.initialise(load({"data": str(folder)}, environ={}), line=None)
    return folder


@pytest.fixture
def ullage(data: Path, monkeypatch: pytest.MonkeyPatch):
    for variable in [v for v in os.environ if v.startswith("ULLAGE_")]:
        monkeypatch.delenv(variable)

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, ["--data", str(data), *arguments])
        assert result.exit_code == code, result.output
        return result

    return run


def test_a_fleet_is_registered_and_asked_for(ullage):
    applied = json.loads(ullage("fleet", "apply", str(FLEET), "--json").stdout)
    assert applied["summary"]["new_devices"] == 2
    assert {c["device"] for c in applied["credentials"]} == {"copier-01", "coffee-01"}
    again = json.loads(ullage("fleet", "apply", str(FLEET), "--json").stdout)
    assert again["credentials"] == []  # shown this once
    assert [a["name"] for a in json.loads(ullage("account", "list", "--json").stdout)] == ["acme"]
    why = json.loads(ullage("why", "acme/copier-01/black", "--json").stdout)
    assert (why["device"], why["name"], why["mode"]["effective"]) == ("copier-01", "black", "observe")
    assert "copier-01" in ullage("why", "acme/copier-01/black").stdout


def test_devices_come_from_a_sheet_line_by_line(ullage, tmp_path: Path):
    ullage("fleet", "apply", str(FLEET), "--dry-run")
    ullage("fleet", "apply", str(FLEET))
    sheet = tmp_path / "devices.csv"
    sheet.write_text("account,site,device,model\nacme,hq,sheet-1,copier-c4\nacme,hq,sheet-2,copier-c4,surplus\n")
    said = ullage("fleet", "import", "devices", str(sheet), code=1).stdout
    assert "more cells than columns" in said
    assert "Nothing was changed." in said
    sheet.write_text("account,site,device,model\nacme,hq,sheet-1,copier-c4\n")
    assert (
        json.loads(ullage("fleet", "import", "devices", str(sheet), "--dry-run", "--json").stdout)["credentials"] == []
    )
    made = json.loads(ullage("fleet", "import", "devices", str(sheet), "--json").stdout)
    assert (made["applied"], made["credentials"][0]["device"]) == (True, "sheet-1")
    sheet.write_text("account,device\n")
    assert "site, model is not among them" in ullage("fleet", "import", "devices", str(sheet), code=1).output
    assert "All supplies are mapped" in ullage("device", "unmapped").stdout


def test_one_device_is_registered_by_commands(ullage):
    ullage("fleet", "apply", str(FLEET), "--json")
    ullage("account", "add", "globex")
    ullage("site", "add", "globex", "lab", "--time-zone", "Europe/Vienna")
    made = json.loads(ullage("device", "add", "globex", "lab", "copier-9", "--model", "copier-c4", "--json").stdout)
    assert len(made["token"]) == 43
    ullage("account", "mode", "globex", "ask")
    accounts = {a["name"]: a["mode"] for a in json.loads(ullage("account", "list", "--json").stdout)}
    assert accounts["globex"] == "ask"
    assert made["token"] != ullage("device", "rotate", str(made["device_id"])).stdout.strip()
    ullage("device", "rotate", str(made["device_id"]), "--overlap", "7d")
    assert "use a duration" in ullage("device", "rotate", "1", "--overlap", "soon", code=2).output
    replaced = json.loads(ullage("device", "replace", str(made["device_id"]), "copier-10", "--json").stdout)
    assert (replaced["device_id"], replaced["device"]) == (made["device_id"], "copier-10")
    ullage("device", "replace", str(made["device_id"]), "copier-9")
    ullage("device", "retire", str(made["device_id"]))
    devices = {d["name"]: d["retired"] for d in json.loads(ullage("device", "list", "--json").stdout)}
    assert devices["copier-9"] is True


def test_calendars_are_learned_from_what_there_is(ullage):
    ullage("fleet", "apply", str(FLEET), "--json")
    for more in (["--dry-run"], []):
        said = json.loads(ullage("learn", "calendars", *more, "--json").stdout)
        assert said == {"dry_run": bool(more), "sites": said["sites"], "learned_calendars": 0, "changes": []}
        assert said["sites"] >= 1
    assert "No site's week differs" in ullage("learn", "calendars").stdout


def test_a_token_is_shown_once_and_can_be_revoked(ullage):
    made = json.loads(ullage("token", "create", "--name", "me", "--json").stdout)
    listed = {t["id"]: t for t in json.loads(ullage("token", "list", "--json").stdout)}
    assert made["secret"].startswith(listed[made["id"]]["prefix"])
    assert made["secret"] not in json.dumps(listed[made["id"]])
    ullage("token", "revoke", str(made["id"]))
    listed = {t["id"]: t for t in json.loads(ullage("token", "list", "--json").stdout)}
    assert listed[made["id"]]["revoked"] is not None


def test_status_says_how_it_stands_and_the_books_balance(ullage):
    found = json.loads(ullage("status", "--json").stdout)
    assert found["findings"] == []
    assert found["outbox_dead"] == 0
    assert found["lag"] is None
    said = ullage("status").stdout
    assert "balance" in said
    assert "worker          is not running" in said


def test_status_says_what_is_on_disk_how_long_it_is_kept_and_when_it_was_backed_up(ullage, data: Path, tmp_path: Path):
    found = json.loads(ullage("status", "--json").stdout)["disk"]
    assert found["stores"].keys() >= {"ledger", "journal"}
    assert found["stores"]["journal"] >= (data / "journal.db").stat().st_size
    assert 0 < found["free"] <= found["whole"]
    assert found["kept"] == {"journal_keep": "7d", "journal_most": "10GB", "series_keep": "800d"}
    assert "last backup     none" in ullage("status").stdout
    before = time.time_ns() // 1_000_000
    with closing(compose.journal_of(load({"data": str(data)}, environ={}))) as journal:
        journal.append([(0, encode_tick(Tick(1, 0)))])
    ullage("backup", "create", str(tmp_path / "safe"))
    found = json.loads(ullage("status", "--json").stdout)["disk"]
    assert before <= found["journal_oldest"] <= time.time_ns() // 1_000_000
    assert found["last_backup"]["folder"] == str(tmp_path / "safe")
    assert str(tmp_path / "safe") in ullage("status").stdout


def test_config_says_where_each_setting_comes_from(ullage, data: Path):
    found = json.loads(ullage("config", "--json").stdout)
    assert found["ULLAGE_DATA"] == found["ULLAGE_DATA"] | {"value": str(data), "source": "command line"}
    assert found["ULLAGE_API_PORT"]["source"] == "default"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("why", "slot/4711"), 1, "there is no slot 4711"),
        (("why", "4711"), 1, "there is no order 4711"),
        (("why", "nonsense"), 1, "neither an order"),
        (("orders", "show", "4711"), 1, "there is no order 4711"),
        (("orders", "approve", "4711", "--as", "1"), 1, "there is no order 4711"),
        (("orders", "approve", "4711"), 2, "--as"),
        (("orders", "details", "4711", "--reference", "x"), 1, "there is no order 4711"),
        (("orders", "reject", "4711", "--reason", "no"), 1, "there is no order 4711"),
        (("orders", "cancel", "4711"), 1, "there is no order 4711"),
        (("orders", "list", "--state", "los"), 2, "'los' is not one of"),
        (("replay",), 1, "no checkpoint"),
        (("account", "add", "Not A Name"), 1, "Not A Name"),
        (("account", "mode", "nobody", "ask"), 1, "there is no account nobody"),
        (("site", "add", "nobody", "lab", "--time-zone", "Europe/Berlin"), 1, "there is no account nobody"),
        (("device", "add", "nobody", "lab", "x", "--model", "m"), 1, "nobody"),
        (("device", "retire", "4711"), 1, "there is no device 4711"),
        (("device", "rotate", "4711"), 1, "there is no device 4711"),
        (("device", "replace", "4711", "x"), 1, "there is no device 4711"),
        (("device", "tail", "4711"), 1, "there is no device 4711"),
        (("product", "add", "no sku", "--name", "x"), 1, "no sku"),
        (("supplier", "add", "x", "--channel", "webhook"), 1, "needs a url"),
        (("token", "revoke", "4711"), 1, "there is no token 4711"),
        (("outbox", "retry", "4711"), 1, "4711 is no dead letter"),
        (("token", "create"), 2, "--name"),
        (("no-such-command",), 2, "no-such-command"),
    ],
)
def test_what_cannot_be_done_is_said_with_an_exit_code(ullage, arguments, code, said):
    assert said in ullage(*arguments, code=code).output


def test_going_to_auto_asks_for_a_count_of_the_spares_first(ullage, data: Path):
    ullage("fleet", "apply", str(FLEET), "--json")
    ullage("account", "add", "hooli")
    ullage("site", "add", "hooli", "lab", "--time-zone", "Europe/Vienna")
    ullage("device", "add", "hooli", "lab", "copier-1", "--model", "copier-c4")
    ullage("account", "mode", "hooli", "ask")
    assert "nobody has counted the spares of lab/TN-K;" in ullage("account", "mode", "hooli", "auto", code=1).output
    modes = {row["name"]: row["mode"] for row in json.loads(ullage("account", "list", "--json").stdout)}
    assert modes["hooli"] == "ask"
    ullage("account", "mode", "hooli", "auto", "--uncounted")
    ullage("account", "mode", "acme", "auto")  # the fleet file says what is there


def test_a_count_goes_to_the_journal_as_a_request(ullage, data: Path):
    ullage("fleet", "apply", str(FLEET), "--json")
    told = json.loads(ullage("site", "count", "acme", "hq", "TN-K", "3", "--json").stdout)
    waiting = {row["aggregate"] for row in json.loads(ullage("outbox", "list", "--json").stdout)}
    assert any(told["id"] in aggregate for aggregate in waiting)
    assert "there is no product NONE" in ullage("site", "count", "acme", "hq", "NONE", "3", code=1).output
    assert "-1" in ullage("site", "count", "acme", "hq", "TN-K", "--", "-1", code=2).output


@pytest.mark.parametrize(("given", "accepted"), [((), False), (("--accept-logic",), True)])
def test_a_worker_may_be_told_to_go_on_with_another_logic(ullage, monkeypatch: pytest.MonkeyPatch, given, accepted):
    """As the error of a worker says that meets a checkpoint of another version."""
    started = []
    monkeypatch.setattr("ullage.role.run", lambda name, settings, _: started.append((name, settings.accept_logic)))
    ullage("worker", *given)
    assert started == [("worker", accepted)]


def test_a_wrong_setting_is_a_wrong_call(ullage, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ULLAGE_API_PORT", "http")
    assert "ULLAGE_API_PORT is 'http'" in ullage("config", code=2).output


def test_without_an_installation_a_command_says_how_to_make_one(tmp_path: Path):
    result = CliRunner().invoke(main, ["--data", str(tmp_path), "status"])
    assert result.exit_code == 1
    assert "ullage serve" in result.output


LEAVES = {name.removeprefix("ullage "): command for name, command in leaves()}
RUNNING = {"serve", "demo", "gateway", "worker", "api", "deliver", "clock"}
"""They run until they are stopped, and log."""
each = pytest.mark.parametrize("name", LEAVES)


def test_every_group_explains_itself():
    for name in COMMANDS:
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0
        assert len(result.output.splitlines()[2].strip()) > 5, name


@each
def test_every_command_explains_itself_and_refuses_what_it_does_not_know(ullage, name: str):
    assert len(LEAVES[name].help or "") > 10
    assert "--no-such-option" in ullage(*name.split(), "--no-such-option", code=2).output


@pytest.mark.parametrize("name", sorted(LEAVES.keys() - RUNNING))
def test_a_machine_may_read_every_answer(name: str):
    assert "--json" in [option for p in LEAVES[name].params for option in p.opts]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("account", "add", "initech"), {"name": "initech", "mode": "observe"}),
        (("account", "mode", "acme", "off"), {"name": "acme", "mode": "off", "was": "observe"}),
        (("site", "add", "acme", "depot", "--time-zone", "Asia/Tokyo"), {"name": "depot", "time_zone": "Asia/Tokyo"}),
        (("product", "add", "DRUM-1", "--name", "Drum"), {"sku": "DRUM-1", "unit": "pieces"}),
        (("supplier", "add", "zweitwerk"), {"name": "zweitwerk", "channel": "file"}),
        (("device", "retire", "2"), {"id": 2, "retired": True}),
    ],
)
def test_what_was_done_is_told_to_machines(ullage, arguments: tuple[str, ...], told: dict[str, object]):
    ullage("fleet", "apply", str(FLEET), "--json")
    said = json.loads(ullage(*arguments, "--json").stdout)
    assert said == said | told


def test_a_webhook_supplier_is_added_without_its_secret_being_shown(ullage, tmp_path: Path):
    (tmp_path / "key").write_text("hush\n")
    options = ("--channel", "webhook", "--url", "https://example.org/orders", "--secret-file", str(tmp_path / "key"))
    assert "hush" not in ullage("supplier", "add", "postwerk", *options, "--json").output
    listed = ullage("supplier", "list", "--json").output
    assert "postwerk" in listed
    assert "hush" not in listed


def test_a_supplier_is_tried_with_a_sample_that_says_so(ullage, data: Path, tmp_path: Path):
    ullage("fleet", "apply", str(FLEET))
    (tmp_path / "key").write_text("hush\n")
    with listening() as server:
        way = ("--channel", "webhook", "--url", server.url, "--secret-file", str(tmp_path / "key"))
        ullage("supplier", "add", "papierwerk", *way)
        told = json.loads(ullage("supplier", "test", "papierwerk", "--json").stdout)
        server.status = 403
        assert "answered 403: because" in ullage("supplier", "test", "papierwerk", code=1).output
        server.status = 503
        assert "answered 503" in ullage("supplier", "test", "papierwerk", code=1).output
        (headers, body), *_ = server.got
    assert (told["status"], told["answer"]) == (200, "because")
    assert headers["idempotency-key"] == told["key"]
    assert headers["ullage-signature"] == sign("hush", int(headers["ullage-timestamp"]), body)
    document = json.loads(body)
    assert (document["test"], document["purchase_order"], document["lines"][0]["sku"]) == (True, 0, "TN-K")
    jsonschema.validate(document, json.loads((SCHEMAS / "purchase-order.json").read_text()))
    assert "no connection" in ullage("supplier", "test", "papierwerk", code=1).output
    assert json.loads(ullage("outbox", "list", "--json").stdout)  # facts of the fleet, and:
    assert "purchase_order" not in ullage("outbox", "list", "--json").stdout
    ullage("supplier", "add", "papierwerk")
    ullage("supplier", "test", "papierwerk")
    (written,) = (data / "purchase-orders").glob("test-*.json")
    assert json.loads(written.read_bytes())["test"] is True
    assert "there is no supplier nobody" in ullage("supplier", "test", "nobody", code=1).output


def test_lists_are_whole(ullage, data: Path):
    """The registry gives a hundred at a time."""
    with closing(compose.ledger_of(load({"data": str(data)}, environ={}))) as ledger, ledger.write() as tx:
        for number in range(105):
            products.ensure(tx, f"SKU-{number}", "One of many", "pieces", 0)
    listed = [row["sku"] for row in json.loads(ullage("product", "list", "--json").stdout)]
    assert {f"SKU-{number}" for number in range(105)} <= set(listed)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("role", ["api", "mqtt"])
@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use_names_its_setting_before_anything_starts(ullage, role: str, command: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = {"api": "0", "mqtt": "0"} | {role: str(port)}
        said = ullage(command, "--api-port", ports["api"], "--mqtt-port", ports["mqtt"], code=2).output
    assert f"ULLAGE_{role.upper()}_PORT is {port}" in said
