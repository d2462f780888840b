"""JSON answers straight from rows: encoded by msgspec, documented by the route's `response_model`.

Pages of hundreds of rows are not copied through a validating model first; tests hold what is sent to the models.
"""

from typing import Any

import msgspec
from fastapi import Response

_encode = msgspec.json.Encoder().encode


class Answer(Response):
    media_type = "application/json"

    def __init__(self, content: Any, *given: Any, **more: Any) -> None:
        self.content = content  # for who sends it in another form
        super().__init__(content, *given, **more)

    def render(self, content: Any) -> bytes:
        return _encode(content)
