"""A line network trained as a whole in PyTorch, by the forward loss over all alignments of a text."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file as save_tensors
from torch import Tensor
from torch.nn import functional as F

from lenet.arrays import Tensors
from lenet.nets.modules import LeNet
from lenet.network.inputs import LINE_HEIGHT, PAPER_GREY
from lenet.network.spec import LINE_LABELS, LINE_NETS, Net
from lenet.training.line_stream import BUCKET, LONGEST, LineBatch, LineStream
from lenet.training.synthetic.lines import WIDEST, LineMaker, MadeLine


@dataclass(frozen=True)
class LineRecipe:
    """How to train a line network; a rate rises for a share of the time, `warm`, and falls along half a cosine."""

    net: str = "lenet-line"
    seconds: float = 540.0
    batch: int = 512
    rate: float = 3e-3
    floor: float = 0.0
    warm: float = 0.03
    weight_decay: float = 0.01
    averaging: float = 0.9995
    seed: int = 0
    start: int = 20_000
    capacity: int = 480_000
    dropout: float = 0.1


def column_scores(net: Net, scores: Tensor) -> Tensor:
    """Return (n, columns * k, 1, w), a line network's output, as columns of k scores: (n, columns * w, k)."""
    n, maps, _one, width = scores.shape
    k = maps // net.columns
    return scores[:, :, 0].reshape(n, net.columns, k, width).permute(0, 3, 1, 2).reshape(n, width * net.columns, k)


class _Pool:
    """The latest lines of one width, on the device: strips, their own widths, labels and how many."""

    def __init__(self, width: int, capacity: int, device: torch.device) -> None:
        self.strips = torch.full((capacity, LINE_HEIGHT, width), PAPER_GREY, dtype=torch.uint8, device=device)
        self.widths = torch.zeros(capacity, dtype=torch.int64, device=device)
        self.labels = torch.zeros(capacity, LONGEST, dtype=torch.int64, device=device)
        self.counts = torch.zeros(capacity, dtype=torch.int64, device=device)
        self.width, self.capacity, self.filled, self.seen = width, capacity, 0, 0

    def add(self, batch: LineBatch) -> None:
        """Take lines in, in place of the oldest where it is full."""
        device = self.strips.device
        rows = (torch.arange(self.seen, self.seen + len(batch.counts)) % self.capacity).to(device)
        self.strips[rows] = torch.from_numpy(batch.strips).to(device)
        self.widths[rows] = torch.from_numpy(batch.widths.astype(np.int64)).to(device)
        self.labels[rows] = torch.from_numpy(batch.labels.astype(np.int64)).to(device)
        self.counts[rows] = torch.from_numpy(batch.counts.astype(np.int64)).to(device)
        self.seen += len(rows)
        self.filled = min(self.capacity, self.seen)


