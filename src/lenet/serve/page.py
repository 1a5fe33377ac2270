"""The page: a few files of ours, read once, each at its own address; nothing that a client names is opened."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Awaitable, Callable
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response

from lenet.drawing.review import REVIEW_FOLDER
from lenet.errors import WeightsError
from lenet.export.to_html import make_page
from lenet.network.weights import list_shipped, load_weights

_FOLDER = Path(__file__).parent / "site"
_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
# What looks into a network, shared with the static page; files of that page alone.
_NETWORK = Path(__file__).parents[1] / "assets" / "page"
_ALONE = ("page.html", "page.css", "page.js", "pen.js", "lesson.js", "save.js")
# The pages may be found; there is nothing else to look for.
_ROBOTS = b"User-agent: *\nAllow: /\n"
# Pages stand at addresses of their own, all else in /page/.
_PAGES = {"index.html": "/", "docs.html": "/docs", "table.html": "/tables"}


# The network that is shown alive when none is named: the paper's.
ALIVE = "lenet5-1998"


def make_page_routes() -> APIRouter:
    """Return a route for each file of the page, and one for the shipped networks, each alive on a page of its own."""
    routes = APIRouter(include_in_schema=False)
    shared = [REVIEW_FOLDER / name for name in ("review.css", "review.js")]
    network = [each for each in sorted(_NETWORK.iterdir()) if each.suffix in _MEDIA and each.name not in _ALONE]
    for file in (*sorted(_FOLDER.iterdir()), *shared, *network):
        if file.suffix in _MEDIA:
            place = "/page/net" if file in network else "/page"
            address = _PAGES.get(file.name, f"{place}/{file.name}")
            data = file.read_bytes()
            if file.name == "table.html":
                data = data.replace(b"<!--REVIEW-->", (REVIEW_FOLDER / "review.html").read_bytes())
            routes.add_api_route(address, _sent(data, _MEDIA[file.suffix]), methods=["GET", "HEAD"])
    routes.add_api_route("/alive", _send_alive, methods=["GET", "HEAD"])
    routes.add_api_route("/robots.txt", _sent(_ROBOTS, "text/plain; charset=utf-8"), methods=["GET", "HEAD"])
    return routes


async def _send_alive(request: Request, net: str = ALIVE) -> Response:
    page, policy = _make_alive(net)
    return await _sent(page, _MEDIA[".html"], {"content-security-policy": policy})(request)


@cache
def _make_alive(name: str) -> tuple[bytes, str]:
    """Return the page of a shipped network, and what it may do: run its own script, style and machine, nothing else."""
    shipped = list_shipped()
    if name not in shipped:
        raise WeightsError(name, "no such network", f"alive are {', '.join(shipped)}")
    page = make_page(load_weights(shipped[name]))
    script, style = (
        b64encode(sha256(page.split(opening, 1)[1].split(closing, 1)[0].encode()).digest()).decode()
        for opening, closing in (('<script type="module">', "</script>"), ("<style>", "</style>"))
    )
    policy = (
        f"default-src 'none'; script-src 'sha256-{script}' 'wasm-unsafe-eval'; style-src 'sha256-{style}'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    return page.encode(), policy


@lru_cache(maxsize=64)
def _pack(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _sent(data: bytes, media: str, more: dict[str, str] | None = None) -> Callable[[Request], Awaitable[Response]]:
    tag = f'"{sha256(data).hexdigest()[:16]}"'
    headers = {"etag": tag, "cache-control": "no-cache", "vary": "accept-encoding", **(more or {})}
    packed = _pack(data)

    async def send(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if len(packed) < len(data) and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(packed, media_type=media, headers={**headers, "content-encoding": "gzip"})
        return Response(data, media_type=media, headers=headers)

    return send
