"""Routes that change this machine: training, corrections, fine-tuning. The guard keeps strangers away from them."""

from __future__ import annotations

import asyncio
import shutil
from base64 import b64decode, b64encode
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Header, Response
from fastapi.responses import StreamingResponse

from lenet.errors import TrainingError
from lenet.serve import schema
from lenet.serve.app_state import AppState
from lenet.serve.training_jobs import RECIPES, Task, has_mnist
from lenet.training.corrections import add_correction, count_corrections, list_latest, remove_correction

# Fine-tuning keeps every third correction to count on: with fewer there is nothing to learn from.
_FEWEST = 3
_CORRECTIONS = "corrections"


def make_training_routes(desk: AppState) -> APIRouter:
    """Return the routes of a desk's lessons and corrections."""
    routes = APIRouter(tags=["training"])
    folder = desk.folder / _CORRECTIONS
    conflict: dict[int | str, dict[str, Any]] = {409: {"model": schema.Failure, "description": "not now"}}
    told: dict[int | str, dict[str, Any]] = {200: {"model": schema.TrainingState}}
    named: dict[int | str, dict[str, Any]] = {200: {"model": schema.Kept}}

    def state() -> dict[str, Any]:
        lessons = desk.lessons
        return {
            "state": lessons.state,
            "kind": lessons.task.kind if lessons.task else None,
            "mnist": has_mnist(),
            "recipes": list(RECIPES),
            "events": len(lessons.events),
        }

    @routes.get("/train", responses=told)
    async def lesson() -> dict[str, Any]:
        """Tell of the training that runs, or ran last."""
        return state()

    @routes.post("/train", responses=told | conflict)
    async def train(asked: schema.Training) -> dict[str, Any]:
        """Start a training on MNIST; GET /train/events tells how it goes."""
        desk.lessons.begin(Task("train", asked.recipe, "mnist", asked.passes, asked.seed, None))
        return state()

    @routes.get(
        "/train/events",
        responses={200: {"description": "server-sent events", "content": {"text/event-stream": {}}}},
        response_class=StreamingResponse,
    )
    async def events(last_event_id: Annotated[str, Header()] = "") -> Response:
        """Follow the training: begin, progress, pass, finished, stopped or failed."""
        after = int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 10 else 0
        return StreamingResponse(desk.lessons.follow(after), media_type="text/event-stream")

    @routes.post("/train/stop", responses=told)
    async def stop() -> dict[str, Any]:
        """Stop the training after what it does now; its weights can be kept."""
        await desk.lessons.stop()
        return state()

    @routes.post("/train/keep", responses=named | conflict)
    async def keep() -> dict[str, str]:
        """Keep the last training's network under a name of its own."""
        task = desk.lessons.task
        file = desk.lessons.result()
        name = desk.shelf.keep(file, "tuned" if task and task.kind == "finetune" else "trained")
        desk.lessons.state = "kept"
        return {"name": name}

    @routes.delete("/train", responses=told)
    async def throw_away() -> dict[str, Any]:
        """Stop the training and throw away what it has learned."""
        await desk.lessons.throw_away()
        return state()

    @routes.post("/finetune", responses=told | conflict)
    async def finetune(asked: schema.Tuning) -> dict[str, Any]:
        """Fine-tune a network on the corrections; errors before and after come with the event `finished`."""
        if sum(count_corrections(folder).values()) < _FEWEST:
            raise TrainingError("fine-tuning", f"fewer than {_FEWEST} corrections", "correct some digits first")
        init = desk.shelf.find(asked.model, sliding_window=False)
        desk.lessons.begin(Task("finetune", "corrections", str(folder), None, 0, init))
        return state()

    return routes


def make_correction_routes(desk: AppState) -> APIRouter:
    """Return the routes of a desk's corrections: digits with what they really say."""
    routes = APIRouter(tags=["training"])
    folder = desk.folder / _CORRECTIONS
    one_at_a_time = asyncio.Lock()

    def kept() -> dict[str, Any]:
        latest = [
            {"name": name, "label": label, "glyph": b64encode(glyph.tobytes()).decode()}
            for name, label, glyph in list_latest(folder)
        ]
        return {"folder": str(folder), "counts": count_corrections(folder), "latest": latest}

    @routes.get("/corrections", responses={200: {"model": schema.Corrections}})
    async def corrections() -> dict[str, Any]:
        """Count the corrections that are kept."""
        return kept()

    @routes.post("/corrections", responses={200: {"model": schema.Corrections}})
    async def correct(asked: schema.Correction) -> dict[str, Any]:
        """Keep a glyph with what it really says."""
        glyph = np.frombuffer(b64decode(asked.glyph), np.uint8).reshape(28, 28)
        async with one_at_a_time:
            await asyncio.to_thread(add_correction, folder, glyph, asked.label)
        return kept()

    @routes.delete("/corrections", responses={200: {"model": schema.Corrections}})
    async def forget() -> dict[str, Any]:
        """Throw away all corrections."""
        async with one_at_a_time:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return kept()

    @routes.delete("/corrections/{name}", responses={200: {"model": schema.Corrections}})
    async def take_back(name: str) -> dict[str, Any]:
        """Take one correction back, by its name."""
        async with one_at_a_time:
            await asyncio.to_thread(remove_correction, folder, name)
        return kept()

    return routes
