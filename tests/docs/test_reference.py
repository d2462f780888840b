"""The reference has what the code has, and nothing else."""

import re
from pathlib import Path

import msgspec
import pytest

from ingest.advice import ADVICE, advice
from ingest.mqtt.codes import Reason
from ingest.todo import TODO, todo
from ledger.fleet import document as fleet
from tests.support import reference

REFERENCE = reference.DOCS / "reference"


def cells(page: str, heading: str) -> set[str]:
    """The words in code of the first column below a heading."""
    text = (REFERENCE / f"{page}.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return {
        word
        for line in text.splitlines()
        if line.startswith("|")
        for word in re.findall("`([^`]+)`", line.split("|")[1])
    }


@pytest.mark.parametrize("page", reference.pages(), ids=lambda page: page.name)
def test_made_tables_are_up_to_date(page: Path) -> None:
    text = page.read_text()
    assert text == reference.renewed(text), "write them anew: .venv/bin/python -m tests.support.reference"


def test_every_table_has_its_place() -> None:
    placed = [name for page in reference.pages() for name in reference.BLOCK.findall(page.read_text())]
    assert sorted(placed) == sorted(reference.MADE)


def test_every_metric_of_the_code_is_on_its_page() -> None:
    page = (REFERENCE / "metrics.md").read_text()
    assert reference.metric_names()
    assert not [name for name in reference.metric_names() if not re.search(rf"`{name}(_total)?[`{{]", page)]


def test_problem_codes() -> None:
    assert cells("errors", "HTTP") == reference.problem_codes()


def test_codes_of_refused_messages() -> None:
    """Whatever a device can cause is told on its downlink, with words that say what to do."""
    mine = reference.gateway_codes() | reference.worker_codes() - {"poison_record", "damaged_record"}
    assert set(TODO) == reference.told_codes() == cells("errors", "Messages of devices") == mine
    assert all(TODO.values())
    assert todo("of_another_version")


def test_codes_of_the_quarantine() -> None:
    assert cells("errors", "Quarantine") == reference.worker_codes()


def test_every_code_has_words_and_a_hint() -> None:
    assert set(ADVICE) == reference.gateway_codes() | {"not_kept"} | reference.worker_codes()
    assert advice("of_another_version").means == "of another version"


def test_codes_of_alerts() -> None:
    assert cells("errors", "Alerts") == reference.alert_codes()


def test_mqtt_reasons() -> None:
    page = (REFERENCE / "errors.md").read_text()
    told = {
        (int(code, 16), name) for code, name in re.findall(r"^\| (0x[0-9A-F]{2}) \| `(\w+)` \|", page, re.MULTILINE)
    }
    assert told == {(reason.value, reason.name.lower()) for reason in Reason}


def test_reasons_that_the_mqtt_page_names_exist() -> None:
    named = {int(code, 16) for code in re.findall(r"0x([0-9A-F]{2})\b", (REFERENCE / "mqtt.md").read_text())}
    assert named <= set(Reason)


def test_events() -> None:
    assert cells("api", "Events") == reference.event_kinds()


def test_fields_of_the_fleet_document() -> None:
    page = (REFERENCE / "fleet.md").read_text()
    named = set(re.findall(r"`(\w+)`", page))
    parts = [p for p in vars(fleet).values() if isinstance(p, type) and issubclass(p, fleet.Part)]
    fields = {name for part in parts for name in part.__struct_fields__}
    assert fields <= named
    first = {
        word
        for line in page.splitlines()
        if line.startswith("|")
        for word in re.findall(r"`(\w+)`", "".join(line.split("|")[1:3]))
    }
    assert first <= fields


def test_fields_that_the_fleet_document_must_have() -> None:
    page = (REFERENCE / "fleet.md").read_text()
    starred = set(re.findall(r"`(\w+)` ?\*", page))
    parts = [p for p in vars(fleet).values() if isinstance(p, type) and issubclass(p, fleet.Part)]
    must = {f.name for part in parts for f in msgspec.structs.fields(part) if f.required}
    assert starred == must