@dataclass
class LineTraining:
    """A run: the network, the running average of its weights, what it has seen."""

    recipe: LineRecipe
    device: torch.device
    log: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        torch.manual_seed(self.recipe.seed)
        net = LINE_NETS[self.recipe.net]
        self.net = LeNet(net, batch_norm=True, initialisation="he", seed=self.recipe.seed).to(self.device)
        self.kept = copy.deepcopy(self.net).requires_grad_(False)
        weights = [p for p in self.net.parameters() if p.ndim > 1]
        others = [p for p in self.net.parameters() if p.ndim <= 1]
        groups = [
            {"params": weights, "weight_decay": self.recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(
            groups, lr=self.recipe.rate, betas=(0.9, 0.99), fused=self.device.type == "cuda"
        )
        self.steps = 0
        self.pools: dict[int, _Pool] = {}
        self.rng = np.random.default_rng([self.recipe.seed, 7])

    def rate(self, share: float) -> float:
        """Return the rate when this share of the time has passed."""
        recipe = self.recipe
        if share < recipe.warm:
            return recipe.rate * (0.05 + 0.95 * share / recipe.warm)
        along = (share - recipe.warm) / (1 - recipe.warm)
        return recipe.rate * (recipe.floor + (1 - recipe.floor) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, along))))

    def take(self, stream: LineStream, patience: float = 0.0) -> int:
        """Put the lines that are made into the pools; return how many."""
        count = 0
        for width, batch in stream.take(patience):
            if width not in self.pools:
                self.pools[width] = _Pool(width, self.recipe.capacity * BUCKET // WIDEST * 2, self.device)
            self.pools[width].add(batch)
            count += len(batch.counts)
        return count

    def step(self, share: float) -> Tensor:
        """Learn from one batch of lines of about one width; return its mean loss, on the device."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(share)
        widths = sorted(self.pools)
        filled = np.array([self.pools[width].filled * width for width in widths], float)
        pool = self.pools[widths[int(self.rng.choice(len(widths), p=filled / filled.sum()))]]
        size = max(8, min(4 * self.recipe.batch, round(self.recipe.batch * 192 / pool.width)))
        rows = torch.from_numpy(self.rng.integers(0, pool.filled, size)).to(self.device)
        strips, widths_of = vary(pool.strips[rows], pool.widths[rows], self.rng)
        self.net.train()
        scores = self._scores(strips)
        columns = torch.clamp((widths_of + 3) // 4 * 2, max=scores.shape[1])
        log_probs = F.log_softmax(scores.float(), 2).transpose(0, 1)
        counts = pool.counts[rows]
        targets = pool.labels[rows][:, : max(1, int(counts.max()))]
        losses = F.ctc_loss(log_probs, targets, columns, counts, len(LINE_LABELS), "none", zero_infinity=True)
        loss = (losses / (counts + 1)).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        self.steps += 1
        self._average()
        return loss.detach()

    def _scores(self, strips: Tensor) -> Tensor:
        autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")
        with autocast:
            return column_scores(self.net.net, self.net(strips.to(memory_format=torch.channels_last)))

    @torch.no_grad()
    def _average(self) -> None:
        share = 1 - min(self.recipe.averaging, self.steps / (self.steps + 20))
        kept, now = (
            [tensor for tensor in net.state_dict().values() if tensor.is_floating_point()]
            for net in (self.kept, self.net)
        )
        torch._foreach_lerp_(kept, now, share)

    @torch.no_grad()
    def read(self, lines: list[MadeLine]) -> list[str]:
        """Say what the likeliest labels of the columns of lines spell, by the kept weights."""
        self.kept.eval()
        said = []
        for line in lines:
            strip = torch.from_numpy(line.strip.astype(np.float32) / 127.5 - 0.5)[None, None].to(self.device)
            best = column_scores(self.kept.net, self.kept(strip))[0].argmax(1).tolist()
            said.append(spell(best))
        return said

    def tensors(self) -> Tensors:
        """Return the kept tensors, normalisation folded."""
        return self.kept.folded()

    def state(self) -> dict[str, Any]:
        """Return all that a later run goes on from."""
        return {
            "net": self.net.state_dict(),
            "kept": self.kept.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "steps": self.steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.net.load_state_dict(state["net"])
        self.kept.load_state_dict(state["kept"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.steps = state["steps"]


def vary(strips: Tensor, widths: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return strips (n, 32, w) uint8 as input (n, 1, 32, w), each batch stretched and shifted, each line lit anew."""
    x = (strips.float() / 127.5 - 0.5)[:, None]
    n, height, width = x.shape[0], x.shape[2], x.shape[3]
    device = x.device
    gain = 1 + 0.25 * (torch.rand(n, 1, 1, 1, device=device) - 0.5)
    bias = 0.1 * torch.randn(n, 1, 1, 1, device=device)
    sigma = 0.06 * torch.rand(n, 1, 1, 1, device=device) ** 2
    x = x * gain + bias + sigma * torch.randn(x.shape, device=device)
    tall, wide = float(rng.uniform(0.88, 1.12)), float(rng.uniform(0.85, 1.15))
    if rng.random() < 0.7:
        wanted = max(32, round(width * wide / 4) * 4)
        theta = torch.tensor(
            [[1.0, 0.0, 0.0], [float(rng.normal(0, 0.02)), tall, float(rng.uniform(-0.06, 0.06))]], device=device
        )
        grid = F.affine_grid(theta.expand(n, 2, 3), [n, 1, height, wanted], align_corners=False)
        x = F.grid_sample(x, grid, "bilinear", "border", align_corners=False)
        widths = torch.clamp((widths * (wanted / width)).ceil().long(), max=wanted)
    return x, widths


def spell(best: list[int]) -> str:
    """Return what columns spell: a label that goes on is said once, and again only after a column of nothing."""
    text, before = "", len(LINE_LABELS)
    for label in best:
        if label != before and label < len(LINE_LABELS):
            text += LINE_LABELS[label]
        before = label
    return text


def train_lines(
    recipe: LineRecipe,
    processes: int,
    fonts: tuple[str, ...],
    device: str,
    watch: LineMaker | None = None,
    start: dict[str, Any] | None = None,
    report: Callable[[dict[str, Any]], None] = lambda line: None,
    save: Callable[[LineTraining], None] = lambda training: None,
    every: float = 30.0,
) -> LineTraining:
    """Train for the recipe's seconds, counted from the first line on; `report` what is seen, `save` now and then."""
    training = LineTraining(recipe, torch.device(device))
    if start is not None:
        training.restore(start)
    rng = np.random.default_rng(11)
    watched = [watch.make(rng) for _line in range(400)] if watch else []
    began = time.perf_counter()
    with LineStream(processes, recipe.seed, fonts) as stream:
        made = 0
        while made < recipe.start:
            made += training.take(stream, 1.0)
        told, losses = time.perf_counter(), []
        while (passed := time.perf_counter() - began) < recipe.seconds:
            losses.append(training.step(passed / recipe.seconds))
            if training.steps % 20 == 0:
                made += training.take(stream)
            if time.perf_counter() - told > every:
                said = training.read(watched)
                right = sum(a == b.text for a, b in zip(said, watched, strict=True))
                line = {"seconds": round(passed, 1), "steps": training.steps, "made": made}
                line |= {"loss": round(float(torch.stack(losses).mean()), 4), "right": right, "of": len(watched)}
                training.log.append(line)
                report(line)
                save(training)
                told, losses = time.perf_counter(), []
    save(training)
    return training


def save_run(training: LineTraining, folder: Path) -> None:
    """Write the tensors, the state and the log of a run into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    save_tensors(training.tensors(), folder / "tensors.safetensors")
    torch.save(training.state(), folder / "state.pt")
    (folder / "log.json").write_text(json.dumps(training.log))
