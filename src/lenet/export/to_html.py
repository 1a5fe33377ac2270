"""HTML: one file with a network, alive, for any browser, without a server; its machine is run here at first."""

from __future__ import annotations

import json
import re
import time
import zlib
from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.arrays import Float32
from lenet.errors import LenetError, MissingExtra
from lenet.export.page_machine import PageMachine, read_machine
from lenet.export.page_network import PageNetwork, describe_network
from lenet.files import replace_text
from lenet.network.spec import SLIDING_DEFAULT
from lenet.network.summary import count_trainable
from lenet.network.weights import Weights, list_shipped, load_weights

if TYPE_CHECKING:
    from lenet.export import Export

# The modules of the page, each behind those that it imports.
MODULES = ("machine", "sum", "view", "words", "explain", "pen", "tour", "inside", "tip", "lesson", "save", "page")
# A file is no larger, and floats are kept of networks with no more weights; others have 8 bits a weight.
_MOST_BYTES, _MOST_FLOATS = 700_000, 65_000
# What networks of one shape learned, by their recipe.
_LEARNED = {
    "paper": "learned the patterns as they are",
    "paper-distorted": "learned distorted patterns too",
    "numbers": "learned from made pictures of numbers",
    "hands": "learned from made numbers of many more writers",
}
# The page's machine with SIMD, and the one for browsers without.
_MACHINES = ("simd", "plain")
# Scores and values are so near the engine's, as a share of the largest of their kind.
_NEAR = 1e-5


def to_html(asked: Export) -> dict[str, Any]:
    """Write the file OUT, run its machine on all digits, compare answers and every layer's values with the engine."""
    network = asked.network
    if network.own_lines is not None:
        raise LenetError("--format html", f"{network.lines.weights.name} reads lines", "choose a network of digits")
    told = describe_network(network.weights)
    coded, given = _code_parameters(told)
    page = fill_page(told, coded)
    if len(page.encode()) > _MOST_BYTES:
        size = f"{len(page.encode()):,} bytes, at most {_MOST_BYTES:,}"
        raise LenetError(
            "--format html", f"{network.weights.name} would make a page of {size}", "choose a smaller network"
        )
    try:
        machine = PageMachine(given)
    except ImportError as error:
        raise MissingExtra("--format html", str(error.name), "export") from error
    glyphs = asked.answers.glyphs
    started = time.perf_counter()
    found = np.stack([machine.run(glyph) for glyph in glyphs])
    seconds = time.perf_counter() - started
    exact = coded["scales"] is None
    compared = asked.answers.compared(str(asked.out), found[:, -network.net.outputs :], exact=exact)
    apart = _compare_values(asked, found) if exact else None
    if apart is not None and apart > _NEAR:
        raise LenetError(asked.out, f"a layer's values are {apart:.1e} off", "this export is not to be used")
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    replace_text(asked.out, page)
    return {
        "run_by": "Wasmtime",
        **compared,
        "largest_difference_of_a_value": apart,
        "bytes": len(page.encode()),
        "digits_per_second": round(len(glyphs) / seconds),
    }


def _compare_values(asked: Export, found: Float32) -> float:
    """Return how far the values of any layer are off at most, as a share of the largest value of that layer."""
    worst = 0.0
    for first in range(0, len(found), 500):
        inside = asked.network.activations(asked.answers.glyphs[first : first + 500])
        at = 0
        for values in inside.values():
            flat = values.reshape(len(values), -1)
            own = found[first : first + 500, at : at + flat.shape[1]]
            worst = max(worst, float(np.abs(own - flat).max()) / max(1.0, float(np.abs(flat).max())))
            at += flat.shape[1]
    return worst


