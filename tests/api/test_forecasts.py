"""Forecasts and demand: they say what the ledger knows, and nothing where it knows nothing."""

from typing import Any

from models.effects import RefillKind, RefillSeen
from models.units import DAY
from tests.support.api_world import LIVED, T0, ApiWorld, view


def test_p_empty_before_follows_the_view(still: ApiWorld) -> None:
    slot = still.slots["acme"][0]
    shown = still.operator.get(f"/v1/slots/{slot}").json()
    median = shown["empty_at"]
    found = still.operator.get(f"/v1/slots/{slot}/forecast", before=[median, "2030-01-01T00:00:00Z"]).json()
    assert [p["probability"] for p in found["p_empty_before"]] == [0.5, 1.0]
    assert found["empty_at"]["0.5"] == median
    assert found["days_to_empty"] == shown["days_to_empty"]
    own = still.operator.get(f"/v1/slots/{slot}/forecast", quantile=[0.3]).json()
    assert list(own["days_to_empty"]) == ["0.3"]
    assert found["days_to_empty"]["0.25"] < own["days_to_empty"]["0.3"] < found["days_to_empty"]["0.5"]


def test_a_slot_of_which_nothing_was_heard(still: ApiWorld) -> None:
    slot = still.slots["acme"][4]
    shown = still.operator.get(f"/v1/slots/{slot}").json()
    assert shown["level"] is None
    assert shown["days_to_empty"] is None
    found = still.operator.get(f"/v1/slots/{slot}/forecast", before="2030-01-01T00:00:00Z").json()
    assert found["days_to_empty"] == {}


def test_a_level_that_no_device_reported_is_not_made_up(world: ApiWorld) -> None:
    """The state assumes anything from empty to full, which is no report."""
    slot = world.slots["acme"][4]
    assumed = {"level_low": 0.0, "level_high": 100.0, "level": 50.0, "quantiles": (), "probability": 0.0}
    world.show(view(slot, status="unknown", band=0, last_heard=0, **assumed))
    listed = {item["id"]: item for item in world.operator.get("/v1/slots", limit=500).json()["items"]}
    for shown in (listed[slot], world.operator.get(f"/v1/slots/{slot}").json()):
        assert shown["status"] == "unknown"
        for name in ("level", "level_low", "level_high", "probability", "days_to_empty", "empty_at", "last_heard_at"):
            assert shown[name] is None, name


def test_history_is_bounded_by_its_dates(still: ApiWorld) -> None:
    path = f"/v1/slots/{still.slots['acme'][1]}/history"
    whole = still.operator.get(path).json()
    assert len(whole["levels"]) == 100
    some = still.operator.get(path, limit=10).json()
    assert (len(some["levels"]), some["truncated"]) == (10, True)
    middle = whole["levels"][50]["start_at"]
    late = still.operator.get(path, since=middle).json()
    assert late["levels"] == whole["levels"][50:]


def demand(world: ApiWorld, **query: Any) -> Any:
    answer = world.operator.get("/v1/demand", sku="TN-K", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_demand_foresees_the_known_empties(still: ApiWorld) -> None:
    """Four slots of a site are empty after 4, 6, 8 and 10 days: two in the first week."""
    found = demand(still, site=still.site("acme"), weeks=3, quantiles="0.05,0.5,0.95")
    assert len(found["weeks"]) == 3
    means = [week["mean"] for week in found["weeks"]]
    assert 1.5 < means[0] < 2.5
    assert 3.0 < sum(means[:2]) < 4.5
    for week in found["weeks"]:
        low, mid, high = week["quantiles"].values()
        assert low <= mid <= high
    assert sum(found["history"]) == 1.0


def test_demand_adds_up_over_places(still: ApiWorld) -> None:
    one, all_of_them = demand(still, account=still.accounts["acme"]), demand(still)
    assert sum(all_of_them["history"]) == 2 * sum(one["history"])
    assert one["where"] == f"account/{still.accounts['acme']}"
    assert all_of_them["where"] == "all"


def test_demand_without_anything_known_is_zero(still: ApiWorld) -> None:
    answer = still.operator.get("/v1/demand", sku="BEANS", site=still.site("acme"), weeks=2).json()
    assert [week["mean"] for week in answer["weeks"]] == [0.0, 0.0]


def test_demand_learns_from_refills(world: ApiWorld) -> None:
    """Slots that no forecast covers: what they used is what is expected."""
    slot, week = world.slots["acme"][4], 7 * DAY
    seen = [
        RefillSeen(slot, n, RefillKind.TOPUP, T0 - (30 - n) * week // 2, 7, n, 3.0, 100.0, 1.0, 0, "x")
        for n in range(1, 29)
    ]
    world.apply(*seen, after=LIVED)
    found = world.operator.get("/v1/demand", sku="BEANS", site=world.site("acme"), weeks=2).json()
    assert sum(found["history"]) == 28
    assert 1.5 < found["weeks"][0]["mean"] < 2.5
