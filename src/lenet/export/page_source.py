"""The C of the page's machine, put together: the numbers, the drawing, the layers of the C export, the network."""

from __future__ import annotations

import sys
from importlib.resources import files

from lenet.export.c_text import FLOAT_FUNCTIONS
from lenet.preprocessing.parameters import INK, RULE, WRITING
from lenet.segmentation.parameters import COMPONENT, GLYPH

# What the drawing's C calls the tuned numbers that it needs.
_NUMBERS = {
    "SAME_GREY": INK.same_grey,
    "FLAT_SHARE": INK.flat_share,
    "SAMPLES": INK.samples,
    "LEAST_CONTRAST": INK.least_contrast,
    "WEAK": INK.weak,
    "WEAK_SIGMAS": INK.weak_sigmas,
    "LEAST_NOISE": INK.same_light,
    "STRONG": INK.strong,
    "FULL": INK.full,
    "DARKEST": INK.darkest,
    "PALE_PRINT": INK.pale_print,
    "DARK": COMPONENT.dark,
    "NEAR": COMPONENT.near,
    "NEAR_SPECK": COMPONENT.near_speck,
    "SPECK": COMPONENT.speck,
    "FEWEST": RULE.speck,
    "LEAST_SIDE": WRITING.least_side,
    "FINE": GLYPH.fine,
    "MOST_ENLARGED": GLYPH.most_enlarged,
    "HALF": GLYPH.half,
    "THINNEST": GLYPH.thinnest,
    "THICKEST": GLYPH.thickest,
    "THIN_TARGET": GLYPH.thin_target,
    "THICK_TARGET": GLYPH.thick_target,
    "TRACE": GLYPH.trace,
    "INKED": GLYPH.trace,
    "UPPER": INK.full / 100,
    "PALEST": GLYPH.palest,
}
_DRAWING = ("drawing_ink.c", "drawing_resize.c", "drawing_glyph.c")
_LAYERS = ("convolution", "trainable", "average", "max", "relu", "squash", "sigmoid")


def read_c(name: str) -> str:
    """Return a C file of the package."""
    return (files("lenet") / "export" / "c" / name).read_text(encoding="utf-8")


def drawing_source() -> str:
    """Return drawing.c: the tuned numbers, and its three parts, one behind the other."""
    numbers = "".join(f"#define LENET_{name} {value!r}\n" for name, value in _NUMBERS.items())
    head = "/* Made by lenet export; the numbers are explained in lenet's docs/parameters.md. */"
    return "\n".join((head, numbers, *map(read_c, _DRAWING)))


def machine_source() -> str:
    """Return all of the page's machine as one C99 file."""
    codes = FLOAT_FUNCTIONS["codes"].replace("void codes", "void distances")
    codes = codes.replace("const signed char *code", "const float *code").replace("(float)*code++", "*code++")
    layers = [FLOAT_FUNCTIONS[name] for name in _LAYERS] + [codes]
    return "\n".join((drawing_source(), read_c("mathematics.c"), *layers, read_c("engine.c")))


if __name__ == "__main__":
    sys.stdout.write(machine_source())
