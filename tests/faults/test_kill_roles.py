"""kill -9 of every role at random phases under load: nothing acknowledged is lost, nothing counts or is ordered twice.

A simulated fleet with its users and suppliers drives a real installation; one thread per role kills it, waits until the
supervisor has brought it back, and kills it again. Afterwards the audit compares everything with everything.
"""

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from sqlalchemy import text

from tests.faults.auditor import audit
from tests.support.installation import ROLES, Installation, waited
from tests.support.sim import World
from ullage import compose

SPEED = 24_000.0
SCENARIO = """\
name: kills
about: Three accounts whose machines run empty, with some of every trouble that a network makes.
seed: {seed}
fleet:
  devices: 30
  accounts: 3
  sites: 6
  kinds: {{copier: 0.5, coffee: 0.3, thermostat: 0.1, co_detector: 0.1}}
  initial: [0.03, 0.4]
  spares: 0.3
users: {{early: 0.4, tell: 0.5, part_used: 0.1, button: 0.3}}
trouble: {{network_loss: 0.02, reboot: 0.02, duplicate: 0.02, disorder: 0.02, no_seq: 0.0, sleepers: 0.1}}
suppliers: {{late: 0.02, part: 0.2}}
"""
LEAST_READINGS = 1_000
BETWEEN = (0.3, 2.0)
"""Seconds that a role lives until it is killed again, at least and at most."""


def kill_again_and_again(made: Installation, role: str, kills: int, chance: random.Random) -> list[float]:
    """Seconds from each kill until the role's next process was ready, the supervisor's back-off included."""
    took = []
    for _ in range(kills):
        time.sleep(chance.uniform(*BETWEEN))  # the phase: what is random here is the moment itself
        since = made.said()
        began = time.monotonic()
        before = made.kill(role)
        made.wait_back(role, before, since)
        took.append(time.monotonic() - began)
    return took


def offsets(made: Installation) -> dict[int, int]:
    with closing(compose.ledger_of(made.settings())) as ledger, ledger.read() as tx:
        rows = tx.execute(text('select partition, "offset" from partition_owner')).all()
    return {row[0]: row[1] for row in rows}


def nothing_waits(made: Installation) -> bool:
    """Everything that the ledger has told the journal is there."""
    with closing(compose.ledger_of(made.settings())) as ledger, ledger.read() as tx:
        waiting = "select count(*) from outbox where state <> 'done' and kind in ('fact', 'request')"
        return not tx.scalar(text(waiting))


def all_partitions_live(made: Installation) -> None:
    """Those that have sites: of the others only checkpoints take the ledger on."""
    before = offsets(made)
    with closing(compose.ledger_of(made.settings())) as ledger, ledger.read() as tx:
        homes = {shard % len(before) for shard in tx.scalars(text("select shard from site"))}

    def look() -> bool:
        now = offsets(made)
        return all(now[p] > before[p] for p in homes)

    waited(look, lambda: f"partitions {homes} go on; {before}, {offsets(made)}", 60)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_of_every_role_change_nothing(
    tmp_path: Path, kills: int, kill_seed: int, figures: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made = Installation(tmp_path, SPEED, {"ULLAGE_CHECKPOINT_EVERY": "12s"})
    world = World(made, SCENARIO.format(seed=kill_seed))
    try:
        made.start()
        made.wait_ready()
        world.start()
        world.wait_acked(LEAST_READINGS // 5)
        with ThreadPoolExecutor(len(ROLES)) as pool:
            jobs = {
                role: pool.submit(kill_again_and_again, made, role, kills, random.Random(f"{kill_seed} {role}"))
                for role in ROLES
            }
            took = {role: job.result() for role, job in jobs.items()}
        all_partitions_live(made)
        world.wait_acked(LEAST_READINGS)
        report = world.stop()
        waited(lambda: nothing_waits(made), "the outbox is empty", 60)
        stopping = made.stop()
    finally:
        world.end()
        made.end()
    figures |= {
        "what": "seconds from kill -9 to ready, back-off included, all roles being killed at once",
        "seed": kill_seed,
        "kills": kills,
        **{role: {"median": round(median(t), 2), "most": round(max(t), 2)} for role, t in took.items()},
        "readings": report["acked"],
        "stop": round(stopping, 2),
    }
    with capsys.disabled():
        print(f"\n{figures}")
    wrong = audit(made.data, world.folder)
    assert not wrong, f"seed {kill_seed}:\n" + "\n".join(wrong[:50])
    assert stopping < 5
    replayed = made.ullage("replay", check=False)
    assert replayed.returncode == 0, f"seed {kill_seed}: {replayed.stdout}{replayed.stderr}"
    assert report["orders"] > 0
    assert report["needs_twice"] == report["orders_twice"] == 0
