"""The sensor's step, as its moves show it: many devices show less than what was registered.

A sensor that shows 100, 75, 50 moves by multiples of 25. The largest step that explains every move down is kept, by one
turn of Euclid's algorithm for each move that it does not explain, with how many it did explain. Only accepted moves
down count: a glitch says nothing about the sensor, and a flicker shows the same two values again and again.
"""

from typing import Any

from models.jit import f64, i64, inner

COARSER = 1.5  # x the registered step: below, it is the registered one
ENOUGH = 3  # moves until a learned step is believed
SETTLED = 12  # moves after which one that does not fit only halves them
MOST = 250
LARGEST = 50.0  # what shows two values only has no step
ROUNDING = 0.1  # of the step: 33, 67, 100 are thirds
LEAST_ROUNDING = 0.3


@inner
def step_of(slot: Any) -> float:
    """The step by which the sensor rounds, per cent: the registered one, or the coarser one that it shows."""
    quantum = f64(slot.quantum)
    return f64(slot.step) if i64(slot.steps) >= ENOUGH and slot.step > COARSER * quantum else quantum


@inner
def possible_step(slot: Any) -> float:
    """What the step may be, on however little evidence: nothing that rises by no more is surely a refill."""
    return f64(slot.step) if slot.step > COARSER * f64(slot.quantum) else 0.0


@inner
def learn_step(slot: Any, last: float, now: float) -> None:
    """The sensor moved from `last` to `now`, per cent. Once it showed its registered step there is no more to learn."""
    drop = last - now
    step, steps, quantum = f64(slot.step), i64(slot.steps), f64(slot.quantum)
    if not LEAST_ROUNDING < drop <= LARGEST or (step > 0.0 and step <= COARSER * quantum):
        return
    if step == 0.0:
        slot.step, slot.steps = drop, 1
        return
    rest = abs(drop - i64(drop / step + 0.5) * step)
    if rest <= max(ROUNDING * step, LEAST_ROUNDING):
        slot.steps = min(steps + 1, MOST)
    elif steps >= SETTLED:
        slot.steps = steps // 2
    else:
        slot.step, slot.steps = max(rest, quantum), 1
