"""The networks as a classifier of scikit-learn: `LeNetClassifier`. Needs the extra "sklearn".

>>> from lenet.sklearn import LeNetClassifier
>>> classifier = LeNetClassifier(passes=3).fit(glyphs.reshape(-1, 784), labels)
>>> classifier.predict_proba(others.reshape(-1, 784))
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from lenet.arrays import Bools, Float64, Uint8
from lenet.data.dataset import Dataset, Digits
from lenet.engine import Network
from lenet.errors import MissingExtra, UsageError
from lenet.network.probabilities import probabilities
from lenet.network.spec import GLYPH_SIZE
from lenet.network.weights import load_weights
from lenet.training.backends import choose_backend
from lenet.training.loop import train_replicas
from lenet.training.recipe import Recipe
from lenet.training.run import RunFolder
from lenet.training.start import find_recipe

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as error:
    raise MissingExtra("lenet.sklearn", "scikit-learn", "sklearn") from error

_FEATURES = GLYPH_SIZE**2
# Of each class one glyph of so many is kept apart to calibrate the probabilities.
_ONE_IN = 10


class LeNetClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A LeNet-5 that learns glyphs: X (n, 784), the rows of 28x28 greys, 0 for paper and the largest for ink.

    Greys go to 255, or to 1: what `fit` sees decides. `recipe` is one of `lenet train` that learns digits alone, and
    says which network learns ("quick", "modern", "lenet5", "paper"); `passes` are its passes over the data (None: the
    recipe's). Of each class one in ten glyphs is kept apart, to calibrate the probabilities. There may be ten classes,
    of any labels. The same data and `random_state` give the same network.
    """

    def __init__(self, recipe: str = "quick", passes: int | None = None, random_state: int = 0) -> None:
        self.recipe = recipe
        self.passes = passes
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> LeNetClassifier:  # noqa: N803 - scikit-learn's own name
        """Train on glyphs X (n, 784) with labels y (n,). Raises ValueError for other shapes, classes and values."""
        given, labels = validate_data(self, X, y)
        check_classification_targets(labels)
        _check_greys(given)
        self.classes_, places = np.unique(labels, return_inverse=True)
        recipe = self._find_recipe()
        if len(self.classes_) > (most := recipe.network().outputs):
            raise ValueError(f"y has {len(self.classes_)} classes: {recipe.net} tells {most} apart")
        self.full_ = 255.0 if float(np.max(given)) > 1 else 1.0
        digits = Digits(self._make_glyphs(given), places.astype(np.uint8))
        apart = _keep_apart(places)
        with TemporaryDirectory() as folder:
            data = Dataset("scikit-learn", digits, digits.where(apart), apart, "")
            backend = choose_backend("engine", None)
            backend.require(recipe)
            run = Path(folder) / "run"
            train_replicas(recipe, data, RunFolder(run), backend, [int(self.random_state)])
            self.network_ = Network(load_weights(run / "weights.safetensors"))
        return self

    def predict_proba(self, X: npt.ArrayLike) -> Float64:  # noqa: N803
        """Return the probability of each class (n, classes) for glyphs X (n, 784)."""
        check_is_fitted(self)
        given = validate_data(self, X, reset=False)
        _check_greys(given)
        scores = self.network_.scores(self._make_glyphs(given))[:, : len(self.classes_)]
        return probabilities(scores, self.network_.weights.temperature)

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:  # noqa: N803
        """Return the likeliest class of each glyph X (n, 784)."""
        chances = self.predict_proba(X)
        return np.asarray(self.classes_[chances.argmax(axis=1)])

    def _find_recipe(self) -> Recipe:
        recipe = find_recipe(self.recipe, self.passes, None)
        if recipe.synthetic or recipe.windows or recipe.numbers or recipe.mix or recipe.teacher:
            raise UsageError(
                f"recipe {self.recipe}", "learns more than digits", "choose quick, modern, lenet5 or paper"
            )
        return replace(recipe, hold_out=True)

    def _make_glyphs(self, given: npt.NDArray[Any]) -> Uint8:
        """Return glyphs (n, 28, 28) of features (n, 784)."""
        greys = np.clip(np.rint(given * (255 / self.full_)), 0, 255)
        return greys.astype(np.uint8).reshape(-1, GLYPH_SIZE, GLYPH_SIZE)


def _keep_apart(places: npt.NDArray[Any]) -> Bools:
    """Return which glyphs (n,) are kept apart: the tenth of each class, the twentieth, ..."""
    apart = np.zeros(len(places), bool)
    for place in np.unique(places):
        apart[np.flatnonzero(places == place)[_ONE_IN - 1 :: _ONE_IN]] = True
    return apart


def _check_greys(given: npt.NDArray[Any]) -> None:
    if given.shape[1] != _FEATURES:
        expected = f"{_FEATURES}: the rows of {GLYPH_SIZE}x{GLYPH_SIZE} greys"
        raise ValueError(f"X has {given.shape[1]} features, but LeNetClassifier is expecting {expected}")
    if given.min() < 0:
        raise ValueError(f"X has {given.min():g}: greys are 0 for paper, and up to 1 or 255 for ink")
