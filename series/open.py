"""Find the series that a URL names, importing only the backend that is used."""

from importlib import import_module
from typing import cast

from models.stores import Series
from models.urls import BadAddress, scheme_of

BACKENDS = {
    "sqlite": "series.sqlite:open_url",
}


def open_series(url: str) -> Series:
    """Raises BadAddress, Unavailable, and StoreError when what is there cannot be used."""
    scheme = scheme_of(url)
    if scheme not in BACKENDS:
        raise BadAddress(f"no series speaks {scheme}://; known: {', '.join(sorted(BACKENDS))}")
    module, _, name = BACKENDS[scheme].partition(":")
    return cast("Series", getattr(import_module(module), name)(url))
