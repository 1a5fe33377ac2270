"""The HTTP interface: routes, and what each may answer. The work is done by reader processes."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from lenet.errors import LenetError, TrainingError, UsageError
from lenet.export.to_html import tell_network
from lenet.native.dispatch import chosen_engine
from lenet.network.spec import DEFAULT
from lenet.network.weights import load_weights
from lenet.serve import schema
from lenet.serve.app_state import AppState
from lenet.serve.guard import Access, Guard
from lenet.serve.limits import Limits
from lenet.serve.metrics import MEDIA, Metrics
from lenet.serve.model_registry import ModelRegistry
from lenet.serve.page import make_page_routes
from lenet.serve.readers import NoAnswer, Readers
from lenet.serve.request import (
    BODY_KINDS,
    Options,
    PageOptions,
    find_first_problem,
    read_parameters,
    read_pictures,
    read_uploads,
)
from lenet.serve.tasks import Outcome, fail, find_status
from lenet.serve.training_jobs import TrainingJobs, has_mnist
from lenet.serve.training_routes import make_correction_routes, make_training_routes
from lenet.version import __version__

# What may be answered on every route, beside what a route says of itself.
_FAILURES = {
    400: "the request is not complete",
    401: "no token, or a wrong one",
    403: "not from there",
    404: "no such network",
    408: "the body came too slowly",
    413: "too large",
    415: "not a picture that is read",
    422: "damaged, or an option that is not on offer",
    429: "too many requests at once from one client",
    431: "an address and headers that are too large",
    500: "this machine cannot write what is to be kept",
    503: "too many requests at once; Retry-After says when to come again",
    507: "no space is left for what is to be kept",
}
FAILURES: dict[int | str, dict[str, Any]] = {
    status: {"model": schema.Failure, "description": words} for status, words in _FAILURES.items()
}
_PICTURE = {"type": "string", "format": "binary"}


def _body(several: bool, options: type[BaseModel] = Options) -> dict[str, Any]:
    """Describe the options, and a body with one picture or several, for the interface's description."""
    file = {"type": "array", "items": _PICTURE} if several else _PICTURE
    form = {"schema": {"type": "object", "properties": {"file": file}, "required": ["file"]}}
    kinds: dict[str, Any] = {"multipart/form-data": form}
    if not several:
        kinds |= {kind: {"schema": _PICTURE} for kind in BODY_KINDS}
    return {"parameters": read_parameters(options), "requestBody": {"required": True, "content": kinds}}


