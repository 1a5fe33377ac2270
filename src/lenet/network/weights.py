"""A weights file: the tensors of one network, and with them all that is known about how they came to be."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from lenet.arrays import Float64, Tensors
from lenet.errors import WeightsError, reason
from lenet.files import replacing
from lenet.network.initialisation import connection_mask
from lenet.network.spec import BACKGROUND, DEFAULT, FOREGROUND, LINE_NETS, NETS, Activation, Convolution, Net, find_net
from lenet.network.summary import tensor_shapes

_KEY = "lenet"
# What weights that were saved by lenet 0.1 call the same.
_OLD_KEYS = {
    "arc_scorer": "path",
    "arc_scorer_fitted_on": "path_fitted_on",
    "confidence_weights": "trust",
    "confidence_fitted_on": "trust_fitted_on",
    "error_curve": "risk",
}
# How many features of an arc `lenet.decoding.arc_scorer` weighs, with how many hidden units; and with how many weights
# `lenet.decoding.confidence` weighs its features, an offset included.
ARC_FEATURE_COUNT, ARC_SCORER_UNITS, CONFIDENCE_WEIGHT_COUNT = 24, 24, 14
# How many features of an arc weigh where any character may be said (`lenet.decoding.characters`).
CHARACTER_FEATURE_COUNT = 10
# With how many weights `lenet.decoding.two_readers` weighs its features, an offset included; and how much the lattice's
# log-probability counts there, until it is fitted.
PAIR_WEIGHT_COUNT, _LATTICE_SHARES = 11, (1.0, 0.4, 0.5)
# So many numbers find the spaces of a line, and those that do it where none were fitted: by what its columns say.
SPACE_WEIGHT_COUNT, _SPACE_WEIGHTS = 9, (1.0, *(0.0,) * 8)
# So many numbers weigh whether a digit may be a letter; weights that were saved before do not ask the line as a whole.
LETTER_WEIGHT_COUNT, _OLD_LETTER_COUNT = 6, 4
# So many numbers weigh what two readings of a cell say, and those that do where none were fitted: the mean log-odds.
CELL_WEIGHT_COUNT, _CELL_WEIGHTS = 11, (0.5, 0.5, *(0.0,) * 9)
_FORMAT = 1
# By what scores may be divided: beyond these they say nothing any more, or are no numbers.
_TEMPERATURES = (1e-3, 1e3)
# The largest network of the table has 62,000 parameters; a file beyond this holds something else.
_MOST_BYTES = 1 << 24


@dataclass(frozen=True, repr=False)
class Weights:
    """The tensors of one network, float32, and its card.

    `temperature` divides the scores before they become probabilities. `card` is plain data: recipe, seed,
    commit, data, errors on the test set and on held-out writers, and how the calibration was made.
    """

    net: Net
    tensors: Tensors
    temperature: float = 1.0
    card: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    def __repr__(self) -> str:
        trainable = sum(tensor.size for tensor in self.tensors.values())
        return f"Weights({self.name or self.net.name!r}, {self.net.name}, {trainable:,} values)"

    @property
    def arc_scorer(self) -> Float64 | None:
        """The network that scores arcs, (ARC_FEATURE_COUNT + 2, 1 + ARC_SCORER_UNITS); None: these read one digit."""
        return self._fitted("arc_scorer")

    @property
    def reads_numbers(self) -> bool:
        """Whether these weights read whole numbers, by the lattice of candidates."""
        return self.arc_scorer is not None

    @property
    def character_scorer(self) -> Float64 | None:
        """What scores arcs of a network of characters, (CHARACTER_FEATURE_COUNT + 2, 1 + ARC_SCORER_UNITS), or None."""
        return self._fitted("character_scorer")

    @property
    def character_trust(self) -> Float64 | None:
        """How `lenet.decoding.characters` weighs how sure a line is (4,), the offset last; None: by its paths."""
        return self._fitted("character_trust")

    @property
    def reads_texts(self) -> bool:
        """Whether these weights read more than one sign: numbers, or lines of characters."""
        return self.reads_numbers or self.reads_characters

    @property
    def reads_characters(self) -> bool:
        """Whether these weights read lines of characters."""
        return self.net.says_characters and self.character_scorer is not None

    @property
    def confidence_weights(self) -> Float64 | None:
        """How `lenet.decoding.confidence` weighs what it sees (14,), the offset last; None: as the path has it."""
        return self._fitted("confidence_weights")

    @property
    def rubbish_lowered_by(self) -> float:
        """By how much the rubbish output was lowered after training, so as to read; 0 of weights that do not."""
        return float(self.card.get("calibration", {}).get("rubbish_lowered_by", 0.0))

    @property
    def lattice_shares(self) -> Float64:
        """How much the lattice's log-probability of a text counts beside the whole line's (3,); of a line network.

        The first is for lines of digits, the second for those with signs, spaces or letters, the third with a format.
        """
        fitted = self._fitted("lattice_shares")
        return np.array(_LATTICE_SHARES) if fitted is None else fitted

    @property
    def pair_weights(self) -> Float64 | None:
        """How `lenet.decoding.two_readers` weighs what both readers say (11,), the offset last; of a line network."""
        return self._fitted("pair_weights")

    @property
    def alone_weights(self) -> Float64 | None:
        """How the same is weighed of a line that is read as a whole alone (11,), the offset last."""
        return self._fitted("alone_weights")

    @property
    def space_weights(self) -> Float64:
        """How `lenet.decoding.spacing` weighs a place between two signs (9,), the offset last; of a line network."""
        fitted = self._fitted("space_weights")
        return np.array(_SPACE_WEIGHTS) if fitted is None else fitted

    @property
    def space_trust(self) -> Float64:
        """What the log-odds of a line's least certain space are times, and what is added (2,), to be a line's own."""
        fitted = self._fitted("space_trust")
        return np.array([1.0, 0.0]) if fitted is None else fitted

    @property
    def letter_weights(self) -> Float64 | None:
        """How `lenet.decoding.letters` weighs whether one digit may be a letter (6,), the offset last; None: not."""
        fitted = self._fitted("letter_weights")
        is_old = fitted is not None and fitted.shape == (_OLD_LETTER_COUNT,)
        return np.insert(fitted, -1, [0.0, 0.0]) if fitted is not None and is_old else fitted

    @property
    def cell_weights(self) -> Float64:
        """How `lenet.tables.read_cells` weighs what two readings of a cell say (11,), the offset last."""
        fitted = self._fitted("cell_weights")
        return np.array(_CELL_WEIGHTS) if fitted is None else fitted

    @property
    def recipe(self) -> str | None:
        """The name of the recipe that they were trained by, as far as their card says it."""
        told = self.card.get("recipe")
        name = told.get("name") if isinstance(told, dict) else told
        return name if isinstance(name, str) else None

    @property
    def test_errors(self) -> int | None:
        """How many test digits they read wrong, as far as their card says it."""
        told = self.card.get("test")
        errors = told.get("errors") if isinstance(told, dict) else None
        return errors if isinstance(errors, int) else None

    @property
    def tested_on(self) -> int | None:
        """How many those test digits are, or characters."""
        told = self.card.get("test")
        count = told.get("n") if isinstance(told, dict) else None
        return count if isinstance(count, int) else None

    @property
    def error_curve(self) -> Float64 | None:
        """The curve of errors (n, 3): least confidence, share of wrong answers from it on, share of answers."""
        return self._fitted("error_curve")

    def _fitted(self, what: str) -> Float64 | None:
        found = self.card.get("calibration", {}).get(what)
        return None if found is None else np.array(found, np.float64)


def rename_keys(calibration: dict[str, Any]) -> dict[str, Any]:
    """Return a calibration of any version under the keys of this one."""
    new = {old: key for key, old in _OLD_KEYS.items()}
    return {new.get(key, key): value for key, value in calibration.items()}


def list_shipped() -> dict[str, Path]:
    """Return the weights that come with lenet: name -> path, the default first."""
    folder = Path(__file__).parents[1] / "assets"
    found = {path.stem: path for path in sorted(folder.glob("[!.]*.safetensors"))}
    return {name: found[name] for name in sorted(found, key=lambda name: (name != DEFAULT, name))}


def list_line_weights() -> dict[str, Path]:
    """Return the weights of line networks that come with lenet: name -> path."""
    folder = Path(__file__).parents[1] / "assets" / "lines"
    return {path.stem: path for path in sorted(folder.glob("[!.]*.safetensors"))}


def find_weights(name_or_path: str | Path) -> Path:
    """Return the path of shipped weights by name, or of a file. Raises WeightsError naming what there is."""
    known = list_shipped() | list_line_weights()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    path = Path(name_or_path)
    with suppress(OSError, ValueError):  # a name that is too long, or has a zero byte
        if path.is_file():
            return path
    if path.suffix or len(path.parts) > 1:
        raise WeightsError(name_or_path, "no such file", "give the path of a weights file, or the name of shipped ones")
    raise WeightsError(
        name_or_path, "no such weights", f"shipped are {', '.join(known) or 'none'}; or give the path of a file"
    )


def save_weights(path: Path, weights: Weights) -> None:
    """Write a weights file, whole or not at all. Raises WeightsError when the tensors do not fit the network."""
    _check(weights.net, weights.tensors, path)
    description = {
        "format": _FORMAT,
        "net": weights.net.name,
        "activation": _activation(weights.net),
        "outputs": weights.net.outputs,
        "input": {"background": BACKGROUND, "foreground": FOREGROUND},
        "calibration": {"temperature": weights.temperature},
        **{key: value for key, value in weights.card.items() if key != "calibration"},
    }
    description["calibration"] = {**weights.card.get("calibration", {}), "temperature": weights.temperature}
    data = save(weights.tensors, metadata={_KEY: json.dumps(description)})
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise WeightsError(path, f"cannot be written ({reason(error)})") from error


def load_weights(name_or_path: str | Path) -> Weights:
    """Load shipped weights by name, or a file. Raises WeightsError naming the tensor, expected and found."""
    path = find_weights(name_or_path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise WeightsError(path, f"{path.stat().st_size:,} bytes", "not a LeNet's weights")
        data = path.read_bytes()
        tensors = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        card = json.loads(header.get("__metadata__", {}).get(_KEY, "null"))
    except OSError as error:
        raise WeightsError(path, reason(error)) from error
    except (SafetensorError, ValueError, KeyError, RecursionError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(path, f"not a weights file of lenet ({reason(error)})") from error
    net = _described_net(card, path)
    _check(net, tensors, path)
    temperature = _temperature(card, path)
    card["calibration"] = rename_keys(card["calibration"])
    weights = Weights(net, tensors, temperature, card, path.stem)
    _check_fitted(weights, path)
    return weights


def _described_net(card: Any, path: Path) -> Net:
    if not isinstance(card, dict) or card.get("format") != _FORMAT:
        raise WeightsError(path, "no description of its network", "lenet writes one with every weights file")
    net = find_net(str(card.get("net")))
    if net is None:
        known = ", ".join((*NETS, *LINE_NETS))
        raise WeightsError(path, f"network {card.get('net')!r}", f"expected one of {known}")
    if card.get("input") != {"background": BACKGROUND, "foreground": FOREGROUND}:
        raise WeightsError(path, f"input range {card.get('input')}", f"expected {BACKGROUND} to {FOREGROUND}")
    activation: Activation | None = card.get("activation")
    if activation not in ("squash", "relu", "sigmoid"):
        raise WeightsError(path, f"activation {activation!r}", "expected squash, relu or sigmoid")
    net = net.with_activation(activation)
    if card.get("outputs") != net.outputs:
        raise WeightsError(path, f"{card.get('outputs')} outputs", f"{net.name} has {net.outputs}")
    return net


def _activation(net: Net) -> Activation:
    first = net.layers[0]
    assert isinstance(first, Convolution)
    return first.activation


def _temperature(card: dict[str, Any], path: Path) -> float:
    calibration = card.get("calibration")
    value = calibration.get("temperature") if isinstance(calibration, dict) else None
    low, high = _TEMPERATURES
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise WeightsError(path, f"temperature {_shorten(value)}", f"expected a number from {low:g} to {high:g}")
    return float(value)


def _shorten(value: object) -> str:
    """Return a value of a card for a line: its digits may be thousands, more than Python writes."""
    if isinstance(value, int) and value.bit_length() > 64:
        return f"of {value.bit_length()} bits"
    said = repr(value)
    return said if len(said) <= 40 else f"{said[:40]}..."


def _check_fitted(weights: Weights, path: Path) -> None:
    rows, columns = ARC_FEATURE_COUNT + 2, 1 + ARC_SCORER_UNITS
    shapes = {
        "arc_scorer": ((rows, columns), f"{rows} rows of {columns} finite numbers"),
        "character_scorer": (
            (CHARACTER_FEATURE_COUNT + 2, columns),
            f"{CHARACTER_FEATURE_COUNT + 2} rows of {columns} finite numbers",
        ),
        "character_trust": ((4,), "4 finite numbers"),
        "confidence_weights": ((CONFIDENCE_WEIGHT_COUNT,), f"{CONFIDENCE_WEIGHT_COUNT} finite numbers"),
        "lattice_shares": ((3,), "3 finite numbers"),
        "pair_weights": ((PAIR_WEIGHT_COUNT,), f"{PAIR_WEIGHT_COUNT} finite numbers"),
        "alone_weights": ((PAIR_WEIGHT_COUNT,), f"{PAIR_WEIGHT_COUNT} finite numbers"),
        "space_weights": ((SPACE_WEIGHT_COUNT,), f"{SPACE_WEIGHT_COUNT} finite numbers"),
        "space_trust": ((2,), "2 finite numbers"),
        "letter_weights": ((LETTER_WEIGHT_COUNT,), f"{LETTER_WEIGHT_COUNT} finite numbers"),
        "cell_weights": ((CELL_WEIGHT_COUNT,), f"{CELL_WEIGHT_COUNT} finite numbers"),
        "error_curve": ((-1, 3), "3 finite numbers a row"),
    }
    for what, (shape, numbers) in shapes.items():
        expected = f"expected {numbers}"
        try:
            found = getattr(weights, what)
            if found is not None and not _fits(found.shape, shape):
                raise WeightsError(path, f"calibration {what} {found.shape}", expected)
            if found is not None and not np.isfinite(found).all():
                raise WeightsError(path, f"calibration {what} has NaN or infinity", expected)
        except (TypeError, ValueError, OverflowError) as error:
            raise WeightsError(path, f"calibration {what}: {reason(error)}", expected) from error
    try:
        lowered = weights.rubbish_lowered_by
    except (TypeError, ValueError, OverflowError) as error:
        raise WeightsError(path, f"calibration rubbish_lowered_by: {reason(error)}", "expected a number") from error
    if not isfinite(lowered):
        raise WeightsError(path, f"calibration rubbish_lowered_by {lowered}", "expected a finite number")


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return len(shape) == len(wanted) and all(need in (-1, side) for side, need in zip(shape, wanted, strict=True))


def _check(net: Net, tensors: Tensors, path: Path) -> None:
    """Compare every tensor with the network's own template; table zeros and finite values included."""
    template = tensor_shapes(net)
    for name in template.keys() | tensors.keys():
        if name not in tensors:
            raise WeightsError(path, f"{name} is missing", f"{net.name} has it as {template[name]}")
        if name not in template:
            raise WeightsError(path, f"{name} {tensors[name].shape} is not a tensor of {net.name}")
        tensor = tensors[name]
        if tensor.shape != template[name] or tensor.dtype != np.float32:
            found = f"{tensor.shape} {tensor.dtype}"
            raise WeightsError(path, f"{name}: expected {template[name]} float32, found {found}")
        if not np.isfinite(tensor).all():
            raise WeightsError(path, f"{name} holds NaN or infinity", "every value must be finite")
    for layer in net.layers:
        if isinstance(layer, Convolution) and layer.table is not None:
            name = f"{layer.name.lower()}.weight"
            absent = connection_mask(layer, template[name][1]) == 0
            if tensors[name][absent].any():
                raise WeightsError(path, f"{name} has kernels where the connection table has none")
