import httpx
import pytest

from devices_sim import fleet, report
from devices_sim.api_client import Api
from devices_sim.report import Report
from devices_sim.scenario import Bound, FleetSize, Scenario
from devices_sim.truth import Truth
from devices_sim.world.world import World

DAY = 86_400_000
START = 1_795_392_000_000


@pytest.fixture
def world(tmp_path):
    truth = Truth(tmp_path)
    made = World(fleet.make_plan(Scenario(name="x", fleet=FleetSize(devices=4, accounts=1, sites=1))), truth, START)
    while not made.advance(START + 3 * DAY):
        pass
    made.save()
    for machine in made.machines:
        while machine.queue:
            made.acknowledged(machine.queue.popleft())
    made.save()
    yield made
    truth.close()


def asked(run, product, world):
    async def work():
        api = Api("http://api", "t", transport=httpx.MockTransport(product))
        result = report.of_world(world, 0)
        await report.ask(result, api, world, 2.0)
        await api.close()
        return result

    return run(work())


def slots(world, heard):
    return [
        {"id": 1, "account": m.device.site.account, "device": m.device.name, "name": "x", "last_heard_at": heard}
        for m in world.machines
    ]


def test_the_report_counts_what_the_product_says(run, product, world):
    product.collections = {
        "/v1/orders": [{"id": 1, "state": "placed"}, {"id": 2, "state": "delivered"}],
        "/v1/needs": [
            {"id": 1, "slot_id": 1, "slot": "black", "cycle": 1, "attempt": 0, "state": "met"},
            {"id": 2, "slot_id": 1, "slot": "black", "cycle": 2, "attempt": 0, "state": "open"},
            {"id": 3, "slot_id": 2, "slot": "black", "cycle": 1, "attempt": 0, "state": "open"},
        ],
        "/v1/slots": slots(world, START + 3 * DAY),
    }
    result = asked(run, product, world)
    assert (result.orders, result.orders_by_state) == (2, {"placed": 1, "delivered": 1})
    assert (result.needs, result.needs_twice, result.orders_twice) == (3, 0, 0)
    assert result.devices_unheard == 0
    assert result.published == result.acked > 100
    assert result.days == 3
    assert "2 (1 delivered, 1 placed)" in report.text(result)


def test_two_open_needs_of_a_slot_or_one_need_twice_are_counted(run, product, world):
    need = {"slot_id": 1, "cycle": 1, "attempt": 0, "state": "open"}
    product.collections = {"/v1/needs": [need, need | {"cycle": 2}, need | {"slot_id": 9, "state": "met"}]}
    assert asked(run, product, world).needs_twice == 1
    product.collections = {"/v1/needs": [need | {"state": "met"}] * 2}
    assert asked(run, product, world).needs_twice == 1


def test_devices_that_the_product_did_not_hear_are_counted(run, product, world):
    product.collections = {"/v1/slots": slots(world, START + DAY)[1:]}
    assert asked(run, product, world).devices_unheard == 4
    product.collections = {"/v1/slots": slots(world, "2026-11-26T00:00:00Z")[1:]}
    assert asked(run, product, world).devices_unheard == 1


def test_refills_that_ullage_saw_are_set_against_the_true_ones(run, product, world):
    first, second, *_ = world.machines
    first.state.refills[0], second.state.refills[0] = 2, 1
    product.collections = {
        "/v1/slots": [
            {"account": "acme", "device": m.device.name, "name": m.model.supplies[0].name, "cycle": cycle}
            for m, cycle in ((first, 2), (second, 5))
        ]
    }
    result = asked(run, product, world)
    assert (result.refills_seen, result.refills_false, result.refills_unseen) == (5, 3, 1)
    assert "5; false: 3, unseen: 1" in report.text(result)


def test_without_the_api_its_half_is_not_known(run, product, world):
    product.down = True
    result = asked(run, product, world)
    assert result.orders is None
    assert "is the API at" in result.api
    assert "not known" in report.text(result)


def judged(wishes, **values):
    base = dict.fromkeys(Report.__struct_fields__, 0) | {"scenario": "x", "failed": [], "api": "answered"}
    result = Report(**(base | {"orders_by_state": {}, "needs_by_state": {}} | values))
    report.judge(result, Scenario(name="x", expect=wishes))
    return result


def test_expectations_decide():
    good = judged({"orders": Bound(min=1), "needs_twice": 0, "stock_outs_pct": Bound(max=8)}, orders=4)
    assert good.ok
    bad = judged({"orders": Bound(min=1, max=3), "needs_twice": 0, "residue_pct": 1, "colour": 1}, residue_pct=None)
    assert bad.failed == [
        "orders is 0, expected at least 1 and at most 3",
        "residue_pct is None, expected 1",
        "colour is no figure of the report, expected 1",
    ]
    assert not bad.ok
    assert "NOT AS EXPECTED" in report.text(bad)


def test_an_expectation_looks_into_a_table_where_nothing_is_zero(world):
    result = report.of_world(world, 0)
    result.quarantined_by_code = {"nul": 3}
    wishes = {"quarantined_by_code.nul": 3, "quarantined_by_code.empty": 0, "orders_by_state.x": Bound(min=1)}
    report.judge(result, Scenario(name="x", expect=wishes))
    assert result.failed == ["orders_by_state.x is 0, expected at least 1"]


def test_the_report_counts_what_waits_for_people(run, product, world):
    product.collections = {
        "/v1/quarantine": [{"code": "nul"}, {"code": "nul"}],
        "/v1/tasks": [{"kind": "overdue"}],
        "/v1/alerts": [{"code": "silent"}],
        "/v1/slots": slots(world, START + 5 * DAY),
    }
    result = asked(run, product, world)
    assert (result.quarantined, result.quarantined_by_code) == (2, {"nul": 2})
    assert (result.tasks_by_kind, result.alerts_by_code) == ({"overdue": 1}, {"silent": 1})
    assert result.devices_ahead == len(world.machines)
