"""Decoders by the last level of the topic: bytes -> `Reading` or `Rejected`. A new format is one entry here.

A decoder belongs to one connection: it may learn from what came before.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ingest.limits import Rejected
from ingest.message import Decoder as JsonV1
from ingest.message import Reading

Decoder = Callable[[bytes], Reading | Rejected]

DECODERS: Mapping[str, Callable[[], Decoder]] = MappingProxyType({"readings": JsonV1})
"""`ullage/v1/{account}/{device}/<key>` is decoded by what the value makes; docs/schemas/reading.json is "readings"."""
