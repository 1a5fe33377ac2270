"""A recipe: everything about a run but the seed, and what of it may be changed. `recipes` has the named ones."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from lenet.engine.gradients import LossKind
from lenet.errors import UsageError, warn_renamed
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
    """How to train one network; `check_recipe` says which values are allowed and go together."""

    # what it is called: with `lenet train --recipe`, in a run folder and in a model card
    name: str
    # the network, by its name in `lenet.network.spec.NETS`
    net: str
    # where the values come from, for people
    provenance: str

    # the activation of the layers, in place of the network's own (None: the network's own)
    activation: Activation | None = None
    # what is made small: the kinds of `lenet.engine.gradients.Loss`
    loss: LossKind = "cross-entropy"
    # share of each target that is spread evenly over all labels; for cross-entropy alone
    label_smoothing: float = 0.0
    # weights, shipped or a file, or the folder of a run with all its replicas, that say how likely each label is, in
    # place of the labels ("": the labels)
    teacher: str = ""
    # what is learned of a teacher is the root of this degree of its probabilities, in parts of one: the temperature of
    # Hinton, Vinyals and Dean, 2015 (1: they themselves)
    softness: float = 1.0
    # j of equation 9, the penalty of the "rubbish" class; for the loss "discriminative" alone
    junk: float = 0.0
    # what the scores are multiplied by before the loss; 1/2 makes squared distances half squares
    unit: float = 1.0

    # how often the training set is gone through
    passes: int = 20
    # patterns in a step
    batch: int = 64
    # the learning rate, at its highest
    rate: float = 0.01
    # how the rate goes: "constant"; "steps", a tenth of it every 10 passes; "1998", as in section III.B, stretched over
    # the passes; "cosine", up during the first pass and then down along half a cosine
    schedule: Schedule = "steps"
    # share of the rate that a cosine goes down to
    floor: float = 0.0
    # share of a step that the next step goes on with
    momentum: float = 0.9
    # whether a step looks ahead along its momentum, as Nesterov's does
    nesterov: bool = False
    # share of each weight, not of biases and coefficients, that is added to its gradient
    weight_decay: float = 1e-4
    # decay per step of a running average of the weights, which is kept at the end (0: the last weights are)
    averaging: float = 0.0
    # whether batch normalisation follows C1 and C3; with the backend "torch" alone
    batch_norm: bool = False
    # share of the outputs of C5 and F6 that is dropped at each presentation
    dropout: float = 0.0
    # how the first weights are drawn, by a name in `lenet.network.initialisation.SCHEMES`
    initialisation: str = "torch"
    # the order of patterns: "constant" for one that all passes have, "new" for one for each pass
    order: Order = "new"

    # how many patterns are learned from, the first ones of the set (0: all)
    train_on: int = 0
    # how much synthetic training data is added (`lenet.training.synthetic.augment`); 1 is 1,460 pictures, of digits,
    # numbers and what is no digit, for every thousand digits (0: none)
    synthetic: float = 0.0
    # how many thousand digits of UNIPEN's hands are put among MNIST's before that (0: none)
    hands: int = 0
    # how many letters of these hands there are for each of the digits, as what is no digit
    letters: float = 0.5
    # how many thousand characters of UNIPEN's hands are learned in place of digits, by a network that says any of them
    # (0: none)
    characters: int = 0
    # whether digits and the places beside them are cut out of numbers, for a network that slides along a line
    windows: bool = False
    # whether a folder's digits are put among MNIST's, to fine-tune; of MNIST's, the weights it starts from are the
    # teacher
    mix: bool = False
    # numbers that are learned as a whole beside each batch, by `lenet.training.sequence_loss` (0: none); it starts from
    # weights that read numbers
    numbers: int = 0
    # how many times the loss of those numbers is taken
    pull: float = 1.0
    # how far patterns are distorted, anew at each presentation unless there is a pool (None: not at all)
    distortions: Ranges | Figure7 | None = None
    # copies of each pattern in a pool that is drawn once, the pattern itself and distorted ones (0: no pool); so many
    # passes see each copy once. Section III.B has 10
    pool: int = 0
    # after how many passes the distortions of the first come again, so that a teacher is asked once (0: never)
    cycle: int = 0
    # whether a twelfth of the writers is kept out of training, to choose and calibrate on
    hold_out: bool = True
    # whether test errors are counted after every pass, for Fig. 5; nothing may be chosen by them
    watch: bool = False

    # patterns on which the curvature h of the loss is estimated, for each parameter (0: not). The paper's stochastic
    # diagonal Levenberg-Marquardt: each parameter's rate is the rate over mu + h. It needs batches of one pattern, and
    # none of momentum, weight decay, averaging and dropout
    curvature_patterns: int = 0
    # which patterns those are: the "first" of the set, or "random" ones
    curvature_rows: CurvatureRows = "random"
    # whether they are distorted for that, as those that are learned from
    curvature_distorted: bool = False
    # when h is estimated: "once", before the first pass, or before "every pass"
    estimates: Estimates = "every pass"
    # share of the old h that a new one keeps
    memory: float = 0.0
    # what is added to h, so that no parameter's rate is above the rate over mu
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

# What settings of lenet 0.1 are called now.
_NAMES_NOW = {"school": "synthetic"}

_BOUNDS: dict[str, tuple[float, float]] = {
    "label_smoothing": (0, 0.5),
    "junk": (0, 1000),
    "unit": (0.01, 100),
    "train_on": (0, 1_000_000),
    "synthetic": (0, 10),
    "hands": (0, 1000),
    "letters": (0, 20),
    "characters": (0, 1000),
    "pool": (0, 1000),
    "cycle": (0, 1000),
    "softness": (1, 20),
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
    for wrong, what, *said in _list_conflicts(recipe):
        if wrong:
            raise UsageError(what, *said)
    return recipe


def _list_conflicts(recipe: Recipe) -> list[tuple[bool, str, str, str]]:
    """Return what does not go together: whether it is so, the setting, why not, and what to do."""
    net, loss = NETS[recipe.net], f"loss {recipe.loss!r}"
    codes = isinstance(net.layers[-1], Codes)
    says = f"{net.name} says {'any character' if net.says_characters else 'digits'}"
    own_rates = "rates of their own need batch 1 without momentum, weight_decay, averaging, dropout and batch_norm"
    return [
        (
            (recipe.characters > 0) != net.says_characters,
            f"characters {recipe.characters}",
            says,
            "choose another network",
        ),
        (
            recipe.loss == "mean squared error" and codes,
            loss,
            f"the scores of {net.name} are distances",
            "use cross-entropy",
        ),
        (
            recipe.loss in ("distance", "discriminative") and not codes,
            loss,
            f"the scores of {net.name} are no distances",
            "use cross-entropy",
        ),
        (
            recipe.curvature_patterns > 0 and (not recipe.online or recipe.batch_norm),
            f"curvature_patterns {recipe.curvature_patterns}",
            own_rates,
            "",
        ),
        (
            recipe.curvature_distorted and not (recipe.distortions and recipe.curvature_patterns),
            "curvature_distorted true",
            "needs distortions and curvature_patterns",
            "",
        ),
        (
            bool(recipe.teacher) and not recipe.teachable,
            f"teacher {recipe.teacher}",
            "its probabilities are learned by cross-entropy, in mini-batches",
            "change the recipe",
        ),
        (
            recipe.numbers > 0 and not recipe.teachable,
            f"numbers {recipe.numbers}",
            "are learned beside cross-entropy, in mini-batches",
            "change the recipe",
        ),
        (
            recipe.pool > 0 and not recipe.distortions,
            f"pool {recipe.pool}",
            "a pool needs distortions to fill it",
            "",
        ),
        (
            recipe.cycle > 0 and (not recipe.distortions or recipe.pool > 0),
            f"cycle {recipe.cycle}",
            "needs distortions that come again, and no pool of them",
            "",
        ),
        (
            recipe.softness != 1 and not recipe.teacher,
            f"softness {recipe.softness:g}",
            "is of what a teacher says",
            "set teacher too",
        ),
        (
            recipe.nesterov and not recipe.momentum,
            "momentum 0",
            "Nesterov's step needs momentum",
            "set nesterov=false too",
        ),
    ]


def restore_settings(stored: dict[str, Any]) -> dict[str, Any]:
    """Return what of a stored recipe a run's outcome depends on, by today's names, as plain data for JSON.

    That is all but its provenance. What did not exist when it was stored had what is now its default.
    """
    settings = {_NAMES_NOW.get(name, name): value for name, value in stored.items() if name != "provenance"}
    return json.loads(json.dumps(DEFAULTS)) | settings


def change_recipe(recipe: Recipe, settings: dict[str, str]) -> Recipe:
    """Return the recipe with settings given as text, such as ``{"activation": "sigmoid"}``.

    An old name of a setting is taken with a FutureWarning. Raises UsageError for a name that cannot be set, or a value
    that is not allowed.
    """
    for old in settings.keys() & _NAMES_NOW.keys():
        warn_renamed(old, _NAMES_NOW[old])
    kinds = {
        field.name: type(getattr(recipe, field.name))
        for field in fields(recipe)
        if field.name not in ("name", "provenance", "distortions")
    }
    values: dict[str, Any] = {}
    for given, text in settings.items():
        name = _NAMES_NOW.get(given, given)
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
