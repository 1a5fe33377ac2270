"""The page: a few files of ours, read once, each at its own address; nothing that a client names is opened."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response

from lenet.drawing.review import REVIEW_FOLDER

_FOLDER = Path(__file__).parent / "site"
_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Pages stand at addresses of their own, all else in /page/.
_PAGES = {"index.html": "/", "docs.html": "/docs", "table.html": "/tables"}


def make_page_routes() -> APIRouter:
    """Return a route for each file of the page."""
    routes = APIRouter(include_in_schema=False)
    shared = [REVIEW_FOLDER / name for name in ("review.css", "review.js")]
    for file in (*sorted(_FOLDER.iterdir()), *shared):
        if file.suffix in _MEDIA:
            address = _PAGES.get(file.name, f"/page/{file.name}")
            data = file.read_bytes()
            if file.name == "table.html":
                data = data.replace(b"<!--REVIEW-->", (REVIEW_FOLDER / "review.html").read_bytes())
            routes.add_api_route(address, _sent(data, _MEDIA[file.suffix]), methods=["GET", "HEAD"])
    return routes


def _sent(data: bytes, media: str):  # type: ignore[no-untyped-def]
    tag = f'"{sha256(data).hexdigest()[:16]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}

    async def send(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=media, headers=headers)

    return send
