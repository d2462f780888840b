"""Find the state store that a URL names, importing only the backend that is used."""

from importlib import import_module
from typing import cast

from models.stores import StateStore
from models.urls import BadAddress, scheme_of

BACKENDS = {
    "sqlite": "streams.state.sqlite:open_url",
}


def open_state(url: str) -> StateStore:
    """Raises BadAddress, Unavailable, and StoreError when what is there cannot be used."""
    scheme = scheme_of(url)
    if scheme not in BACKENDS:
        raise BadAddress(f"no state store speaks {scheme}://; known: {', '.join(sorted(BACKENDS))}")
    module, _, name = BACKENDS[scheme].partition(":")
    return cast("StateStore", getattr(import_module(module), name)(url))
