"""The head of a request, by clients that no library would be: silent, slow, endless or with no HTTP at all."""

from __future__ import annotations

import json
import socket

import pytest

pytest.importorskip("fastapi")


def connected(service: str) -> socket.socket:
    """Connect to the service, for what no client would send."""
    host, port = service.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=20)


def everything(client: socket.socket) -> bytes:
    """Receive until the other side hangs up."""
    parts = []
    try:
        while part := client.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def test_a_connection_that_says_nothing_is_cut(service: str) -> None:
    """Half a request's head, and no more: the service hangs up, after a whole request too."""
    whole = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for before in (b"", whole):
        with connected(service) as slow:
            slow.sendall(before + b"POST /read HTTP/1.1\r\nHost: localhost\r\n")
            told = everything(slow)
            assert told.startswith(b"HTTP/1.1 200 OK") if before else told == b""


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        (b"a" * 100, 400, "no request of HTTP/1.1"),
        (b"GET / HTTP/1.1\r\n\x00: 1\r\n\r\n", 400, "no request of HTTP/1.1"),
        (b"GET /?" + b"a" * 200_000, 431, "the head of the request has more than 32,768 bytes"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 50_000, 431, "the head of the request has more than 32,768 bytes"),
    ],
)
def test_what_is_no_request_has_one_line_too(service: str, sent: bytes, status: int, message: str) -> None:
    """A head that is broken or endless is answered in JSON, with what keeps a browser at home."""
    with connected(service) as client:
        client.sendall(sent)
        head, _empty, body = everything(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"x-content-type-options: nosniff" in head
    assert message in json.loads(body)["error"]
