"""Requests: bytes on a connection that are hardly HTTP, and requests to every route that are."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import socket
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import uvicorn
from mutate import WORDS, draw_value, mutate_bytes, mutate_json
from throw_pictures import make_files
from uvicorn.server import ServerState

from lenet.serve import Limits
from lenet.serve.app import build
from lenet.serve.guard import Access
from lenet.serve.readers import Readers
from lenet.serve.request_head import make_protocol
from lenet.serve.tasks import TASKS, Outcome, fail

GLYPH = base64.b64encode(bytes(784)).decode()
# Answers that a client may be given for what it did wrong; any other but 2xx is a fault.
ALLOWED = {400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 503}
HEADS = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcde",
    b"POST /read HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nabcde\r\n0\r\n\r\n",
    b"POST /read?digit=true HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nExpect: 100-continue\r\n\r\n",
    b"OPTIONS /read HTTP/1.1\r\nHost: [::1]:80\r\nAuthorization: Bearer abc\r\nConnection: close\r\n\r\n",
)
BODIES: dict[str, Any] = {
    "/activations": {"glyph": GLYPH},
    "/unit": {"glyph": GLYPH, "layer": "C3", "place": [0, 0, 0]},
    "/vary": {"glyph": GLYPH, "amounts": {"turn": 10}, "along": "turn"},
    "/corrections": {"glyph": GLYPH, "label": "7"},
    "/train/stop": {},
}
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nabc\r\n'
    b'--x\r\nContent-Disposition: form-data; name="digit"\r\n\r\ntrue\r\n--x--\r\n'
)
OPTIONS = (
    "digit",
    "pattern",
    "choices",
    "best",
    "max_error",
    "model",
    "method",
    "sum",
    "print",
    "review",
    "net",
    "nothing",
)
ROUTES = (
    *(
        "/read",
        "/read/batch",
        "/table",
        "/candidates",
        "/columns",
        "/models",
        "/network",
        "/alive",
        "/health",
        "/ready",
    ),
    *("/train", "/train/events", "/corrections", "/openapi.json", "/docs", "/page/app.js", "/metrics", "/", "/nothing"),
)


async def _ask_here(_readers: Readers, task: str, **arguments: Any) -> Outcome:
    """Do a task in this process."""
    if arguments.get("picture") is not None and len(arguments["picture"]) > 5_000:
        return fail(422, "left to the target of pictures", picture=True)
    return TASKS[task](**arguments)


@cache
def make_service() -> Any:
    """Return the service, whose readers are this process."""
    Readers.ask = _ask_here  # type: ignore[method-assign,assignment]
    folder = Path(tempfile.mkdtemp())
    guard, _lessons = build(folder, Access(frozenset({"localhost", "::1"})), Limits(body=100_000), 1)
    return guard


def throw_head(rng: random.Random, _folder: Path) -> None:
    """Send bytes to a connection: all that comes back is HTTP, and its bodies of errors are one line of JSON."""
    data = mutate_bytes(rng, b"".join(rng.choice(HEADS) for _request in range(rng.choice((1, 1, 2, 3)))), list(HEADS))
    told = asyncio.run(_talk(data, rng.choice((1, 10, len(data) + 1))))
    while told:
        head, _empty, rest = told.partition(b"\r\n\r\n")
        status = int(head[9:12])
        assert head.startswith(b"HTTP/1.1 "), head[:60]
        assert status < 300 or status in ALLOWED, head[:60]
        if status == 100:
            told = rest
            continue
        lengths = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        size = int(lengths[0]) if lengths else len(rest)
        if status >= 400 and rest and b"HEAD" not in data and b"head" not in data:
            assert list(json.loads(rest[:size])) == ["error"], rest[:60]
        told = rest[size:] if b"HEAD" not in data else b""


async def _talk(data: bytes, parts: int) -> bytes:
    async def answer(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        status = 200 if scope["path"] == "/" else 404
        body = b"yes" if status == 200 else b'{"error": "no"}'
        if scope["method"] == "HEAD":
            body = b""
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]}
        )
        await send({"type": "http.response.body", "body": body})

    config = uvicorn.Config(answer, timeout_keep_alive=1, lifespan="off", log_config=None, ws="none")
    config.load()
    protocol: Any = make_protocol(Limits(body=2_000, head_seconds=0.05))
    ours, theirs = socket.socketpair()
    await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol(config, ServerState(), {}), theirs)
    reader, writer = await asyncio.open_connection(sock=ours)
    size = max(1, len(data) // parts)
    for first in range(0, len(data), size):
        writer.write(data[first : first + size])
        await asyncio.sleep(0)
    if writer.can_write_eof() and not writer.transport.is_closing():
        with suppress(OSError):
            writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(100_000), 0.03)
    except (TimeoutError, OSError):
        return b""
    finally:
        writer.close()


def throw_route(rng: random.Random, _folder: Path) -> None:
    """Ask a route for anything: the status is one of those that are told, an error is one line."""
    path = rng.choice((*ROUTES, *BODIES))
    given = [rng.choice((*WORDS, "true", "3", "zip", draw_value(rng))) for _option in range(rng.choice((0, 0, 1, 2)))]
    query = "&".join(f"{rng.choice(OPTIONS)}={quote(str(each), errors='replace')[:3_000]}" for each in given)
    kind, body = "application/json", b""
    if path in BODIES:
        body = mutate_json(rng, BODIES[path])
    elif rng.random() < 0.4:
        kind, body = "multipart/form-data; boundary=x", mutate_bytes(rng, FORM, [FORM])
    else:
        kind, body = (
            rng.choice(("image/png", "", "text/html", "image/svg+xml")),
            mutate_bytes(rng, rng.choice(make_files()), [FORM]),
        )
    method = rng.choice(("GET", "POST", "POST", "DELETE", "PUT", "OPTIONS")) if path not in BODIES else "POST"
    if (path, method) == ("/train/events", "GET"):
        return
    headers = [(b"host", b"localhost"), (b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
    if rng.random() < 0.2:
        name = rng.choice(
            (
                b"origin",
                b"host",
                b"content-length",
                b"x-forwarded-for",
                b"authorization",
                b"last-event-id",
                b"accept-encoding",
            )
        )
        headers.append((name, rng.choice(WORDS).encode(errors="surrogateescape")[:3_000]))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": headers, "client": ("127.0.0.1", 1), "server": ("localhost", 80), "state": {},
    }  # fmt: skip
    status, said = asyncio.run(_call(make_service(), scope, body))
    assert status < 400 or status in ALLOWED, f"{method} {path}?{query[:80]}: {status} {said[:80]!r}"
    if status >= 400:
        (line,) = json.loads(said).values()
        assert line.strip(), said[:80]
        assert "\n" not in line, said[:80]


async def _call(app: Any, scope: dict[str, Any], body: bytes) -> tuple[int, bytes]:
    told: list[dict[str, Any]] = []
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return given.pop() if given else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        told.append(message)

    await app(scope, receive, send)
    return int(told[0]["status"]), b"".join(each.get("body", b"") for each in told[1:])