def build(
    folder: Path, access: Access, limits: Limits, readers: int, root_path: str = ""
) -> tuple[Guard, TrainingJobs]:
    """Return the whole service, and its lessons: corrections and networks of its own are kept in `folder`.

    Behind a proxy that takes a path off, `root_path` is that path.
    """
    desk = AppState(
        Readers(readers, limits.waiting, limits.seconds), ModelRegistry(folder), TrainingJobs(folder), folder, limits
    )
    metrics = Metrics()
    metrics.watch(lambda: desk.readers.asked)

    @asynccontextmanager
    async def open_hours(_app: FastAPI) -> AsyncIterator[None]:
        await desk.readers.start()
        try:
            yield
        finally:
            desk.readers.stop()

    app = FastAPI(
        title="lenet",
        version=__version__,
        description='Handwritten numbers, read by LeNet-5. Errors are one line: {"error": ...}.',
        docs_url=None,
        redoc_url=None,
        lifespan=open_hours,
        responses=FAILURES,
        redirect_slashes=False,
    )
    app.add_exception_handler(LenetError, _lenet_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(NoAnswer, _no_answer)
    app.include_router(_reading(desk))
    app.include_router(_looking(desk))
    app.include_router(_about(desk, metrics))
    app.include_router(make_training_routes(desk))
    app.include_router(make_correction_routes(desk))
    app.include_router(make_page_routes())
    app.openapi = lambda: _described(app, root_path)  # type: ignore[method-assign]
    return Guard(app, access, limits, metrics), desk.lessons


def _described(app: FastAPI, root_path: str) -> dict[str, Any]:
    """Return the interface's description, without FastAPI's own form of a 422, which is never sent."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for name in ("HTTPValidationError", "ValidationError"):
            found["components"]["schemas"].pop(name, None)
        bearer = {"type": "http", "scheme": "bearer", "description": "the service's token, if it has one"}
        found["components"]["securitySchemes"] = {"token": bearer}
        found["security"] = [{}, {"token": []}]
        if root_path:
            found["servers"] = [{"url": root_path}]
        app.openapi_schema = found
    return app.openapi_schema


def _respond(found: Outcome) -> Response:
    return Response(found.body, found.status, media_type=found.media)


async def _lenet_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, LenetError)
    return _respond(fail(409 if isinstance(error, TrainingError) else find_status(error), str(error)))


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _respond(fail(422, str(UsageError(*find_first_problem(error.errors())))))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: f"{request.url.path}: nothing here; GET /openapi.json tells what there is"}
    words[405] = f"{request.url.path}: not with {request.method}"
    found = _respond(fail(error.status_code, words.get(error.status_code, str(error.detail))))
    found.headers.update(error.headers or {})
    return found


async def _no_answer(_request: Request, error: Exception) -> Response:
    found = _respond(fail(503, str(error)))
    found.headers["retry-after"] = "1"
    return found


def _reading(desk: AppState) -> APIRouter:
    routes = APIRouter(tags=["reading"])

    @routes.post("/read", responses={200: {"model": schema.Reading}}, openapi_extra=_body(False))
    async def read(request: Request) -> Response:
        """Read the numbers in a picture, or its one digit: the JSON object of `lenet read --json`."""
        (picture, *_more), options = await read_pictures(request, 1)
        return _respond(await desk.ask_of("read", picture, options))

    @routes.post("/read/batch", responses={200: {"model": schema.Batch}}, openapi_extra=_body(True))
    async def batch(request: Request) -> Response:
        """Read several pictures of a form; one that cannot be read has an error in its place."""
        given, options = await read_pictures(request, desk.limits.pictures)
        return _respond(await desk.ask_of_all(given, options))

    @routes.post("/table", responses={200: {"model": schema.Page}}, openapi_extra=_body(False, PageOptions))
    async def table(request: Request) -> Response:
        """Read the tables of a page: the JSON object of `lenet table --json`."""
        (picture, *_more), options = await read_uploads(request, 1, PageOptions)
        return _respond(await desk.ask_of_page(picture, options))

    @routes.post("/explain", responses={200: {"model": schema.Explanation}}, openapi_extra=_body(False))
    async def explain(request: Request) -> Response:
        """Read a picture, and tell its candidates, their scores and glyphs, and where ink was cut."""
        (picture, *_more), options = await read_pictures(request, 1)
        return _respond(await desk.ask_of("explain", picture, options))

    return routes


@lru_cache(maxsize=4)
def _pack_network(path: str) -> bytes:
    return json.dumps(tell_network(load_weights(path), exact=True), separators=(",", ":")).encode()


def _looking(desk: AppState) -> APIRouter:
    routes = APIRouter(tags=["looking inside"])
    any_object: dict[int | str, dict[str, Any]] = {
        200: {"content": {"application/json": {"schema": {"type": "object"}}}}
    }

    def common(asked: schema.OneGlyph) -> dict[str, Any]:
        return {"glyph": b64decode(asked.glyph), "model": desk.shelf.find(asked.model, sliding_window=False)}

    @routes.post("/activations", responses=any_object)
    async def activations(asked: schema.OneGlyph) -> Response:
        """Return every layer's values for a glyph, as float16 in base64, maps by rows by columns."""
        return _respond(await desk.readers.ask("activations", **common(asked)))

    @routes.get("/network", responses=any_object)
    async def network(net: str) -> Response:
        """Return a network as the page runs it: its layers, records for its machine, its parameters."""
        path = desk.shelf.find(net, sliding_window=False)
        return Response(await asyncio.to_thread(_pack_network, path), media_type="application/json")

    @routes.get("/mistakes", responses={**any_object, 409: {"model": schema.Failure}})
    async def mistakes(model: schema.ModelName = DEFAULT) -> Response:
        """Return which of MNIST's test digits a network gets wrong, of the copy on this machine; 409 without one."""
        if not has_mnist():
            raise TrainingError("mistakes", "MNIST is not on this machine", "lenet data fetch mnist")
        return _respond(await desk.readers.ask("mistakes", model=desk.shelf.find(model, sliding_window=False)))

    @routes.post("/unit", responses=any_object)
    async def unit(asked: schema.OneUnit) -> Response:
        """Return where one value of a layer comes from: its field in the input, and the sum that made it."""
        return _respond(await desk.readers.ask("unit", layer=asked.layer, place=asked.place, **common(asked)))

    @routes.post("/why", responses=any_object)
    async def why(asked: schema.OneGlyph) -> Response:
        """Return what in a glyph would have to change for the runner-up to win."""
        return _respond(await desk.readers.ask("why", **common(asked)))

    @routes.post("/vary", responses=any_object)
    async def vary(asked: schema.Changes) -> Response:
        """Return a glyph that is shifted, turned, thickened, ..., and how its probabilities change with it."""
        return _respond(await desk.readers.ask("vary", amounts=asked.amounts, along=asked.along, **common(asked)))

    return routes


def _about(desk: AppState, metrics: Metrics) -> APIRouter:
    routes = APIRouter(tags=["about"])

    @routes.get("/models", responses={200: {"model": schema.Networks}})
    async def models() -> dict[str, Any]:
        """List the networks that can be asked for by name."""
        return {"default": DEFAULT, "networks": desk.shelf.networks()}

    @routes.head("/health", include_in_schema=False)
    @routes.get("/health", responses={200: {"model": schema.Health}})
    async def health() -> dict[str, Any]:
        """Say that the service is there."""
        return {"status": "ok", "version": __version__, "engine": chosen_engine(), "readers": desk.readers.count}

    @routes.head("/ready", include_in_schema=False)
    @routes.get("/ready", responses={200: {"model": schema.Ready}})
    async def ready() -> Response:
        """Say whether a picture that is sent now would be taken; 503 if too many wait already."""
        full = desk.readers.full
        body = json.dumps({"status": "busy" if full else "ready", "asked": desk.readers.asked}).encode()
        return Response(body, 503 if full else 200, media_type="application/json")

    @routes.get("/metrics", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
    async def numbers() -> Response:
        """Return counts and times for Prometheus."""
        return Response(metrics.text(), media_type=MEDIA)

    return routes
