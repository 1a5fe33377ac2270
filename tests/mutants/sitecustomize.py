"""Have this process and all that it starts import a module with a change, which LENET_MUTANT names."""

from __future__ import annotations

import importlib.abc
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any


class Mutant(importlib.abc.MetaPathFinder):
    """Finds the module where it is, and runs its changed text in place of its own."""

    def __init__(self, module: str, file: str, number: int) -> None:
        self.module, self.file, self.number = module, file, number

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> Any:
        """Return where the module is; None for every other."""
        if fullname != self.module:
            return None
        sys.meta_path.remove(self)
        try:
            spec = find_spec(fullname)
        finally:
            sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return None
        spec.loader.exec_module = self.run  # type: ignore[method-assign]
        return spec

    def run(self, module: Any) -> None:
        """Run the changed text as the module."""
        from changes import make_change

        code = compile(make_change(Path(self.file).read_text(encoding="utf-8"), self.number), self.file, "exec")
        exec(code, module.__dict__)


if "LENET_MUTANT" in os.environ:
    sys.path.append(str(Path(__file__).parent))
    name, place, which = os.environ["LENET_MUTANT"].split("|")
    sys.meta_path.insert(0, Mutant(name, place, int(which)))
