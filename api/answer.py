"""JSON answers straight from rows: encoded by msgspec, documented by the route's `response_model`.

Pages of hundreds of rows are not copied through a validating model first; tests hold what is sent to the models.
"""

from typing import Any

import msgspec
from fastapi import Response

_encode = msgspec.json.Encoder().encode


class Answer(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return _encode(content)
