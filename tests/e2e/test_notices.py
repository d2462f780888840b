"""`ullage subscription` beside `ullage serve`: what was subscribed arrives, signed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from standardwebhooks import Webhook

from tests.support.installation import Installation, waited
from tests.support.webhooks import receiving
from ullage.cli import main

FLEET = Path(__file__).parents[2] / "docs" / "examples" / "fleet.yaml"


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Installation]:
    installation = Installation(tmp_path, variables={"ULLAGE_WEBHOOK_PRIVATE": "1"})
    yield installation
    installation.end()


def test_whoever_subscribed_is_told(made: Installation) -> None:
    def ullage(*arguments: str) -> dict[str, str]:
        done = CliRunner().invoke(main, ["--data", str(made.data), *arguments, "--json"])
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.stdout))

    made.start()
    made.wait_ready()
    with receiving() as receiver:
        ullage("fleet", "apply", str(FLEET))
        subscribed = ullage("subscription", "add", "ERP", receiver.url, "--account", "acme", "--kind", "spares.*")
        tested = ullage("subscription", "test", str(subscribed["id"]))
        waited(lambda: receiver.got, "the test message arrives", 60)
        ullage("site", "count", "acme", "hq", "TN-K", "7")
        waited(lambda: len(receiver.got) > 1, "the count is told", 60)
    (first, _), (headers, body) = receiver.got
    assert first["webhook-id"] == tested["message_id"]
    told = Webhook(subscribed["secret"]).verify(body, headers)
    assert (told["type"], told["data"]["data"]["units"]) == ("spares.counted", 7.0)
