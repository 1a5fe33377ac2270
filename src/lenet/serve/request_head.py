"""A request's head and the frame of its body: in time, of bounded size, one clear line of JSON for what is neither."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from lenet.serve.guard import HEADERS
from lenet.serve.limits import Limits
from lenet.serve.tasks import fail

_REASONS = {400: b"Bad Request", 413: b"Content Too Large", 431: b"Request Header Fields Too Large"}
# Seconds that a connection which was refused is listened to, so that the client hears the answer before it is cut.
_LINGER = 1.0


class _TooLarge(Exception):
    """A head has too many bytes."""


def make_protocol(limits: Limits) -> type[asyncio.Protocol]:
    """Return Uvicorn's protocol of HTTP, with the limits of a head."""
    return type("LimitedHeads", (Heads,), {"limits": limits})


class Heads(HttpToolsProtocol):
    """One connection. `_head` counts what is known of a head, `_open` the bytes since one began and did not end.

    `_frame` counts what came of a body in chunks beside what it says: their sizes, and what may stand behind these.
    """

    limits: Limits

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._refused = self._large = False
        self._begin()

    def data_received(self, data: bytes) -> None:
        """Give the parser what came, unless it is refused; bytes of a head that does not end are counted here."""
        if self._refused:
            return
        went_on = self._in_head
        self._frame += 0 if went_on else len(data)
        super().data_received(data)
        if self._frame > self.limits.body:
            self._refuse(413, f"the chunks' sizes and extensions have more than {self.limits.body:,} bytes")
        if self._refused or self.transport.is_closing():
            return
        if went_on and self._in_head:
            self._open += len(data)
            if self._open > self.limits.head:
                self._refuse_large()
        elif not self._in_head:
            self._wait_again()

    def on_message_begin(self) -> None:
        """Begin a head, if the connection did not."""
        if not self._in_head:
            self._begin()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the address."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a field."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the head, which came in time."""
        self._in_head, self._frame = False, 0
        self._cut.cancel()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count what a body says."""
        self._frame -= len(body)
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._cut.cancel()
        super().connection_lost(exc)

    def send_400_response(self, _msg: str) -> None:
        """Answer what the parser refuses."""
        if self._large:
            self._refuse_large()
        else:
            broken = "the body's chunks are not those of HTTP/1.1"
            self._refuse(
                400, broken if self._coming() else "no request of HTTP/1.1, or its address has more than 65,535 bytes"
            )

    def _begin(self) -> None:
        self._in_head, self._head, self._open, self._frame = True, 0, 0, 0
        self._cut = self.loop.call_later(self.limits.head_seconds, self._give_up)

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > self.limits.head:
            self._large = True
            raise _TooLarge  # the parser stops, and has `send_400_response` called

    def _wait_again(self) -> None:
        """Wait for the next request: Uvicorn stopped to, though this was none but the rest of a body, an empty line."""
        if self.timeout_keep_alive_task is None and not self._answering():
            again = self.timeout_keep_alive_handler
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, again)

    def _refuse_large(self) -> None:
        self._refuse(431, f"the head of the request has more than {self.limits.head:,} bytes")

    def _refuse(self, status: int, message: str) -> None:
        self._refused = True
        self._cut.cancel()
        if self._coming():  # its body is at fault: nobody waits for the rest of it
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        elif self._answering():  # nobody could tell this answer from that of the request before
            self.cycle.keep_alive = False
            return
        self.transport.write(_write_refusal(status, message))
        self._cut = self.loop.call_later(_LINGER, self.transport.close)

    def _give_up(self) -> None:
        """End a connection whose head does not come; an answer that is under way is its last."""
        if self._answering():
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    def _coming(self) -> bool:
        """Tell whether a body is on its way, and nothing of its answer was sent."""
        return self._answering() and self.cycle.more_body and not self.cycle.response_started

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete


def _write_refusal(status: int, message: str) -> bytes:
    """Return a whole answer of HTTP/1.1 that says in one line of JSON why the connection is closed."""
    body = fail(status, message).body
    told = {**HEADERS, b"content-type": b"application/json", b"connection": b"close"}
    lines = [b"HTTP/1.1 %d %s" % (status, _REASONS[status]), *(b"%s: %s" % each for each in told.items())]
    return b"\r\n".join([*lines, b"content-length: %d" % len(body), b"", body])
