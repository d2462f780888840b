import json

import pytest

from devices_sim import fleet
from devices_sim.errors import BadScenario
from devices_sim.scenario import FleetSize, Scenario
from devices_sim.world.kinds import KINDS, MODELS, PRODUCTS
from ledger.fleet.document import parse_fleet

URLS = {name: (f"http://127.0.0.1:9/{name}", "secret") for name in fleet.SUPPLIERS}


def plan(**kw):
    return fleet.make_plan(Scenario(name="x", fleet=FleetSize(**kw)))


def test_the_demo_has_what_it_says():
    demo = plan()
    assert len(demo.devices) == 200
    assert len(demo.sites) == 12
    assert len({site.account for site in demo.sites}) == 3
    kinds = {MODELS[device.model].kind for device in demo.devices}
    assert kinds == set(KINDS)
    assert len({device.key for device in demo.devices}) == 200


def test_the_same_seed_gives_the_same_fleet_and_more_devices_keep_the_first():
    assert plan() == plan()
    small = {d.name: d.site.key for d in plan(devices=50).devices}
    large = {d.name: d.site.key for d in plan(devices=500).devices}
    assert small.items() <= large.items()


@pytest.mark.parametrize("devices", [1, 3, 200])
def test_the_product_takes_the_fleet_document(devices):
    made = plan(devices=devices)
    parsed = parse_fleet(json.loads(json.dumps(fleet.document(made, URLS))))
    named = [d.name for a in parsed.accounts for s in a.sites for d in s.devices]
    assert sorted(named) == sorted(d.name for d in made.devices)
    skus = {p.sku for p in parsed.products}
    assert {fit.sku for m in parsed.device_models for slot in m.slots for fit in slot.products} <= skus
    assert {offer.sku for s in parsed.suppliers for offer in s.offers} == skus == set(PRODUCTS)


def test_every_supplier_needs_its_address():
    with pytest.raises(BadScenario, match="no URL for the suppliers papierwerk"):
        fleet.document(plan(devices=1), {k: v for k, v in URLS.items() if k != "papierwerk"})


def test_counter_slots_name_a_counter_of_their_model():
    for model in MODELS.values():
        names = {c.name for c in model.counters}
        assert all(s.counter in names for s in model.supplies if s.meter == "counter")
        assert len({s.name for s in model.supplies}) == len(model.supplies)
