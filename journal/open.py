"""Find the journal that a URL names, importing only the backend that is used."""

from importlib import import_module
from typing import cast

from models.stores import Journal
from models.urls import BadAddress, scheme_of

BACKENDS = {
    "sqlite": "journal.sqlite:open_url",
}


def open_journal(url: str, *, partitions: int = 4) -> Journal:
    """Open the journal at `url`; a new one is made with `partitions`. An existing journal keeps its own number.

    Raises BadAddress, Unavailable, and StoreError when what is there cannot be used."""
    scheme = scheme_of(url)
    if scheme not in BACKENDS:
        raise BadAddress(f"no journal speaks {scheme}://; known: {', '.join(sorted(BACKENDS))}")
    module, _, name = BACKENDS[scheme].partition(":")
    return cast("Journal", getattr(import_module(module), name)(url, partitions=partitions))
