"""HTTP/1.1 as uvicorn speaks it with httptools, with the bound on a request's head that httptools has not."""

from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_OF_HEAD: Final = 64 << 10
"""Bytes of request line and headers; they are kept until the head is whole, whoever sends them."""


class Protocol(HttpToolsProtocol):
    _head = 0  # bytes since a head was whole, or a part of a body came

    def on_headers_complete(self) -> None:
        self._head = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._head = 0
        super().on_body(body)

    def data_received(self, data: bytes) -> None:
        self._head += len(data)
        super().data_received(data)
        if self._head > MOST_OF_HEAD and not self.transport.is_closing():
            self.send_400_response(f"The head of the request has more than {MOST_OF_HEAD} bytes.")
