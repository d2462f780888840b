"""All kinds of machines, by name. A new kind is one file and one line here."""

from devices_sim.world import co_detector, coffee, copier, industrial, thermostat
from devices_sim.world.kind import Kind, Model, Product, Supply

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (copier.KIND, coffee.KIND, industrial.KIND, thermostat.KIND, co_detector.KIND)
}
MODELS: dict[str, Model] = {model.name: model for kind in KINDS.values() for model in kind.models}
PRODUCTS: dict[str, Product] = {p.sku: p for kind in KINDS.values() for p in kind.products}

__all__ = ["KINDS", "MODELS", "PRODUCTS", "Kind", "Model", "Product", "Supply"]
