"""What every route needs: the reader processes, the networks on the shelf, the lessons, and the folder of its own."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from lenet.serve.limits import Limits
from lenet.serve.model_registry import ModelRegistry
from lenet.serve.readers import Died, Readers, TooSlow
from lenet.serve.request import Options, PageOptions, Upload
from lenet.serve.tasks import Outcome, fail
from lenet.serve.training_jobs import TrainingJobs


@dataclass
class AppState:
    """One service's things, and how pictures are handed to the readers."""

    readers: Readers
    shelf: ModelRegistry
    lessons: TrainingJobs
    folder: Path
    limits: Limits

    async def ask_of(self, task: str, picture: Upload, options: Options) -> Outcome:
        """Have a reader do a task with a picture. Raises WeightsError, Busy, TooSlow or Died."""
        return await self.readers.ask(
            task,
            picture=picture.data,
            path=picture.name,
            model=self.shelf.find(options.model, options.sliding_window),
            sliding_window=options.sliding_window,
            digit=options.digit,
            options=options.asked(),
        )

    async def ask_of_page(self, picture: Upload, options: PageOptions) -> Outcome:
        """Have a reader read the tables of a page. Raises WeightsError, Busy, TooSlow or Died."""
        return await self.readers.ask(
            "table",
            picture=picture.data,
            path=picture.name,
            model=self.shelf.find(options.model, sliding_window=False),
            review=options.review,
            options=options.asked(),
        )

    async def ask_of_all(self, given: list[Upload], options: Options) -> Outcome:
        """Read several pictures, one on each reader at a time; return the answers in order, or what all have wrong."""
        turns = asyncio.Semaphore(self.readers.count)

        async def in_turn(picture: Upload) -> Outcome:
            async with turns:
                return await self._one_of_many(picture, options)

        found = await asyncio.gather(*map(in_turn, given))
        for each in found:
            if each.status != 200 and not each.picture:
                return each
        return Outcome(200, "application/json", b'{"results": [' + b", ".join(each.body for each in found) + b"]}")

    async def _one_of_many(self, picture: Upload, options: Options) -> Outcome:
        try:
            found = await self.ask_of("read", picture, options)
        except (TooSlow, Died) as error:
            found = fail(503, f"{picture.name or 'picture'}: {error}", picture=True)
        if not found.picture:
            return found
        body = json.dumps({"path": picture.name, **json.loads(found.body)}).encode()
        return Outcome(found.status, found.media, body, picture=True)
