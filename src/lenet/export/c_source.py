"""A network as one C99 file and its header: no dependency, no allocation, floats or 8-bit integers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lenet.export.c_text import FLOAT_FUNCTIONS, INT8_FUNCTIONS, array
from lenet.export.quantised import Quantised, QuantisedLayer
from lenet.network.spec import Codes, Convolution, Layer, Subsampling, code
from lenet.network.summary import LayerFacts, layer_facts
from lenet.network.weights import Weights


@dataclass
class _Source:
    """What is written so far: constants, the functions that are called, and the calls."""

    value: str
    constants: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    flip: bool = False

    def constant(self, kind: str, name: str, values: Any) -> str:
        self.constants.append(array(kind, name, values))
        return name

    def call(self, function: str, *arguments: object, out: str = "") -> None:
        """Call a function from one buffer of the memory to the other, or to `out`."""
        self.used.add(function)
        given, taken = ("b", "a") if self.flip else ("a", "b")
        inside = ", ".join(map(str, (f"memory->{given}", *arguments, out or f"memory->{taken}")))
        self.calls.append(f"{function}({inside});")
        if not out:
            self.flip = not self.flip

    @property
    def latest(self) -> str:
        return f"memory->{'b' if self.flip else 'a'}"


def float_source(weights: Weights, name: str) -> tuple[str, str]:
    """Return the .c and the .h of a network in single precision."""
    source = _Source("float")
    before = (1, *(32 - 2 * weights.net.margin,) * 2)
    facts = layer_facts(weights.net)
    for number, (record, fact) in enumerate(zip(weights.net.layers, facts, strict=True)):
        _float_layer(source, record, weights, before, "scores" if number == len(facts) - 1 else "")
        count = int(np.prod(fact.output))
        if not isinstance(record, Codes) and record.activation != "none":
            source.used.add(record.activation)
            where = "scores" if number == len(facts) - 1 else source.latest
            source.calls.append(f"{record.activation}({where}, {count});")
        if number < len(facts) - 1:
            source.calls.append(f'TRACE("{record.name}", {source.latest}, {count});')
        before = fact.output
    functions = {name: text for name, text in FLOAT_FUNCTIONS.items() if name in source.used}
    return _written(source, functions, weights, facts, name, "float", _input("-0.1f + 1.275f * {} / 255.0f", "-0.1f"))


def _float_layer(source: _Source, record: Layer, weights: Weights, before: tuple[int, ...], out: str) -> None:
    tensors, name = weights.tensors, record.name.lower()
    maps, high, wide = before
    if isinstance(record, Codes):
        codes = np.array([code(ord(each)) for each in record.characters], np.int8)
        source.call("codes", maps, source.constant("signed char", "the_codes", codes), len(codes), out=out)
    elif isinstance(record, Convolution):
        parts = [source.constant("float", f"{name}_{part}", tensors[f"{name}.{part}"]) for part in ("weight", "bias")]
        source.call("convolution", maps, high, wide, *parts, record.maps, record.size, out=out)
    elif record.kind == "trainable":
        parts = [
            source.constant("float", f"{name}_{part}", tensors[f"{name}.{part}"]) for part in ("coefficient", "bias")
        ]
        source.call("trainable", maps, high, wide, *parts, maps * record.copies)
    else:
        source.call(record.kind, maps, high, wide, maps * record.copies)


def int8_source(model: Quantised, name: str) -> tuple[str, str]:
    """Return the .c and the .h of a network in integers alone."""
    source = _Source("int8_t")
    tables: dict[bytes, str] = {}
    for number, layer in enumerate(model.layers):
        last = number == len(model.layers) - 1
        _int8_layer(source, layer, tables, last)
        if not last:
            source.calls.append(f'TRACE("{layer.record.name}", {source.latest}, {int(np.prod(layer.shape))});')
    source.used |= {"brought", "limited", "sum_of"}
    functions = {name: text for name, text in INT8_FUNCTIONS.items() if name in source.used}
    weights = model.network.weights
    begin = _input("(int8_t)({} - 128)", "-128")
    return _written(
        source, functions, weights, layer_facts(weights.net), name, "int32_t", begin, model.layers[-1].scale
    )


def _int8_layer(source: _Source, layer: QuantisedLayer, tables: dict[bytes, str], last: bool) -> None:
    record, name = layer.record, layer.record.name.lower()
    maps, high, wide = layer.before
    if isinstance(record, Codes):
        assert layer.weights is not None
        codes = source.constant("int8_t", "the_codes", layer.weights)
        source.call("codes", maps, codes, len(layer.weights), out="scores")
        return
    if isinstance(record, Subsampling) and record.kind != "trainable":
        source.call(record.kind, maps, high, wide, maps * record.copies)
        return
    table = "0"
    if layer.table is not None:
        kind = f"{layer.table.dtype}_t"
        key = layer.table.tobytes()
        if key not in tables:
            tables[key] = source.constant(kind, f"{name}_table", layer.table)
        table = tables[key]
    numbers = (("int8_t", "weights"), ("int32_t", "bias"), ("int32_t", "multipliers"), ("uint8_t", "shifts"))
    parts = [source.constant(kind, f"{name}_{part}", getattr(layer, part)) for kind, part in numbers]
    if isinstance(record, Subsampling):
        source.call("trainable", maps, high, wide, *parts, table, maps * record.copies)
    elif last:
        source.call("outputs", maps, record.size, *parts, table, record.maps, out="scores")
    else:
        source.call("convolution", maps, high, wide, *parts, table, record.maps, record.size)


def _input(grey: str, paper: str) -> Callable[[int, str], str]:
    """Return what writes the lines that put a glyph into the middle of a field of paper."""

    def lines(around: int, value: str) -> str:
        side = 28 + 2 * around
        where = f"memory->a[(y + {around}) * {side} + x + {around}]" if around else f"memory->a[y * {side} + x]"
        return (
            f"    {value} *field = memory->a;\n    int x, y;\n"
            f"    for (x = 0; x < {side * side}; x++)\n        field[x] = {paper};\n"
            "    for (y = 0; y < 28; y++)\n        for (x = 0; x < 28; x++)\n"
            f"            {where} = {grey.format('glyph[28 * y + x]')};\n"
            f'    TRACE("input", memory->a, {side * side});\n'
        )

    return lines


def _written(
    source: _Source,
    functions: dict[str, str],
    weights: Weights,
    facts: tuple[LayerFacts, ...],
    name: str,
    score: str,
    begin: Callable[[int, str], str],
    scale: float = 1.0,
) -> tuple[str, str]:
    around = 2 - weights.net.margin
    sizes = [(28 + 2 * around) ** 2, *(int(np.prod(fact.output)) for fact in facts[:-1])]
    large, other = max(sizes[::2]), max(sizes[1::2])
    width = 4 if source.value == "float" else 1
    macs = sum(fact.macs for fact in facts)
    count = facts[-1].output[0]
    meaning = "single precision" if source.value == "float" else "8-bit weights and values, integers alone"
    library = "no library but tanhf" if "tanhf" in "".join(functions.values()) else "no library"
    parts = "" if score == "float" else f"\n * Scores are in parts of 1/{round(1 / scale)}."
    labels = {10: "0 to 9", 11: '0 to 9 and "not a digit"'}.get(count, "the signs 33 to 126 of ASCII")
    header = f"""\
