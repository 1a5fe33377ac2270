"""The head of a request, by clients that no library would be: silent, slow, endless or with no HTTP at all."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("fastapi")
import uvicorn
from uvicorn.server import ServerState

from lenet.serve import Limits
from lenet.serve.request_head import make_protocol

from clock import run_without_waiting

WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"POST /all HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
SLOW = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHost: loc"
BODY = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
HEAD_SECONDS, IDLE_SECONDS, SLOW_SECONDS = 0.4, 1, 1.0


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """Answer "yes" without the body, after a while if the path is /slow, after all of it if it is /all."""
    while scope["path"] == "/all" and (await receive()).get("more_body"):
        pass
    await asyncio.sleep(SLOW_SECONDS if scope["path"] == "/slow" else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"3")]})
    await send({"type": "http.response.body", "body": b"yes"})


def heard(*parts: bytes, body: int = 32_000_000) -> tuple[bytes, float]:
    """Send these one after the other; return all that is answered until the service hangs up, and the seconds."""

    async def ask() -> tuple[bytes, float]:
        limits = Limits(head_seconds=HEAD_SECONDS, body=body)
        config = uvicorn.Config(answer, timeout_keep_alive=IDLE_SECONDS, lifespan="off", log_config=None)
        config.load()
        made: Callable[..., Any] = make_protocol(limits)
        state = ServerState()
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(lambda: made(config, state, {}), theirs)
        reader, writer = await asyncio.open_connection(sock=ours)
        began = loop.time()
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.1)
        found = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return found, loop.time() - began

    return run_without_waiting(ask())


def test_a_connection_that_says_nothing_is_cut() -> None:
    """Silence, and half a head; also after a whole request."""
    for before in ((), (WHOLE,)):
        for half in ((), (HALF,)):
            told, seconds = heard(*before, *half)
            assert told.count(b"HTTP/1.1 200 OK") == len(before)
            assert 0 <= seconds - (IDLE_SECONDS if before and not half else HEAD_SECONDS) <= 0.1 * len(before + half)


@pytest.mark.parametrize("rest", [b"\r\n", b"x"])
def test_what_is_no_request_does_not_hold_a_connection(rest: bytes) -> None:
    """An empty line after an answer, or a byte of a body that nobody reads: the wait for the next request goes on."""
    told, seconds = heard(BODY if rest == b"x" else WHOLE, rest)
    assert told.endswith(b"yes")
    assert 0 <= seconds - IDLE_SECONDS <= 0.2


@pytest.mark.parametrize("before", [b"", WHOLE])
@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        (b"a" * 100, 400, "no request of HTTP/1.1"),
        (b"GET / HTTP/1.1\r\n\x00: 1\r\n\r\n", 400, "no request of HTTP/1.1"),
        (b"GET /?" + b"a" * 300_000, 431, "the head of the request has more than 32,768 bytes"),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 600_000, 431, "the head of the request has more than 32,768 bytes"),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 40_000 + b"\r\n\r\n", 431, "has more than 32,768 bytes"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 50_000, 431, "the head of the request has more than 32,768 bytes"),
    ],
    ids=["letters", "zero byte", "address", "endless", "large", "many"],
)
def test_what_is_no_request_has_one_line_too(before: bytes, sent: bytes, status: int, message: str) -> None:
    """A head that is broken, large or endless is answered in JSON, with what keeps a browser at home."""
    told, _seconds = heard(*([before] if before else []), sent)
    if before:
        told = told.partition(b"yes")[2]
    head, _empty, body = told.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"x-content-type-options: nosniff" in head
    assert message in json.loads(body)["error"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"zz\r\n", 400, "the body's chunks are not those of HTTP/1.1"),
        (b"1\r\nab\r\n", 400, "the body's chunks are not those of HTTP/1.1"),
        (b"1;" + b"x" * 5_000 + b"\r\na\r\n", 413, "the chunks' sizes and extensions have more than 4,000 bytes"),
    ],
    ids=["no size", "longer than its size", "an endless extension"],
)
def test_what_is_no_chunk_is_told_at_once(body: bytes, status: int, message: str) -> None:
    """A wrong chunk, or far more of their frame than a body may have, is answered, and no body is waited for."""
    told, seconds = heard(CHUNKED, body, body=4_000)
    head, _empty, said = told.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert message in json.loads(said)["error"]
    assert seconds <= 2.0  # of a clock that does not wait


def test_a_body_in_chunks_is_taken() -> None:
    """Small chunks with a short extension each are a body like any other."""
    told, _seconds = heard(CHUNKED, b"1;a=b\r\nx\r\n" * 300 + b"0\r\n\r\n", body=4_000)
    assert told.endswith(b"yes")


@pytest.mark.parametrize("after", [HALF, b"no request at all\r\n\r\n", WHOLE + HALF])
def test_an_answer_under_way_is_not_lost(after: bytes) -> None:
    """Whatever a client sends behind its request, that one is answered."""
    told, _seconds = heard(SLOW, after)
    assert told.startswith(b"HTTP/1.1 200 OK")
    assert b"HTTP/1.1 4" not in told
    assert told.count(b"yes") == (2 if after.startswith(WHOLE) else 1)


def test_heads_within_the_limits_are_answered(service: str) -> None:
    """A large body and a head of 30 kB pass; the service itself has these limits."""
    import httpx

    assert heard(b"GET / HTTP/1.1\r\na: " + b"b" * 30_000 + b"\r\nConnection: close\r\n\r\n")[0].endswith(b"yes")
    assert heard(BODY.replace(b"1000", b"400000"), b"x" * 400_000, WHOLE)[0].count(b"yes") == 2
    assert httpx.get(f"{service}/health", headers={"a": "b" * 40_000}).status_code == 431
