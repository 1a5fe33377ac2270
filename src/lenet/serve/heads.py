"""The head of a request: sent in time, of bounded size, and one clear line of JSON for what is no request at all."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lenet.serve.guard import HEADERS
from lenet.serve.limits import Limits
from lenet.serve.tasks import failed

_REASONS = {400: b"Bad Request", 431: b"Request Header Fields Too Large"}


def protocol(limits: Limits) -> type[asyncio.Protocol]:
    """Return Uvicorn's protocol of HTTP, with the limits of a head."""

    class Heads(HttpToolsProtocol):
        """One connection; `_head` counts the bytes of a head that has not ended, and is None between heads."""

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._head: int | None = 0
            self._cut = self.loop.call_later(limits.head_seconds, transport.close)

        def data_received(self, data: bytes) -> None:
            if self._head is not None:
                self._head += len(data)
            super().data_received(data)
            if self._head is not None and self._head > limits.head:
                self._refuse(431, f"the head of the request has more than {limits.head:,} bytes")

        def on_message_begin(self) -> None:
            if self._head is None:
                self._head = 0
                self._cut = self.loop.call_later(limits.head_seconds, self.transport.close)
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self._head = None
            self._cut.cancel()
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self._cut.cancel()
            super().connection_lost(exc)

        def send_400_response(self, _msg: str) -> None:
            """Answer what the parser refuses."""
            self._refuse(400, "no request of HTTP/1.1, or its address has more than 65,535 bytes")

        def _refuse(self, status: int, message: str) -> None:
            if self.transport.is_closing():
                return
            body = failed(status, message).body
            told = {**HEADERS, b"content-type": b"application/json", b"connection": b"close"}
            lines = [b"HTTP/1.1 %d %s" % (status, _REASONS[status]), *(b"%s: %s" % each for each in told.items())]
            self.transport.write(b"\r\n".join([*lines, b"content-length: %d" % len(body), b"", body]))
            self.transport.close()

    return Heads
