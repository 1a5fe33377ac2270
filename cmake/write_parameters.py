"""Write the tuned numbers of preprocessing and segmentation as a C++ header: `python write_parameters.py OUT.hpp`.

The build calls it, so that a number stands once, in Python. Nothing but the standard library is needed.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from types import ModuleType

_SETS = ("lenet.preprocessing.parameters", "lenet.segmentation.parameters")


def write_header() -> str:
    """Return the sets as structures of constants, by the names that they have in Python."""
    lines = [
        "// The tuned numbers, from the sets of lenet/{preprocessing,segmentation}/parameters.py: see there.",
        "#pragma once",
        "",
    ]
    lines += ["namespace lenet {", ""]
    for module in map(import_module, _SETS):
        for name, stage in vars(module).items():
            if not name.isupper():
                continue
            lines.append(f"struct {type(stage).__name__} {{")
            for each in fields(stage):
                value = getattr(stage, each.name)
                lines.append(f"    {type(value).__name__.replace('float', 'double')} {each.name} = {value!r};")
            lines += ["};", f"inline constexpr {type(stage).__name__} {name};", ""]
    return "\n".join([*lines, "}  // namespace lenet", ""])


if __name__ == "__main__":
    # The package is found as it lies in the repository, and what its `__init__` would import is not asked for.
    sys.modules["lenet"] = ModuleType("lenet")
    sys.modules["lenet"].__path__ = [str(Path(__file__).parent.parent / "src" / "lenet")]
    Path(sys.argv[1]).write_text(write_header(), encoding="utf-8")
