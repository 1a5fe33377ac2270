"""A recipe: everything about a run but the seed, and what of it may be changed. `recipes` has the named ones."""

from __future__ import annotations

from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from lenet.engine.gradients import LossKind
from lenet.errors import UsageError
from lenet.network.initialisation import SCHEMES
from lenet.network.spec import NETS, Activation, Codes, Net
from lenet.training.distortions import Figure7, Ranges

Schedule = Literal["constant", "steps", "cosine", "1998"]
# When the paper's own rates are estimated, and on which patterns; how the order of patterns is drawn.
Estimates = Literal["once", "every pass"]
CurvatureRows = Literal["first", "random"]
Order = Literal["constant", "new"]


@dataclass(frozen=True)
class Recipe:
    """How to train one network.

    `rate` is the highest learning rate; "steps" multiplies it by 0.1 every 10 passes, "cosine" warms up over
    the first pass and falls along a half cosine to the share `floor` of it, "1998" falls as in section III.B, stretched
    over the passes.
    `averaging` is the decay per step of the running average of the weights that is kept at the end (0: none).
    `loss`, `junk` and `unit` are those of `lenet.engine.gradients.Loss`.
    With `curvature_patterns` above 0 every parameter has its own rate, the paper's stochastic diagonal
    Levenberg-Marquardt: the rate over `mu` + h, h estimated on that many patterns, the `first` ones or `random` ones,
    `once` before the first pass or before `every pass`; `memory` is the share of the old h that the new one keeps.
    It needs batches of one pattern, and none of momentum, decay, averaging and dropout.
    `school` adds pictures of digits, of numbers and of what is no digit (`lenet.training.synthetic.augment`): 1 is
    twice as many again; `windows` cuts digits and the places beside them out of numbers, for the sweep; `mix` puts a
    folder's digits
    among MNIST's, to fine-tune: of those the weights it starts from are the teacher.
    With `numbers` above 0 so many numbers are learned as a whole beside each batch, their loss through the graph of
    segmentations (`lenet.training.sequence_loss`) taken `pull` times; it starts from weights that read numbers.
    A `teacher`, weights that are shipped or a file, says how likely each label is, in place of the labels.
    `order` is one for all passes or a new one for each. `train_on` takes the first so many patterns (0: all).
    With a `pool` of k copies the distortions are drawn once for k - 1 distorted copies of each pattern, which go
    with the original; k passes see each copy once (section III.B: a pool of 10).
    `hold_out` keeps a twelfth of the writers out of training, to choose and calibrate on; `watch` counts test errors
    after every pass, for Fig. 5: nothing may be chosen by them.
    """

    name: str
    net: str
    provenance: str
    activation: Activation | None = None
    loss: LossKind = "cross-entropy"
    label_smoothing: float = 0.0
    teacher: str = ""
    junk: float = 0.0
    unit: float = 1.0
    passes: int = 20
    batch: int = 64
    rate: float = 0.01
    schedule: Schedule = "steps"
    floor: float = 0.0
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 1e-4
    averaging: float = 0.0
    batch_norm: bool = False
    dropout: float = 0.0
    initialisation: str = "torch"
    order: Order = "new"
    train_on: int = 0
    school: float = 0.0
    windows: bool = False
    mix: bool = False
    numbers: int = 0
    pull: float = 1.0
    distortions: Ranges | Figure7 | None = None
    pool: int = 0
    hold_out: bool = True
    watch: bool = False
    curvature_patterns: int = 0
    curvature_rows: CurvatureRows = "random"
    estimates: Estimates = "every pass"
    memory: float = 0.0
    mu: float = 0.02

    @property
    def online(self) -> bool:
        """Whether it learns from one pattern at a time, by nothing but its gradient."""
        plain = not (self.momentum or self.weight_decay or self.averaging or self.dropout)
        return self.batch == 1 and plain

    @property
    def teachable(self) -> bool:
        """Whether it can learn what a teacher says in place of labels: by cross-entropy, in mini-batches."""
        return self.loss == "cross-entropy" and not self.label_smoothing and not self.online

    def network(self) -> Net:
        """Return the layer records to train, with the recipe's activation."""
        net = NETS[self.net]
        return net.with_activation(self.activation) if self.activation else net

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data for JSON."""
        return asdict(self)


# The settings that have one, for every recipe that does not say otherwise.
DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Recipe) if field.default is not MISSING}

_BOUNDS: dict[str, tuple[float, float]] = {
    "label_smoothing": (0, 0.5),
    "junk": (0, 1000),
    "unit": (0.01, 100),
    "train_on": (0, 1_000_000),
    "school": (0, 10),
    "pool": (0, 1000),
    "memory": (0, 0.999),
    "curvature_patterns": (0, 60_000),
    "mu": (1e-6, 10),
    "passes": (1, 10_000),
    "batch": (1, 60_000),
    "rate": (1e-8, 100),
    "numbers": (0, 1000),
    "pull": (0, 1000),
    "floor": (0, 1),
    "momentum": (0, 0.9999),
    "weight_decay": (0, 1),
    "averaging": (0, 0.999999),
    "dropout": (0, 0.95),
}
_CHOICES: dict[str, tuple[Any, ...]] = {
    "net": tuple(NETS),
    "activation": (None, *get_args(Activation)[:3]),
    "loss": get_args(LossKind),
    "schedule": get_args(Schedule),
    "initialisation": tuple(SCHEMES),
    "order": get_args(Order),
    "curvature_rows": get_args(CurvatureRows),
    "estimates": get_args(Estimates),
}


def check_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe if every value is allowed, else raise UsageError naming the first that is not."""
    for name, choices in _CHOICES.items():
        if getattr(recipe, name) not in choices:
            expected = ", ".join(str(choice) for choice in choices)
            raise UsageError(f"{name} {getattr(recipe, name)!r}", f"expected one of: {expected}")
    for name, (low, high) in _BOUNDS.items():
        value = getattr(recipe, name)
        if not isinstance(value, int | float) or not low <= value <= high:
            raise UsageError(f"{name} {value!r}", f"expected {low:g} to {high:g}")
    codes = isinstance(NETS[recipe.net].layers[-1], Codes)
    if recipe.loss == "mean squared error" and codes:
        raise UsageError(f"loss {recipe.loss!r}", f"the scores of {recipe.net} are distances", "use cross-entropy")
    if recipe.loss in ("distance", "discriminative") and not codes:
        raise UsageError(f"loss {recipe.loss!r}", f"the scores of {recipe.net} are no distances", "use cross-entropy")
    if recipe.curvature_patterns and (not recipe.online or recipe.batch_norm):
        raise UsageError(
            f"curvature_patterns {recipe.curvature_patterns}",
            "rates of their own need batch 1 without momentum, weight_decay, averaging, dropout and batch_norm",
        )
    if recipe.teacher and not recipe.teachable:
        raise UsageError(
            f"teacher {recipe.teacher}",
            "its probabilities are learned by cross-entropy, in mini-batches",
            "change the recipe",
        )
    if recipe.numbers and not recipe.teachable:
        raise UsageError(
            f"numbers {recipe.numbers}", "are learned beside cross-entropy, in mini-batches", "change the recipe"
        )
    if recipe.pool and not recipe.distortions:
        raise UsageError(f"pool {recipe.pool}", "a pool needs distortions to fill it")
    if recipe.nesterov and not recipe.momentum:
        raise UsageError("momentum 0", "Nesterov's step needs momentum", "set nesterov=false too")
    return recipe


def change_recipe(recipe: Recipe, settings: dict[str, str]) -> Recipe:
    """Return the recipe with settings given as text, such as ``{"activation": "sigmoid"}``.

    Raises UsageError for a name that cannot be set, or a value that is not allowed.
    """
    kinds = {
        field.name: type(getattr(recipe, field.name))
        for field in fields(recipe)
        if field.name not in ("name", "provenance", "distortions")
    }
    values: dict[str, Any] = {}
    for name, text in settings.items():
        if name not in kinds:
            raise UsageError(f"setting {name!r}", f"expected one of: {', '.join(kinds)}")
        try:
            values[name] = _parse(text, kinds[name])
        except ValueError as error:
            raise UsageError(f"{name} {text!r}", f"expected a value of type {kinds[name].__name__}") from error
    return check_recipe(replace(recipe, **values))


def _parse(text: str, kind: type) -> Any:
    if kind is bool:
        words = {"true": True, "yes": True, "false": False, "no": False}
        if text.lower() not in words:
            raise ValueError(text)
        return words[text.lower()]
    return text if kind in (str, type(None)) else kind(text)