/* {weights.name or weights.net.name}: {weights.net.about}.
 *
 * In {meaning}, made by lenet export. No allocation, {library}.
 * Memory for values: {width * (large + other):,} bytes, the caller's. Multiplications a digit: {macs:,}.{parts}
 */
#ifndef {name.upper()}_H
#define {name.upper()}_H

#include <stdint.h>

/* The values of two layers at a time. */
typedef struct {{
    {source.value} a[{large}], b[{other}];
}} {name}_memory;

/* Score a glyph, 28 rows of 28 bytes, 0 for paper and 255 for pen, its centre of mass at (14, 14) and 20 pixels high
 * or wide, as MNIST has it. scores: {count} labels, {labels}; the highest is the answer. */
void {name}_scores({name}_memory *memory, const unsigned char *glyph, {score} *scores);

/* Compiled with -DLENET_TRACE: called with the values of the input and of every layer but the last. */
void {name}_trace(const char *layer, const {source.value} *values, int count);

#endif
"""
    include = "#include <math.h>\n" if "tanhf" in "".join(functions.values()) else ""
    body = "\n".join(f"    {call}" for call in source.calls)
    text = f"""\
/* Made by lenet export from {weights.name or weights.net.name}; see {name}.h. */
{include}#include "{name}.h"

#ifdef LENET_TRACE
#define TRACE(layer, values, count) {name}_trace(layer, values, count)
#else
#define TRACE(layer, values, count) ((void)0)
#endif

{chr(10).join(source.constants)}
{chr(10).join(functions.values())}
void {name}_scores({name}_memory *memory, const unsigned char *glyph, {score} *scores)
{{
{begin(around, source.value)}{body}
}}
"""
    return text, header
