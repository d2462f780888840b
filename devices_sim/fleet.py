"""Who is in the world: accounts, sites, devices, suppliers, planned from a seed; the fleet document about them."""

from dataclasses import dataclass, field
from datetime import date

from devices_sim.chance import draws
from devices_sim.errors import BadScenario
from devices_sim.scenario import Scenario
from devices_sim.usage import holidays
from devices_sim.world.kinds import KINDS, MODELS, PRODUCTS, Model, Supply

ACCOUNTS = ("acme", "borealis", "cedar-clinics", "delta-works", "elm-schools", "fjord-hotels")
CITIES = (
    ("berlin", "Europe/Berlin"),
    ("hamburg", "Europe/Berlin"),
    ("vienna", "Europe/Vienna"),
    ("zurich", "Europe/Zurich"),
    ("lisbon", "Europe/Lisbon"),
    ("oslo", "Europe/Oslo"),
    ("milan", "Europe/Rome"),
    ("boston", "America/New_York"),
)
WEEKDAYS = (
    (1.0, 1.0, 1.0, 1.0, 0.9, 0.05, 0.05),
    (1.0, 1.1, 1.1, 1.0, 1.0, 0.3, 0.1),
    (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    (0.8, 0.9, 1.0, 1.0, 1.2, 1.5, 0.9),
)
SUPPLIERS: dict[str, tuple[float, ...]] = {
    "papierwerk": (1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6, 8),
    "roastery": (1, 1, 1, 2, 2, 2, 3, 3, 4, 5),
    "technoparts": (2, 3, 3, 4, 4, 5, 5, 6, 7, 9),
}
"""Days from purchase order to delivery: what each supplier says of itself, and what the world draws from."""


@dataclass(frozen=True, slots=True)
class Site:
    index: int
    account: str
    name: str
    zone: str
    weekdays: tuple[float, ...]
    closed: frozenset[date]
    open_days: tuple[int, ...] = (1, 1, 1, 1, 1, 0, 0)

    @property
    def key(self) -> str:
        return f"{self.account}/{self.name}"


@dataclass(frozen=True, slots=True)
class Device:
    index: int
    name: str
    model: str
    site: Site

    @property
    def key(self) -> str:
        return f"{self.site.account}/{self.name}"


@dataclass(frozen=True, slots=True)
class Plan:
    scenario: Scenario
    sites: tuple[Site, ...]
    devices: tuple[Device, ...]
    spares: dict[tuple[str, str], int] = field(default_factory=dict)  # (site key, SKU) -> units at the start


def make_plan(scenario: Scenario, first_year: int = 2026) -> Plan:
    """The same scenario and seed give the same plan."""
    fleet, seed = scenario.fleet, scenario.seed
    closed = frozenset(holidays(first_year)) | fleet.closed
    accounts = [ACCOUNTS[i] if i < len(ACCOUNTS) else f"account-{i + 1}" for i in range(fleet.accounts)]
    sites = tuple(_site(scenario, i, accounts[i % len(accounts)], closed) for i in range(fleet.sites))
    devices = []
    numbers: dict[str, int] = {}
    for index, model in enumerate(_models(scenario)):
        numbers[model.kind] = numbers.get(model.kind, 0) + 1
        name = f"{model.kind.replace('_', '-')}-{numbers[model.kind]:04d}"
        site = sites[draws(seed, "site of", name).randrange(len(sites))]
        devices.append(Device(index, name, model.name, site))
    return Plan(scenario, sites, tuple(devices), _spares(scenario, devices))


def _site(scenario: Scenario, index: int, account: str, closed: frozenset[date]) -> Site:
    chance = draws(scenario.seed, "site", index)
    city, zone = CITIES[index % len(CITIES)]
    name = city if index < len(CITIES) else f"{city}-{index // len(CITIES) + 1}"
    drawn = chance.choice(WEEKDAYS)
    return Site(index, account, name, zone, scenario.fleet.weekdays or drawn, closed)


def _models(scenario: Scenario) -> list[Model]:
    """Kinds by the scenario's shares (largest remainder), models within a kind by theirs."""
    shares = scenario.fleet.kinds
    total, count = sum(shares.values()), scenario.fleet.devices
    exact = {kind: count * share / total for kind, share in shares.items()}
    numbers = {kind: int(value) for kind, value in exact.items()}
    by_rest = sorted(exact, key=lambda kind: numbers[kind] - exact[kind])
    for kind in by_rest[: count - sum(numbers.values())]:
        numbers[kind] += 1
    out = []
    for kind, number in numbers.items():
        models = KINDS[kind].models
        chance = draws(scenario.seed, "models", kind)
        out += chance.choices(models, [m.share for m in models], k=number)
    return out


def _spares(scenario: Scenario, devices: list[Device]) -> dict[tuple[str, str], int]:
    wanted: dict[tuple[str, str], int] = {}
    for device in devices:
        for supply in MODELS[device.model].supplies:
            key = (device.site.key, supply.product.sku)
            chance = draws(scenario.seed, "spares", *key)
            if key not in wanted and chance.random() < scenario.fleet.spares:
                wanted[key] = chance.randint(1, 2) if supply.refill == "swap" else chance.randint(1, 4)
    return wanted


def document(plan: Plan, suppliers: dict[str, tuple[str, str]]) -> dict[str, object]:
    """The fleet document for POST /v1/fleet. `suppliers`: name -> (URL of its webhook, HMAC secret)."""
    missing = SUPPLIERS.keys() - suppliers.keys()
    if missing:
        raise BadScenario(f"no URL for the suppliers {', '.join(sorted(missing))}")
    used = [MODELS[name] for name in dict.fromkeys(device.model for device in plan.devices)]
    return {
        "products": [{"sku": p.sku, "name": p.name, "unit": p.unit} for p in PRODUCTS.values()],
        "suppliers": [_supplier(name, url, secret) for name, (url, secret) in suppliers.items()],
        "device_models": [_model(model) for model in used],
        "accounts": [_account(plan, name) for name in dict.fromkeys(site.account for site in plan.sites)],
    }


def _supplier(name: str, url: str, secret: str) -> dict[str, object]:
    offers = [
        {
            "sku": p.sku,
            "supplier_sku": f"{name[:2].upper()}-{p.sku}",
            "pack": 1,
            "moq": 1,
            "multiple": 1,
            "price": p.price,
            "currency": "EUR",
            "breaks": [{"quantity": 10, "price": f"{float(p.price) * 0.92:.2f}"}],
            "lead_days": list(SUPPLIERS[name]),
        }
        for p in PRODUCTS.values()
        if p.supplier == name
    ]
    return {"name": name, "channel": "webhook", "url": url, "secret": secret, "offers": offers}


def _model(model: Model) -> dict[str, object]:
    return {
        "name": model.name,
        "counters": [
            {"name": c.name, "wrap": c.wrap, "per_day": c.most_per_day, "usual": model.use * c.per_use}
            for c in model.counters
        ],
        "slots": [_slot(supply) for supply in model.supplies],
    }


def _slot(supply: Supply) -> dict[str, object]:
    slot: dict[str, object] = {
        "name": supply.name,
        "meter": supply.meter,
        "refill": supply.refill,
        "capacity": supply.capacity,
        "unit": supply.unit,
        "quantum": supply.quantum,
        "days": supply.days,
        "ascending": supply.ascending,
        "products": [{"sku": supply.product.sku, "units": supply.product.refills}],
    }
    named = {"counter": supply.counter, "clock": supply.clock}
    return slot | {what: counter for what, counter in named.items() if counter}


def _account(plan: Plan, name: str) -> dict[str, object]:
    fleet = plan.scenario.fleet
    sites = [_site_document(plan, site) for site in plan.sites if site.account == name]
    return {"name": name, "mode": fleet.mode, "currency": "EUR", "service_level": fleet.service_level, "sites": sites}


def _site_document(plan: Plan, site: Site) -> dict[str, object]:
    return {
        "name": site.name,
        "address": f"Harbour Street {site.index + 1}, {site.name.split('-')[0].title()}",
        "time_zone": site.zone,
        "weekdays": list(site.weekdays),
        "holidays": [day.isoformat() for day in sorted(site.closed)],
        "open_days": list(site.open_days),
        "spares": {sku: units for (where, sku), units in plan.spares.items() if where == site.key},
        "devices": [{"name": d.name, "model": d.model} for d in plan.devices if d.site.index == site.index],
    }
