"""Many replicas as tasks of a cluster: each task is a run with a folder of its own, and all together are one result.

DIR/seeds-0, DIR/seeds-8, ...  run folders, named by their first seed
DIR/cluster.json               what was asked for
DIR/result.json                the result of all replicas, written last
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

from lenet.bulk.ray_cluster import join_cluster
from lenet.data import dataset
from lenet.data.fetch import Report
from lenet.errors import TrainingError, UsageError, reason
from lenet.files import replace_text
from lenet.progress import silent
from lenet.training.run import SPREAD, RunFolder, load_stored
from lenet.training.start import check_seeds, find_recipe, run_folder, train

# Replicas of a task that learn on-line, side by side in the lanes of one core; others are trained one by one.
_SIDE_BY_SIDE = 8


def train_spread(
    address: str,
    recipe: str,
    data: str,
    out: str | Path | None = None,
    *,
    replicas: int,
    seed: int = 0,
    resume: bool = False,
    passes: int | None = None,
    settings: dict[str, str] | None = None,
    report: Callable[[int, int], None] = silent,
    report_fetch: Report = silent,
    **more: Any,
) -> dict[str, Any]:
    """Train replicas with the seeds `seed`, `seed` + 1, ... on a cluster and return their result as `train` does.

    `report` is told how many passes of all tasks are done. `more` are other arguments of `train`; "seconds" of the
    result are those of all tasks together. A task that was lost goes on where its folder is. Raises what `train` does,
    and LenetError when the cluster cannot be reached.
    """
    chosen = find_recipe(recipe, passes, settings)
    if chosen.mix:
        raise UsageError(f"recipe {recipe}", "starts from one network's corrections", "leave out --cluster")
    seeds = check_seeds(seed, replicas)
    folder = run_folder(out, recipe, seed)
    same = {"passes": passes, "settings": settings, **more}
    told = {"recipe": recipe, "data": str(data), "seed": seed, "replicas": replicas, **same}
    _take(folder, told, resume)
    dataset.load(data, report_fetch)  # what is wrong with it is said here, and it is fetched once
    each = _SIDE_BY_SIDE if chosen.online else 1
    groups = [seeds[first : first + each] for first in range(0, len(seeds), each)]
    runs = [folder / f"seeds-{group[0]}" for group in groups]
    given = [(recipe, data, str(run), group, same) for run, group in zip(runs, groups, strict=True)]
    with join_cluster(address) as cluster:
        results = cluster.apart(_one, given, lambda: report(_passed(runs), chosen.passes * len(runs)))
        runs_on = f"{address} cluster, {cluster.cores} cores"
    found = [
        {**replica, "weights": f"{run.name}/{replica['weights']}"}
        for run, result in zip(runs, results, strict=True)
        for replica in result["replicas"]
    ]
    result = {
        **{key: results[0][key] for key in ("recipe", "backend")},
        "runs_on": runs_on,
        "passes": chosen.passes,
        "seconds": round(sum(each["seconds"] for each in results), 1),
        "out": str(folder),
        "errors": mean(replica["errors"] for replica in found),
        **{key: results[0][key] for key in ("n", "data")},
        "replicas": found,
    }
    RunFolder(folder).finish(result)
    return result


def _one(recipe: str, data: str, out: str, seeds: list[int], same: dict[str, Any]) -> dict[str, Any]:
    """Train the replicas of one task, or go on with them."""
    return train(recipe, data, out, seed=seeds[0], replicas=len(seeds), resume=True, **same)


def _take(folder: Path, told: dict[str, Any], resume: bool) -> None:
    """Make the folder, or take it up if it was begun with the same command."""
    file = folder / SPREAD
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.iterdir()):
            replace_text(file, json.dumps(told, indent=2) + "\n")
        elif not file.exists():
            raise TrainingError(folder, "holds something else", "choose another --out")
        elif not resume:
            raise TrainingError(folder, "holds a run already", "--resume goes on with it, or choose --out")
        elif load_stored(file) != json.loads(json.dumps(told)):
            raise TrainingError(folder, "was begun with another command", "give the same, or choose --out")
    except OSError as error:
        raise TrainingError(folder, reason(error), "choose another --out") from error


def _passed(runs: list[Path]) -> int:
    """Count the finished passes of all tasks by their logs, as far as they can be seen from here."""
    count = 0
    for run in runs:
        try:
            count += len((run / "log.jsonl").read_text(encoding="utf-8").splitlines())
        except OSError:  # not begun
            continue
    return count
