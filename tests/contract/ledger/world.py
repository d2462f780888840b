"""A small world to register."""

from typing import Any

NOW = 1_795_000_000_000  # 2026-11-18


def fleet_content() -> dict[str, Any]:
    return {
        "products": [
            {"sku": "TN-K", "name": "Black toner", "unit": "pages"},
            {"sku": "DR-1", "name": "Drum"},
            {"sku": "BEANS", "name": "Coffee beans 1 kg", "unit": "g"},
        ],
        "suppliers": [
            {
                "name": "papierwerk",
                "cutoff": "15:00",
                "offers": [
                    {
                        "sku": "TN-K",
                        "supplier_sku": "P-1",
                        "price": "54.90",
                        "currency": "EUR",
                        "breaks": [{"quantity": 10, "price": "49.90"}],
                        "lead_days": [1, 2, 2, 3, 3, 4, 5, 8],
                    },
                    {"sku": "BEANS", "price": "18.50", "currency": "EUR", "moq": 6, "multiple": 6, "lead_days": [2, 4]},
                ],
            }
        ],
        "device_models": [
            {
                "name": "copier",
                "counters": [{"name": "pages", "per_day": 20000}],
                "slots": [
                    {
                        "name": "black",
                        "capacity": 12000,
                        "unit": "pages",
                        "days": 50,
                        "products": [{"sku": "TN-K"}],
                    },
                    {
                        "name": "drum",
                        "meter": "counter",
                        "counter": "pages",
                        "capacity": 60000,
                        "products": [{"sku": "DR-1"}],
                    },
                ],
            },
            {
                "name": "coffee",
                "slots": [
                    {
                        "name": "beans",
                        "refill": "topup",
                        "capacity": 1200,
                        "unit": "g",
                        "products": [{"sku": "BEANS", "units": 1000}],
                    }
                ],
            },
        ],
        "accounts": [
            {
                "name": "acme",
                "mode": "auto",
                "currency": "EUR",
                "service_level": 0.97,
                "limit_per_order": "500.00",
                "sites": [
                    {
                        "name": "hq",
                        "time_zone": "Europe/Berlin",
                        "holidays": ["2026-12-25"],
                        "spares": {"TN-K": 2},
                        "devices": [
                            {"name": "copier-01", "model": "copier"},
                            {"name": "coffee-01", "model": "coffee", "sandbox": True},
                        ],
                    }
                ],
            },
            {
                "name": "umbra",
                "currency": "USD",
                "sites": [
                    {
                        "name": "hq",
                        "time_zone": "America/New_York",
                        "devices": [{"name": "copier-01", "model": "copier"}],
                    }
                ],
            },
        ],
    }
