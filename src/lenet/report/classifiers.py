"""The classifiers that Fig. 9 sets beside the networks: linear, nearest neighbours, quadratic, SVM, perceptrons.

Each takes the training set as rows of pixels in [0, 1] and scores the test set, higher for a better match. Linear
ones are fitted by least squares to targets of -1 and +1; the rest is scikit-learn's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from lenet.arrays import Float32, Uint8
from lenet.data.dataset import Dataset, Digits
from lenet.errors import MissingExtra, TrainingError
from lenet.files import replace_text
from lenet.report.measured import count_rejected
from lenet.training.run import load_stored

CLASSES = 10
_DECAY = 1e-6
_BOX = slice(4, 24)  # of MNIST's 28x28: the 20x20 box
Scorer = Callable[[Float32, Uint8, Float32], tuple[Float32, int, int]]


def linear(x: Float32, y: Uint8, tested: Float32) -> tuple[Float32, int, int]:
    """Fit ten linear units."""
    weights = _least_squares(x, _targets(y))
    return _biased(tested) @ weights, weights.size - CLASSES, weights.size


def pairwise(x: Float32, y: Uint8, tested: Float32) -> tuple[Float32, int, int]:
    """Fit 45 linear units, each to tell two classes apart; a class gets what its nine units say for it."""
    scores = np.zeros((len(tested), CLASSES), np.float32)
    pairs = list(combinations(range(CLASSES), 2))
    for one, other in pairs:
        chosen = (y == one) | (y == other)
        target = np.where(y[chosen] == one, 1, -1).astype(np.float32)[:, None]
        said = np.clip((_biased(tested) @ _least_squares(x[chosen], target))[:, 0], -1, 1)
        scores[:, one] += said
        scores[:, other] -= said
    return scores, len(pairs) * x.shape[1], len(pairs) * (x.shape[1] + 1)


def nearest(x: Float32, y: Uint8, tested: Float32) -> tuple[Float32, int, int]:
    """Let the three nearest training digits vote; the nearest decides between equals."""
    from sklearn.neighbors import KNeighborsClassifier

    found = KNeighborsClassifier(3, algorithm="brute").fit(x, y)
    distances, rows = found.kneighbors(tested)
    scores = np.zeros((len(tested), CLASSES), np.float32)
    for k in range(3):
        np.add.at(scores, (np.arange(len(tested)), y[rows[:, k]]), 1 + 1e-3 / (1 + distances[:, k]))
    return scores, x.size, x.size


def quadratic(x: Float32, y: Uint8, tested: Float32) -> tuple[Float32, int, int]:
    """Take the 820 products of the first 40 principal components, two by two: 821 inputs of ten linear units."""
    from sklearn.decomposition import PCA

    components = PCA(40, random_state=0).fit(x)
    seen, asked = (_products(components.transform(each).astype(np.float32)) for each in (x, tested))
    weights = _least_squares(seen, _targets(y))
    macs = 40 * x.shape[1] + seen.shape[1] * (1 + CLASSES)
    return _biased(asked) @ weights, macs, 40 * x.shape[1] + weights.size


def support_vectors(x: Float32, y: Uint8, tested: Float32) -> tuple[Float32, int, int]:
    """Fit a support vector machine with a polynomial kernel of degree 4 to digits made one unit long.

    Without that a digit of much ink outweighs all others: on 8,000 digits the errors are two and a half times as many.
    """
    from sklearn.svm import SVC

    machine = SVC(kernel="poly", degree=4, gamma=1.0, coef0=0.0, C=10.0, cache_size=1000)
    machine.fit(_unit(x), y)
    size = int(machine.support_vectors_.size)
    return machine.decision_function(_unit(tested)).astype(np.float32), size, size


def _unit(x: Float32) -> Float32:
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.float32(1e-6))


def perceptron(*hidden: int) -> Scorer:
    """Return a scorer by fully connected layers of these sizes, trained as scikit-learn does it today."""

    def score_classifier(x: Float32, y: Uint8, tested: Float32) -> tuple[Float32, int, int]:
        from sklearn.neural_network import MLPClassifier

        net = MLPClassifier(hidden, random_state=0, early_stopping=False, max_iter=12, tol=0.0, n_iter_no_change=100)
        _fit_quietly(net, x, y)
        weights = sum(prod(each.shape) for each in net.coefs_)
        return net.predict_proba(tested).astype(np.float32), weights, weights + sum(map(len, net.intercepts_))

    return score_classifier


@dataclass(frozen=True)
class Classifier:
    """One of Fig. 9: how it scores, and whether it sees deslanted 20x20 digits. `slow` ones take minutes."""

    scored: Scorer
    deslanted: bool = False
    slow: bool = False


CLASSIFIERS = {
    "linear": Classifier(linear),
    "pairwise": Classifier(pairwise),
    "knn": Classifier(nearest),
    "knn-deslanted": Classifier(nearest, deslanted=True),
    "pca-quadratic": Classifier(quadratic),
    "mlp-300": Classifier(perceptron(300)),
    "mlp-300-100": Classifier(perceptron(300, 100)),
    "svm": Classifier(support_vectors, slow=True),
}


def measure_classifier(name: str, data: Dataset, folder: Path, patterns: int) -> dict[str, Any]:
    """Fit one classifier on the first `patterns` digits and count its test errors, or take what is in the folder.

    Raises MissingExtra without scikit-learn.
    """
    file = folder / f"{name}.json"
    if file.exists():
        found = load_stored(file)
        if (found.get("trained_on"), found.get("data")) != (patterns, data.checksum):
            raise TrainingError(file, f"fitted on {found.get('trained_on')} digits, not {patterns}", "remove this file")
        return found
    classifier = CLASSIFIERS[name]
    started = time.perf_counter()
    x, asked = (_pixels(part, classifier.deslanted) for part in (data.train, data.test))
    try:
        scores, macs, variables = classifier.scored(x[:patterns], data.train.labels[:patterns], asked)
    except ImportError as error:
        raise MissingExtra(name, "scikit-learn", "reproduce") from error
    found = {
        "errors": int((scores.argmax(axis=1) != data.test.labels).sum()),
        "n": len(data.test),
        "trained_on": patterns,
        "data": data.checksum,
        "rejected": round(count_rejected(scores, data.test.labels), 2),
        "macs": macs,
        "variables": variables,
        "seconds": round(time.perf_counter() - started, 1),
    }
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(file, json.dumps(found, indent=2) + "\n")
    return found


def deslant(glyphs: Uint8) -> Float32:
    """Shear each digit upright by its second moments: (n, 28, 28) uint8 -> (n, 20, 20) in [0, 1] (section III.A)."""
    ink = glyphs.astype(np.float32) / 255
    y, x = np.mgrid[:28, :28].astype(np.float32)
    mass = np.maximum(ink.sum(axis=(1, 2)), 1e-6)
    middle_x, middle_y = ((ink * axis).sum(axis=(1, 2)) / mass for axis in (x, y))
    from_x, from_y = x - middle_x[:, None, None], y - middle_y[:, None, None]
    spread = np.maximum((ink * from_y**2).sum(axis=(1, 2)), 1e-6)
    slant = (ink * from_x * from_y).sum(axis=(1, 2)) / spread
    place = np.clip(x + slant[:, None, None] * from_y, 0, 27)
    left = np.floor(place).astype(int)
    right, share = np.minimum(left + 1, 27), place - left
    rows, lines = np.arange(len(ink))[:, None, None], np.arange(28)[None, :, None]
    upright = ink[rows, lines, left] * (1 - share) + ink[rows, lines, right] * share
    boxed: Float32 = upright[:, _BOX, _BOX].astype(np.float32)
    return boxed


def _pixels(digits: Digits, upright: bool) -> Float32:
    """Return rows of pixels in [0, 1]: (n, 784), or (n, 400) of upright digits."""
    see = deslant if upright else _plain
    parts = [see(digits.glyphs[first : first + 2000]) for first in range(0, len(digits), 2000)]
    return np.concatenate(parts).reshape(len(digits), -1)


def _plain(glyphs: Uint8) -> Float32:
    return glyphs.astype(np.float32) / np.float32(255)


def _targets(y: Uint8) -> Float32:
    return 2 * np.eye(CLASSES, dtype=np.float32)[y] - 1


def _biased(x: Float32) -> Float32:
    return np.concatenate([x, np.ones((len(x), 1), np.float32)], axis=1)


def _least_squares(x: Float32, targets: Float32) -> Float32:
    """Solve the normal equations with a whisper of weight decay: pixels that are always blank have no weight."""
    with_bias = _biased(x).astype(np.float64)
    square = with_bias.T @ with_bias + _DECAY * len(x) * np.eye(with_bias.shape[1])
    return np.linalg.solve(square, with_bias.T @ targets).astype(np.float32)


def _products(x: Float32) -> Float32:
    one, other = np.triu_indices(x.shape[1])
    return x[:, one] * x[:, other]


def _fit_quietly(net: Any, x: Float32, y: Uint8) -> None:
    """Fit; scikit-learn warns of every fit that ends by its number of passes."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net.fit(x, y)
