"""Fine-tune on a few corrected digits without forgetting the old ones, and count before and after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lenet.data import dataset
from lenet.data.dataset import Dataset, Digits
from lenet.engine import Network
from lenet.evaluation import digits as measure
from lenet.network.spec import NOT_A_DIGIT
from lenet.network.weights import Weights, load_weights
from lenet.training.synthetic.augment import draw_scraps

# A pass shows so many of MNIST's digits, so many scraps, and the own digits as often as makes this share of the digits.
_OLD, _SCRAPS, _OWN_SHARE = 9_000, 1_500, 0.25
# Every third of the own digits is kept to count on.
_KEPT = 3
# The old skill is counted on so many held-out digits of MNIST.
_COUNTED = 2_000


def mix_corrections(folder: str | Path, start_from: Weights) -> Dataset:
    """Return a set to fine-tune on: a folder's digits, repeated, among MNIST's, and scraps if the network knows them.

    The folder's are `corrected`: the network learns their labels, and of all the others what it says of them already.
    What the folder marks for testing is counted on, or else every third digit. MNIST is loaded as ever.
    """
    old = dataset.load("mnist")
    own = dataset.load_marked(folder, one_in=_KEPT)
    rng = np.random.default_rng(0)
    shown = rng.choice(np.flatnonzero(~old.held_out), _OLD, replace=False)
    times = max(1, round(_OLD * _OWN_SHARE / (1 - _OWN_SHARE) / len(own.train)))
    parts = [(old.train.glyphs[shown], old.train.labels[shown])]
    parts.append((np.tile(own.train.glyphs, (times, 1, 1)), np.tile(own.train.labels, times)))
    if start_from.net.knows_none:
        parts.append((draw_scraps(_SCRAPS, rng), np.full(_SCRAPS, NOT_A_DIGIT, np.uint8)))
    held = rng.choice(np.flatnonzero(old.held_out), _COUNTED, replace=False)
    parts.append((old.train.glyphs[held], old.train.labels[held]))
    train = Digits(np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts]))
    row = np.arange(len(train))
    return replace(
        own,
        train=train,
        held_out=row >= len(train) - _COUNTED,
        checksum=f"{own.checksum}, mixed with {old.checksum}",
        corrected=(row >= _OLD) & (row < _OLD + times * len(own.train)),
    )


def count_before_and_after(start_from: Weights, run: Path, data: Dataset, result: dict[str, Any]) -> dict[str, Any]:
    """Return the result with `before` and `after`: errors of old and new weights on own digits and on MNIST's."""
    old = data.train.where(data.held_out)
    tuned = load_weights(run / result["replicas"][0]["weights"])
    told = {}
    for name, weights in (("before", start_from), ("after", tuned)):
        network = Network(weights)
        told[name] = {
            kind: _count_errors(network, digits, kind) for kind, digits in (("own", data.test), ("mnist", old))
        }
    return {**result, **told}


def _count_errors(network: Network, digits: Digits, kind: str) -> dict[str, Any]:
    found = measure.evaluate(network, digits, kind)
    return {"errors": found.errors, "n": found.n, "interval95": list(found.interval95)}
