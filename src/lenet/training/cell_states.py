"""Train the network that says what a cell holds: python -m lenet.training.cell_states [--pages N] [--passes N].

It learns from made pages by hands that may be learned from; errors are counted on pages by held-out hands, in fonts
that are held out.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from lenet.arrays import Float64, Int64, Uint8
from lenet.engine.lines import LineNetwork
from lenet.errors import LenetError
from lenet.evaluation.calibration import fit_temperature
from lenet.native.dispatch import count_cores
from lenet.nets.modules import LeNet
from lenet.network.inputs import to_line_input
from lenet.network.spec import CELL_LABELS, LINE_NETS
from lenet.network.weights import Weights, save_weights
from lenet.training.cell_samples import CellSamples, cut_samples
from lenet.training.line_stream import load_hands
from lenet.training.run import find_commit
from lenet.training.synthetic.fonts import Fonts, find_fonts
from lenet.training.synthetic.pages import PageMaker

NET = "lenet-cell"
# Pages to learn from, and by held-out hands; passes over all cells; the rate at its highest, and the batch.
PAGES, HELD_OUT_PAGES, PASSES, RATE, BATCH = 900, 120, 10, 2e-3, 64
# Strips are padded to a multiple of so many pixels with their own edge, so that a batch has one width.
_BUCKET = 16
# Each strip is shown with a gain, a shift of its grey and noise of about these sizes, in units of paper to pen.
_GAIN, _SHIFT, _NOISE = 0.12, 0.06, 0.03
_TRAIN_SEED, _HELD_OUT_SEED = 0, 1_000_000
# One font in so many is held out.
_HELD_OUT_FONTS = 6

_maker: PageMaker | None = None


@dataclass(frozen=True)
class CellBatch:
    """Strips (n, 32, w) of one width, and their labels (n,)."""

    strips: Uint8
    labels: Int64


def _load_maker(part: Any) -> None:
    """Keep what makes pages in this process."""
    global _maker  # noqa: PLW0603 - a process of a pool has nowhere else
    _maker = PageMaker(load_hands(part), choose_fonts(part))


def choose_fonts(part: str) -> Fonts:
    """Return the fonts that may be learned from, or, for "dev", those that are held out: one in six."""
    fonts = find_fonts()
    held_out = fonts.printed[_HELD_OUT_FONTS - 1 :: _HELD_OUT_FONTS]
    kept = held_out if part == "dev" else tuple(font for font in fonts.printed if font not in held_out)
    return replace(fonts, printed=kept)


def _cut_page(seed: int) -> CellSamples:
    assert _maker is not None
    return cut_samples(_maker, seed)


def gather_cells(part: str, pages: int, seed: int) -> dict[int, CellBatch]:
    """Make pages by the hands of a part, on all cores, and return their cells by the width of their strips."""
    by_width: dict[int, list[tuple[Uint8, int]]] = defaultdict(list)
    with get_context("spawn").Pool(count_cores(), _load_maker, (part,)) as pool:
        for row, found in enumerate(pool.imap(_cut_page, range(seed, seed + pages), chunksize=4)):
            for strip, label in zip(found.strips, found.labels.tolist(), strict=True):
                width = -(-strip.shape[1] // _BUCKET) * _BUCKET
                padded = np.pad(strip, ((0, 0), (0, width - strip.shape[1])), mode="edge")
                by_width[width].append((padded, label))
            if row % 50 == 0:
                print(f"{row} of {pages} pages", file=sys.stderr)
    return {
        width: CellBatch(np.stack([strip for strip, _label in own]), np.array([label for _strip, label in own]))
        for width, own in sorted(by_width.items())
    }


def train_cells(cells: dict[int, CellBatch], passes: int, seed: int = 0) -> LeNet:
    """Train the network on cells by AdamW, the rate falling along half a cosine, and return it."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = LeNet(LINE_NETS[NET], initialisation="he", seed=seed)
    batches = [(width, start) for width, own in cells.items() for start in range(0, len(own.labels), BATCH)]
    steps = len(batches) * passes
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1)
    for passed in range(1, passes + 1):
        orders = {width: rng.permutation(len(own.labels)) for width, own in cells.items()}
        losses = []
        for place in rng.permutation(len(batches)).tolist():
            width, start = batches[place]
            rows = orders[width][start : start + BATCH]
            x = torch.from_numpy(_vary(cells[width].strips[rows], rng))
            scores = net(x)[:, :, 0].mean(2)
            loss = F.cross_entropy(scores, torch.from_numpy(cells[width].labels[rows]))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(float(loss.detach()))
        print(f"pass {passed} of {passes}: loss {np.mean(losses):.4f}", file=sys.stderr, flush=True)
    return net


def _vary(strips: Uint8, rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return strips (n, 32, w) as varied network input (n, 1, 32, w): gain, shift and noise."""
    inputs = to_line_input(strips)
    each = (len(strips), 1, 1, 1)
    varied = inputs * (1 + rng.normal(0, _GAIN, each)) + rng.normal(0, _SHIFT, each)
    return (varied + rng.normal(0, _NOISE, inputs.shape)).astype(np.float32)


def score_all(network: LineNetwork, cells: dict[int, CellBatch]) -> tuple[Float64, Int64]:
    """Return the scores (n, labels) of all cells, and their labels (n,)."""
    scores = np.concatenate([network.mean_scores(own.strips) for own in cells.values()])
    return scores.astype(np.float64), np.concatenate([own.labels for own in cells.values()])


def count_confusions(scores: Float64, labels: Int64) -> str:
    """Return a table of what each kind of cell was taken for."""
    said = scores.argmax(axis=1)
    lines = [" " * 12 + "".join(f"{name:>12}" for name in CELL_LABELS)]
    for row, name in enumerate(CELL_LABELS):
        counts = [int(((labels == row) & (said == column)).sum()) for column in range(len(CELL_LABELS))]
        lines.append(f"{name:12}" + "".join(f"{count:12d}" for count in counts))
    return "\n".join(lines)


def main() -> None:
    """Train and write the weights, with their card, from the command line."""
    parser = argparse.ArgumentParser(description="Train the network that says what a cell holds.")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).resolve().parents[1] / "assets/lines/lenet-cell.safetensors"
    )
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--passes", type=int, default=PASSES)
    options = parser.parse_args()
    try:
        commit, fonts = find_commit(), choose_fonts("train")
        held_out = gather_cells("dev", HELD_OUT_PAGES, _HELD_OUT_SEED)
        net = train_cells(gather_cells("train", options.pages, _TRAIN_SEED), options.passes)
        weights = Weights(LINE_NETS[NET], net.folded())
        scores, labels = score_all(LineNetwork(weights), held_out)
        errors = int((scores.argmax(axis=1) != labels).sum())
        card = {
            "recipe": {"pages": options.pages, "passes": options.passes, "rate": RATE, "batch": BATCH},
            "data": "unipen, mnist",
            "fonts": [Path(font).name for font in fonts.every],
            "seed": 0,
            "commit": commit,
            "held_out": {"errors": errors, "n": len(labels)},
            "calibration": {},
        }
        save_weights(
            options.out, Weights(weights.net, weights.tensors, fit_temperature(scores, labels.astype(np.uint8)), card)
        )
        print(count_confusions(scores, labels))
        print(f"{options.out}: {errors} of {len(labels)} cells of held-out hands wrong")
    except LenetError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
