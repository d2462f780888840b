"""A tiny ledger for one product at one site: enough of LIFECYCLE.md to answer what `step` decides, as facts."""

from dataclasses import dataclass, field

from models.effects import Counted, Effect, Need, NeedUnnecessary, RefillSeen, RequestAnswered
from models.facts import Fact, NeedState, OnOrder
from models.units import DAY
from tests.support.slots import TONER, need_fact, stock_fact

Key = tuple[int, int, int]

PRE_PLACED, PLACED, MET, WITHDRAWN, REFUSED, RELEASED, FAILED = (
    "pre-placed",
    "placed",
    "met",
    "withdrawn",
    "refused",
    "released",
    "failed",
)
OPEN = (PRE_PLACED, PLACED)
STATES = {
    PRE_PLACED: NeedState.OPEN,
    PLACED: NeedState.OPEN,
    MET: NeedState.MET,
    WITHDRAWN: NeedState.WITHDRAWN,
    REFUSED: NeedState.REFUSED,
    RELEASED: NeedState.REFUSED,
    FAILED: NeedState.FAILED,
}


@dataclass
class ModelLedger:
    on_hand: float
    needs: dict[Key, str] = field(default_factory=dict)
    versions: dict[Key, int] = field(default_factory=dict)
    stock_version: int = 1
    through: int = -1  # effects of records up to this offset were applied
    outbox: list[Fact] = field(default_factory=list)

    def apply(self, offset: int, effects: list[Effect]) -> None:
        """Effects of the record at `offset`, each once."""
        assert offset > self.through
        self.through = offset
        for effect in effects:
            if isinstance(effect, Need):
                key = (effect.slot, effect.cycle, effect.attempt)
                assert key not in self.needs, f"need {key} was made twice"
                assert not [k for k in self.open() if k[0] == effect.slot], f"slot {effect.slot} has an open need"
                self.move(key, PRE_PLACED)
            elif isinstance(effect, NeedUnnecessary):
                key = (effect.slot, effect.cycle, effect.attempt)
                if self.needs[key] == PRE_PLACED:
                    self.move(key, WITHDRAWN)
            elif isinstance(effect, RefillSeen):
                self.on_hand = max(self.on_hand - effect.units, 0.0)
                self.tell_stock()
            elif isinstance(effect, Counted):
                self.on_hand = effect.units
                self.tell_stock()
            elif isinstance(effect, RequestAnswered) and effect.outcome == "reversed":
                self.on_hand += 1.0
                self.tell_stock()

    def open(self) -> list[Key]:
        return sorted(k for k, state in self.needs.items() if state in OPEN)

    def among(self, *states: str) -> list[Key]:
        return sorted(k for k, state in self.needs.items() if state in states)

    def move(self, key: Key, state: str) -> None:
        if state == MET:
            self.on_hand += 1.0
        self.needs[key] = state
        version = self.versions.get(key, 0) + 1
        self.versions[key] = version
        self.outbox.append(need_fact(key, STATES[state], version, released=state == RELEASED))
        self.tell_stock()

    def tell_stock(self) -> None:
        self.stock_version += 1
        lines = [OnOrder(*key, 1.0, DAY) for key in self.open()]
        self.outbox.append(stock_fact(self.stock_version, self.on_hand, lines, self.through, TONER))
