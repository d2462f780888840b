"""Coffee machines: beans and milk are topped up, cups are stacked, the descaler is due after so many cups."""

from dataclasses import replace

from devices_sim.sensors import Style
from devices_sim.usage import CAFE
from devices_sim.world.kind import Counter, Kind, Model, Product, Supply

BEANS = Product("BEAN-1KG", "Espresso beans, 1 kg", "bag", "14.90", "roastery", refills=1_000)
MILK = Product("MILK-1KG", "Milk powder, 1 kg", "bag", "9.80", "roastery", refills=1_000)
CUPS = Product("CUP-250", "Paper cups, 250", "sleeve", "11.50", "roastery", refills=250)
DESCALER = Product("DESC-1", "Descaler cartridge", "piece", "19.00", "roastery")


def _filled(name: str, product: Product, capacity: float, unit: str, per_use: float, days: float) -> Supply:
    """What is filled up by people and goes down with each cup."""
    return Supply(name, product, capacity, unit, per_use, refill="topup", clock="cups", days=days)


def _model(name: str, quantum: float, styles: tuple[Style, ...], use: float, share: float) -> Model:
    return Model(
        name,
        "coffee",
        use=use,
        supplies=(
            replace(_filled("beans", BEANS, 6_000, "g", 9, 20), quantum=quantum, styles=styles),
            replace(_filled("milk", MILK, 4_000, "g", 4, 30), quantum=quantum, styles=styles),
            replace(_filled("cups", CUPS, 1_000, "cups", 0.9, 32), quantum=5),
            Supply("descaler", DESCALER, 3_000, "cups", per_use=1, meter="counter", counter="cups", days=90),
        ),
        counters=(Counter("cups", most_per_day=2_000, start=60_000),),
        profile=CAFE,
        share=share,
    )


SCALES = _model("barista-s", 1, (Style.REMAINING, Style.LEVEL), 32, 0.6)
LIGHTS = _model("barista-l", 25, (Style.INTERVAL, Style.LEVEL), 28, 0.4)

KIND = Kind("coffee", (SCALES, LIGHTS))
