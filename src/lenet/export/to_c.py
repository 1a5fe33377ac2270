"""C99: one file and its header, with test vectors, a Makefile, and what a Cortex-M needs to run it."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lenet.arrays import Uint8
from lenet.engine import Network
from lenet.errors import LenetError
from lenet.export import c_text
from lenet.export.c_source import float_source, int8_source
from lenet.export.page_source import drawing_source, read_c
from lenet.export.parity import ten_digits
from lenet.export.quantised import Quantised, quantise, run
from lenet.files import replace_text
from lenet.network.summary import layer_facts

if TYPE_CHECKING:
    from lenet.export import Export

# Ranges of values are taken from so many training digits.
_CALIBRATED_ON = 2000
_FLAGS = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-O2")
_CHIP_TOOLS = ("arm-none-eabi-gcc", "qemu-system-arm", "make")


def to_c(asked: Export, training: Uint8 | None) -> dict[str, Any]:
    """Write the folder OUT, compile it, answer all digits with it; with `training` digits, in 8 bits.

    Raises LenetError when there is no C compiler here, or when it does not give what the engine gives.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise LenetError("--format c", "no C compiler is here to check it with", "install one, such as gcc")
    name = re.sub(r"\W", "_", asked.network.weights.name)
    glyphs = ten_digits()
    if training is None:
        text, header = float_source(asked.network.weights, name)
        score, kind, dtype, scale = "float", "float", "<f4", 1.0
        vectors = None
    else:
        model = quantise(asked.network, training[:_CALIBRATED_ON])
        text, header = int8_source(model, name)
        score, kind, dtype, scale = "int32_t", "int8_t", "<i4", model.layers[-1].scale
        vectors = vectors_text(model, glyphs)
    files = _files(name, text, header, score, kind, asked.network.net.outputs, glyphs, vectors)
    asked.out.mkdir(parents=True, exist_ok=True)
    for file, words in files.items():
        replace_text(asked.out / file, words)
    _finish([compiler, *_FLAGS, "-o", "check", "check.c", f"{name}.c", "-lm"], asked.out)
    _finish([compiler, *_FLAGS, "-fsyntax-only", "drawing.c"], asked.out)
    started = time.perf_counter()
    found = _run(asked, dtype) * scale
    seconds = time.perf_counter() - started
    told = asked.answers.compared(str(asked.out), found, exact=training is None)
    facts = layer_facts(asked.network.net)
    memory = re.search(r"Memory for values: ([\d,]+) bytes", header)
    assert memory is not None
    return {
        "run_by": f"{Path(compiler).name}, {' '.join(_FLAGS)}",
        **told,
        "bytes": constant_bytes(asked.network, in_floats=training is None),
        "digits_per_second": round(len(found) / seconds),
        "value_bytes": int(memory.group(1).replace(",", "")),
        "macs": sum(fact.macs for fact in facts),
        "vectors": _vectors(asked.out, compiler) if vectors is not None else "none in floats",
        "cortex_m": _on_chip(asked.out, compared=vectors is not None),
        "files": sorted(files),
    }


def constant_bytes(network: Network, *, in_floats: bool) -> int:
    """Return the bytes of a network's weights and biases: four each, or one for a weight in 8 bits."""
    tensors = network.weights.tensors
    return sum(each.size * (4 if in_floats or name.endswith("bias") else 1) for name, each in tensors.items())


def vectors_text(model: Quantised, glyphs: Uint8) -> str:
    """Return every layer's values for glyphs: a line with its name and their number, then 32 to a line."""
    inside = [(name, values.reshape(len(glyphs), -1)) for name, values in run(model, glyphs)]
    lines = []
    for digit in range(len(glyphs)):
        lines.append(f"digit {digit}")
        for name, values in inside[:-1]:
            row = values[digit].tolist()
            lines.append(f"{name} {len(row)}")
            lines += [" ".join(map(str, row[first : first + 32])) for first in range(0, len(row), 32)]
        scores = inside[-1][1][digit].tolist()
        lines += [f"scores {len(scores)}", " ".join(map(str, scores))]
    return "\n".join(lines) + "\n"


def _files(
    name: str, text: str, header: str, score: str, kind: str, count: int, glyphs: Uint8, vectors: str | None
) -> dict[str, str]:
    in_floats = vectors is None
    form = {"name": name, "score": score, "count": count, "value": kind}
    form |= {"format": "%.6g" if in_floats else "%d", "score_format": "%.6g" if in_floats else "%ld"}
    program = c_text.VECTORS.format(**form)
    if not in_floats:
        program = program.replace('"%ld%c", scores[i]', '"%ld%c", (long)scores[i]')
    makefile = c_text.MAKEFILE.format(
        name=name,
        math=" -lm" if "math.h" in text else "",
        compare="" if in_floats else "\tcmp vectors.out vectors.txt",
        chip_compare="" if in_floats else "\tcmp chip.out vectors.txt",
    )
    return {
        f"{name}.c": text,
        f"{name}.h": header,
        "check.c": c_text.CHECK.format(**form),
        "vectors.c": program,
        "digits.h": c_text.digits_header(glyphs),
        "drawing.c": drawing_source(),
        "drawing.h": read_c("drawing.h"),
        "Makefile": makefile,
        "start.c": c_text.START,
        "chip.ld": c_text.LINKER,
        **({} if vectors is None else {"vectors.txt": vectors}),
    }


def _run(asked: Export, dtype: str) -> Any:
    """Score all digits with the compiled check."""
    done = subprocess.run(
        [str(asked.out.resolve() / "check")], input=asked.answers.glyphs.tobytes(), capture_output=True, check=False
    )
    if done.returncode:
        raise LenetError(asked.out, f"the compiled check ended with status {done.returncode}")
    return np.frombuffer(done.stdout, dtype).reshape(asked.answers.scores.shape)


def _vectors(folder: Path, compiler: str) -> str:
    """Have the compiled file print the vectors, and compare them; tell what came of it."""
    if shutil.which("make") is None:
        return "not compared: make is not installed"
    _finish(["make", "--no-print-directory", "vectors", f"CC={compiler}"], folder)
    return "identical here, layer by layer"


def _finish(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LenetError(folder, f"{command[0]}: {(done.stderr or done.stdout).strip()[:300]}")
    return done.stdout


def _on_chip(folder: Path, *, compared: bool) -> dict[str, Any] | str:
    """Run the ten digits on an emulated Cortex-M3, if there is one; tell its code's and constants' sizes in bytes."""
    missing = [tool for tool in _CHIP_TOOLS if shutil.which(tool) is None]
    if missing:
        return f"not run: {', '.join(missing)} not installed"
    said = _finish(["make", "--no-print-directory", "cortex-m"], folder)
    sizes = re.search(r"^\s*(\d+)\s+(\d+)\s+(\d+)\s+\d+", said, re.MULTILINE)
    assert sizes is not None
    code, data, bss = map(int, sizes.groups())
    vectors = "identical, byte for byte" if compared else "run"
    return {"vectors": vectors, "code_and_constants_bytes": code, "static_data_bytes": data + bss}
