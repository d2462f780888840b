"""What is due at a tick, in parts of whole sites: pools never span sites, so nothing is decided otherwise."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.decide.survey import Longs
from models.records import Reorder
from models.state import State
from models.step.draft import Draft

AT_ONCE = 10_000
"""Slots that are looked at together, if they are of several sites: a survey copies what it looks at."""
MOST_NEEDS = 50
"""Of one tick, if they are of several sites: the ledger writes them in one transaction, and others wait for it."""


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of slots, and the requests that wait for some of them."""

    due: Longs
    waiting: list[Reorder]


def parts(state: State, whole: Part) -> Iterator[Part]:
    """In order of the sites' rows, each of at most AT_ONCE slots or of one site."""
    halves = split(state, whole) if len(whole.due) > AT_ONCE else []
    if not halves:
        yield whole
    for half in halves:
        yield from parts(state, half)


def split(state: State, whole: Part) -> list[Part]:
    """The first and the second half of its sites; nothing where there is one site."""
    site_of = state.slots.rows["site_row"]
    sites = np.unique(site_of[whole.due])
    if len(sites) == 1:
        return []
    return [
        Part(
            whole.due[np.isin(site_of[whole.due], half)],
            [r for r in whole.waiting if site_of[state.slots.row(r.slot)] in half],
        )
        for half in np.array_split(sites, 2)
    ]


def too_many(state: State, drafts: list[Draft], waiting: list[Reorder], needs: int) -> list[int]:
    """Rows of the sites whose needs, after `needs` others, would be too many; never those for which a person waits."""
    site_of = state.slots.rows["site_row"]
    asked = {int(site_of[state.slots.row(r.slot)]) for r in waiting}
    later = []
    for site, count in Counter(int(site_of[at]) for draft in drafts for at, _ in draft.needs).items():
        if needs > 0 and needs + count > MOST_NEEDS and site not in asked:
            later.append(site)
        else:
            needs += count
    return later
