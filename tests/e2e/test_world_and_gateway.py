"""The simulated world against the real gateway: every trouble, and what was acknowledged is in the journal."""

import asyncio
import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from devices_sim.api_client import Api
from devices_sim.mqtt_client import Broker
from devices_sim.report import Report
from devices_sim.runner import Options, Runner
from devices_sim.scenario import Event, FleetSize, Rates, Scenario
from devices_sim.truth import acked
from journal.sqlite import SqliteJournal
from models.frame import ReadingFlag
from models.identity import DeviceIdentity, SlotIdentity
from tests.support.gateway import frames, refused, running
from tests.support.gateway_fakes import FakeDirectory
from tests.support.simulated import FakeProduct

TROUBLE = Rates(network_loss=0.3, board_swap=0.2, reboot=0.3, clock_error=0.2, duplicate=0.1, disorder=0.1, no_seq=0.1)


class Registrar(FakeProduct):
    """Registers a fleet document in the gateway's directory, as the ledger would."""

    def into(self, directory: FakeDirectory) -> "Registrar":
        self.directory = directory
        return self

    def _fleet(self, document: dict[str, Any]) -> dict[str, Any]:
        answer = super()._fleet(document)
        models = {model["name"]: model for model in document["device_models"]}
        kind = {d["name"]: d["model"] for a in document["accounts"] for s in a["sites"] for d in s["devices"]}
        for given in answer["credentials"]:
            model, number = models[kind[given["device"]]], given["device_id"]
            slots = {
                s["name"]: SlotIdentity(10 * number + i, s["capacity"], s["unit"], s["ascending"])
                for i, s in enumerate(model["slots"])
            }
            credential = hashlib.sha256(given["token"].encode()).digest()
            names = tuple(counter["name"] for counter in model["counters"])
            self.directory.put(
                DeviceIdentity(
                    given["account"], given["device"], number, 1, number, credential, True, False, 1, slots, names
                )
            )
        return answer


async def live(folder: Path, port: int, product: FakeProduct, what: Scenario) -> Report:
    options = Options(Broker("127.0.0.1", port), "http://api", "t", what, folder, say=lambda _: None)
    return await Runner(options, Api("http://api", "t", transport=httpx.MockTransport(product))).run()


def test_everything_that_was_acknowledged_is_in_the_journal(tmp_path: Path) -> None:
    directory = FakeDirectory()
    product = Registrar(speed=36_000.0).into(directory)
    hostile = Event(at="0h", kind="hostile", device="copier-0002", lasts="24h")
    lost = Event(at="6h", kind="network_loss", site="berlin", lasts="4h")
    what = Scenario(
        name="join",
        duration="24h",
        fleet=FleetSize(devices=25, accounts=2, sites=4),
        trouble=TROUBLE,
        events=(hostile, lost),
    )
    journal = SqliteJournal(tmp_path / "journal.db")
    with running(journal, directory, now=product.now) as gateway:
        report = asyncio.run(live(tmp_path / "world", gateway.port, product, what))
        foreign = gateway.metric("ullage_gateway_foreign_topics_total")
    assert report.published > 300
    assert foreign > 0

    numbers = {(i.account, i.device): i.device_id for i in directory.identities.values()}
    recorded: Counter[tuple[int, int]] = Counter()  # one per boot
    anonymous = 0
    for (account, device, boot), spans in acked(tmp_path / "world").items():
        for first, last in spans:
            if int(boot, 16):
                recorded.update((numbers[account, device], seq) for seq in range(first, last + 1))
            else:
                anonymous += last - first + 1
    rows = [row for frame in frames(journal) for row in frame.readings]
    wills = [row for row in rows if row["flags"] & ReadingFlag.OFFLINE]
    assert len(wills) == report.deaths > 10  # network losses and reboots end a connection without a DISCONNECT
    rows = [row for row in rows if not row["flags"] & ReadingFlag.OFFLINE]
    found = {(int(row["device"]), int(row["boot"]), int(row["seq"])) for row in rows}
    assert recorded <= Counter((device, seq) for device, boot, seq in found if boot)
    assert anonymous <= sum(boot == 0 for _, boot, _ in found)
    assert recorded.total() > 250
    assert anonymous > 10

    junk = refused(journal)
    assert len({record.device for record in junk}) == 1
    assert len(junk) >= report.acked - recorded.total() - anonymous > 0
    assert not any(row["flags"] & ReadingFlag.NO_TIME for row in rows)
    journal.close()