def _code_parameters(told: PageNetwork, *, exact: bool = False) -> tuple[dict[str, Any], PageNetwork]:
    """Return parameters as the page has them, and the network that it makes of them."""
    if exact or told.description["learned"] <= _MOST_FLOATS:
        # The first bytes of all floats, then the second ones, ...: those of signs and exponents are much alike.
        planes = np.ascontiguousarray(told.parameters.astype("<f4").view(np.uint8).reshape(-1, 4).T)
        return {"parameters": _deflate(planes.tobytes()), "scales": None}, told
    whole = np.zeros(len(told.parameters), np.int8)
    rounded = told.parameters.copy()
    scales = []
    for layer in told.description["layers"]:
        for first, past, maps in _list_scaled(layer):
            for part in np.array_split(np.arange(first, past), maps):
                values = told.parameters[part]
                scale = float(np.float32(max(np.abs(values).max(), 1e-12) / 127))
                whole[part] = np.rint(values / scale).astype(np.int8)
                rounded[part] = whole[part].astype(np.float32) * np.float32(scale)
                scales.append([int(part[0]), int(part[-1]) + 1, scale])
    coded = {"parameters": _deflate(whole.tobytes()), "scales": scales}
    return coded, PageNetwork(told.description, told.records, rounded, told.masks, told.values)


def _deflate(data: bytes) -> str:
    """Return bytes as the page inflates them."""
    return b64encode(zlib.compress(data, 9)).decode()


def _list_scaled(layer: dict[str, Any]) -> list[tuple[int, int, int]]:
    """Return spans of parameters, each with how many parts have a scale of their own: of weights those of each map."""
    spans = [(*layer["weights"], layer["shape"][0])] if "weights" in layer else []
    spans += [(*layer["biases"], layer["shape"][0])] if "biases" in layer else []
    return spans + ([(*layer["codes"], 1)] if "codes" in layer else [])


def read_page(name: str) -> str:
    """Return a file of the page."""
    return (files("lenet") / "assets" / "page" / name).read_text(encoding="utf-8")


def bundle_modules() -> str:
    """Return the page's modules as one: what they import from each other stands above."""
    parts = []
    for name in MODULES:
        text = re.sub(r'^import \{[^}]*\} from "\./\w+\.js";\n', "", read_page(f"{name}.js"), flags=re.MULTILINE)
        parts.append(re.sub(r"^export ", "", text, flags=re.MULTILINE))
    return "\n".join(parts)


def make_page(weights: Weights) -> str:
    """Return the page of a network, without running its machine here. Raises LenetError for one that reads lines."""
    told = describe_network(weights)
    return fill_page(told, _code_parameters(told)[0])


def tell_network(weights: Weights, *, exact: bool = False) -> dict[str, Any]:
    """Return a network as a page takes it, JSON all of it; `exact` has floats, however many. Raises LenetError."""
    told = describe_network(weights)
    return _tell(told, _code_parameters(told, exact=exact)[0])


@cache
def list_digit_networks() -> list[dict[str, Any]]:
    """Return what differs between the shipped networks: what they are, what they learn, how much of MNIST is wrong."""
    found = [load_weights(path) for name, path in list_shipped().items() if name != SLIDING_DEFAULT]
    return [
        {
            "name": each.name,
            "about": f"{each.net.about}; {_LEARNED[each.recipe]}" if each.recipe in _LEARNED else each.net.about,
            "trainable": count_trainable(each.net),
            "errors": each.test_errors,
            "of": each.tested_on,
        }
        for each in sorted(found, key=lambda each: (each.name != "lenet5-1998", count_trainable(each.net), each.name))
    ]


def _tell(told: PageNetwork, coded: dict[str, Any]) -> dict[str, Any]:
    records = {"records": told.flat_records, "masks": told.masks.tolist(), "values": told.values}
    return {"description": told.description, **records, **coded}


def fill_page(told: PageNetwork, coded: dict[str, Any]) -> str:
    """Return the page of a network whose parameters are coded."""
    network = json.dumps({**_tell(told, coded), "networks": list_digit_networks()}, separators=(",", ":"))
    page = read_page("page.html")
    for mark, part in (
        ("/*STYLE*/", read_page("page.css") + read_page("network.css")),
        ("/*TOLD*/", network.replace("<", "\\u003c")),
        (
            "/*MACHINE*/",
            json.dumps({name: _deflate(read_machine(simd=name == "simd")) for name in _MACHINES}),
        ),
        ("/*DIGITS*/", read_page("digits.json").strip()),
        ("/*SCRIPT*/", bundle_modules()),
    ):
        before, found, behind = page.partition(mark)
        assert found, mark
        page = before + part + behind
    return page
