"""The networks as a classifier of scikit-learn."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest

import lenet

from conftest import blobs

sklearn = pytest.importorskip("sklearn")
from sklearn.base import clone  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import FunctionTransformer  # noqa: E402

from lenet.sklearn import LeNetClassifier  # noqa: E402


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    """A few hundred blobs: where one is says which digit it is."""
    digits = blobs(400, np.random.default_rng(0))
    return digits.glyphs.reshape(-1, 784), digits.labels


@pytest.fixture(scope="module")
def fitted(data: tuple[np.ndarray, np.ndarray]) -> LeNetClassifier:
    """Two passes over them."""
    return LeNetClassifier(passes=2).fit(*data)


def test_it_learns(fitted: LeNetClassifier, data: tuple[np.ndarray, np.ndarray]) -> None:
    """Glyphs that it has not seen."""
    others = blobs(200, np.random.default_rng(1))
    assert fitted.score(others.glyphs.reshape(-1, 784), others.labels) > 0.95
    assert fitted.n_features_in_ == 784
    assert fitted.classes_.tolist() == list(range(10))


def test_probabilities_are_a_row_each(fitted: LeNetClassifier, data: tuple[np.ndarray, np.ndarray]) -> None:
    """(n, classes), adding up to one; the answer is the likeliest."""
    chances = fitted.predict_proba(data[0][:7])
    assert chances.shape == (7, 10)
    assert np.allclose(chances.sum(axis=1), 1)
    assert (fitted.classes_[chances.argmax(axis=1)] == fitted.predict(data[0][:7])).all()


def test_any_labels_are_classes(data: tuple[np.ndarray, np.ndarray]) -> None:
    """Words too, and fewer than ten of them: probabilities are of these alone."""
    few = data[1] < 3
    words = np.array(["none", "one", "two"])[data[1][few]]
    told = LeNetClassifier(passes=2).fit(data[0][few], words)
    assert told.classes_.tolist() == ["none", "one", "two"]
    assert told.predict_proba(data[0][:4]).shape == (4, 3)
    assert told.score(data[0][few], words) > 0.9


def test_greys_may_go_to_one(fitted: LeNetClassifier, data: tuple[np.ndarray, np.ndarray]) -> None:
    """The same network as of greys to 255."""
    scaled = LeNetClassifier(passes=2).fit(data[0] / 255, data[1])
    assert np.allclose(scaled.predict_proba(data[0][:9] / 255), fitted.predict_proba(data[0][:9]))


def test_it_is_cloned_set_and_pickled(fitted: LeNetClassifier, data: tuple[np.ndarray, np.ndarray]) -> None:
    """As scikit-learn does with every classifier."""
    assert clone(fitted).get_params() == {"recipe": "quick", "passes": 2, "random_state": 0}
    assert LeNetClassifier().set_params(passes=7).passes == 7
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict_proba(data[0][:5]) == fitted.predict_proba(data[0][:5])).all()


def test_it_stands_in_pipelines_and_searches(data: tuple[np.ndarray, np.ndarray]) -> None:
    """A grid over its passes behind a step that turns white on black around."""
    glyphs, labels = 255 - data[0][:200], data[1][:200]
    pipeline = make_pipeline(FunctionTransformer(lambda x: 255 - x), LeNetClassifier())
    search = GridSearchCV(pipeline, {"lenetclassifier__passes": [1, 3]}, cv=2).fit(glyphs, labels)
    assert search.best_score_ > 0.5
    assert len(cross_val_score(LeNetClassifier(passes=1), data[0][:200], labels, cv=2)) == 2


def test_the_same_seed_gives_the_same_network(fitted: LeNetClassifier, data: tuple[np.ndarray, np.ndarray]) -> None:
    """And another one another."""
    same, other = (LeNetClassifier(passes=2, random_state=seed).fit(*data) for seed in (0, 1))
    expected = fitted.predict_proba(data[0][:5])
    assert (same.predict_proba(data[0][:5]) == expected).all()
    assert (other.predict_proba(data[0][:5]) != expected).any()


def test_what_is_wrong_says_so(fitted: LeNetClassifier, data: tuple[np.ndarray, np.ndarray]) -> None:
    """Other features, negative greys, more classes than outputs, recipes that learn more than digits."""
    with pytest.raises(ValueError, match="X has 64 features, but LeNetClassifier is expecting 784"):
        LeNetClassifier().fit(np.ones((20, 64)), np.arange(20) % 2)
    with pytest.raises(ValueError, match="X has 64 features, but LeNetClassifier is expecting 784 features"):
        fitted.predict(np.ones((2, 64)))
    with pytest.raises(ValueError, match="X has -1: greys are 0 for paper"):
        fitted.predict(np.full((2, 784), -1.0))
    with pytest.raises(ValueError, match="y has 12 classes: lenet5-modern tells 10 apart"):
        LeNetClassifier().fit(data[0][:24], np.arange(24) % 12)
    with pytest.raises(lenet.UsageError, match="recipe reader: learns more than digits"):
        LeNetClassifier(recipe="reader").fit(*data)
    with pytest.raises(sklearn.exceptions.NotFittedError):
        LeNetClassifier().predict(data[0])


def test_without_scikit_learn_one_line_says_what_is_missing() -> None:
    """And how to install it."""
    program = "import sys; sys.modules['sklearn.base'] = None\nimport lenet.sklearn"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    line = done.stderr.strip().splitlines()[-1]
    assert line.endswith("needs scikit-learn, which is not installed; pip install 'lenet[sklearn]'")
