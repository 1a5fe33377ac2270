"""Trainings that the service runs: told as they go on, stopped, kept and thrown away."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from lenet.engine import load
from lenet.errors import TrainingError

from held import prepare

pytest.importorskip("fastapi")

from lenet.serve.training_jobs import Task, TrainingJobs


@pytest.fixture
def endless(few_digits: Path, tmp_path: Path, mnist: object, monkeypatch: pytest.MonkeyPatch) -> Task:
    """A training of more passes than anybody waits for."""
    monkeypatch.setenv(*prepare(tmp_path).environment.popitem())
    monkeypatch.setenv("LENET_DATA", str(few_digits))
    return Task("train", "quick", "mnist", 10_000, 0, None)


@pytest.mark.parametrize("patience", [30.0, 0.0])
def test_a_lesson_is_told_stopped_and_kept(
    patience: float, tmp_path: Path, endless: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events come in order; stopped in the middle, however slowly, what was learned is kept; or thrown away."""
    monkeypatch.setattr("lenet.serve.training_jobs._PATIENCE", patience)

    async def taught() -> None:
        lessons = TrainingJobs(tmp_path)
        lessons.begin(endless)
        with pytest.raises(TrainingError, match="one runs already"):
            lessons.begin(endless)
        with pytest.raises(TrainingError, match="it still runs; wait until it has stopped"):
            lessons.result()
        seen = []
        async for part in lessons.follow(0):
            if part.startswith(b"id"):
                seen.append(json.loads(part.split(b"data: ")[1]))
                if len(seen) == 3:
                    await lessons.stop()
        assert [each["id"] for each in seen] == list(range(1, len(seen) + 1))
        assert seen[-1]["event"] == lessons.state == "stopped"
        assert seen[0]["filters"]["shape"] == [6, 5, 5]
        assert load(lessons.result()).net.name == "lenet5-modern"
        await lessons.throw_away()
        with pytest.raises(TrainingError, match="nothing to keep"):
            lessons.result()
        await lessons.close()

    asyncio.run(taught())


def test_a_lesson_that_runs_is_thrown_away_at_once(tmp_path: Path, endless: Task) -> None:
    """Nothing is told of it any more, and the next one may begin."""

    async def thrown() -> None:
        lessons = TrainingJobs(tmp_path)
        others = threading.enumerate()
        lessons.begin(endless)
        (listening,) = [each for each in threading.enumerate() if each not in others and "_listen" in each.name]
        while (part := await anext(lessons.follow(0))).startswith(b":"):  # the line is open, no more
            continue
        assert part.startswith(b"id: 1\n")
        await lessons.throw_away()
        await asyncio.to_thread(listening.join)
        await asyncio.sleep(0)  # what it said to the end is heard by now
        assert (lessons.state, lessons.events) == ("none", [])
        assert not (tmp_path / "lesson").exists()
        lessons.begin(endless)
        await lessons.throw_away()
        await lessons.close()

    asyncio.run(thrown())


def test_two_services_of_one_folder_train_apart(tmp_path: Path, endless: Task) -> None:
    """The second trains beside the first, whose weights it does not empty; when it has left, its place is free."""

    async def both() -> None:
        (tmp_path / "lesson").mkdir()
        (tmp_path / "lesson" / "left over").touch()  # by a service that was killed
        first, second = TrainingJobs(tmp_path), TrainingJobs(tmp_path)
        for lessons in (first, second):
            lessons.begin(endless)
        for lessons in (first, second):
            await lessons.stop()
        assert [lessons.result().parent.name for lessons in (first, second)] == ["lesson", "lesson-2"]
        assert not (tmp_path / "lesson" / "left over").exists()
        await first.close()
        third = TrainingJobs(tmp_path)
        third.begin(endless)
        assert third._folder.name == "lesson"
        for lessons in (second, third):
            await lessons.throw_away()
            await lessons.close()
        assert list(tmp_path.glob(".*")) == []

    asyncio.run(both())
