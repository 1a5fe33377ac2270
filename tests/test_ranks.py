"""Training in several processes by torchrun: the same losses as in one with the same mini-batches."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from lenet.errors import UsageError
from lenet.training.ranks import Ranks

from conftest import ROOT

torch = pytest.importorskip("torch")

SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import numpy as np
from conftest import blobs
from lenet.data.dataset import Dataset
from lenet.training.loop import train_replicas
from lenet.training.recipe import Recipe
from lenet.training.distortions import Ranges
from lenet.training.run import RunFolder
from lenet.training.start import _choose_folder
from lenet.training.torch_backend import TorchBackend
rng = np.random.default_rng(3)
data = Dataset("blobs", blobs(333, rng), blobs(50, rng), np.arange(333) >= 303, "made here")
recipe = Recipe("try", "lenet5", "", passes=2, batch=32, rate=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3,
                averaging=0.9, distortions=Ranges(zoom=0.1, shift=1.0, elastic=1.0))
train_replicas(recipe, data, RunFolder(_choose_folder(Path({out!r}), False)), TorchBackend("cpu"), [5])
"""


def losses(out: Path, processes: int) -> list[float]:
    """Train in this process, or by torchrun in so many; the losses of both passes, and what is left of the record."""
    program = SCRIPT.format(tests=str(ROOT / "tests"), out=str(out))
    if processes == 1:
        exec(program, {})
    else:
        script = out.with_suffix(".py")
        script.write_text(program)
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
        done = subprocess.run([*command, str(script)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (out / "weights.safetensors").is_file()
    return [json.loads(line)["loss"][0] for line in (out / "log.jsonl").read_text().splitlines()]


def test_two_processes_learn_what_one_learns(tmp_path: Path) -> None:
    """Gradients are added up over gloo: losses agree to 1e-5, with a last mini-batch that is no multiple of two."""
    alone, together = losses(tmp_path / "alone", 1), losses(tmp_path / "together", 2)
    assert len(alone) == 2
    assert together == pytest.approx(alone, rel=1e-5)


def test_shares_are_a_partition() -> None:
    """Every row is one process's, whatever the numbers; alone, all are."""
    for n in (0, 1, 5, 32, 33):
        for count in (1, 2, 3, 7):
            rows = [row for rank in range(count) for row in range(n)[Ranks(rank, count).share(n)]]
            assert rows == list(range(n))


def test_batch_normalisation_needs_whole_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A share's statistics are not the batch's: refused with what to do."""
    from lenet.training.recipes import RECIPES
    from lenet.training.torch_backend import TorchBackend

    backend = TorchBackend("cpu")
    backend.ranks = Ranks(0, 2)
    with pytest.raises(UsageError, match="needs whole mini-batches; train it in one process"):
        backend.require(RECIPES["best"])
