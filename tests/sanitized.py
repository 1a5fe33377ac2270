"""Run tests with another build of the native engine: python tests/sanitized.py FOLDER [PYTEST ARGUMENTS...].

FOLDER holds the `_native` module that `make sanitize` built with the address and undefined-behaviour sanitizers.
"""

from __future__ import annotations

import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest


def main(folder: Path, arguments: list[str]) -> int:
    """Put the module where `lenet.native` looks for it, then run pytest."""
    (path,) = folder.glob("_native*.so")
    name = "lenet.native._native"
    spec = spec_from_file_location(name, path, loader=ExtensionFileLoader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    status = pytest.main(["-n0", *arguments])  # another process would have the usual build
    from lenet.native import dispatch

    assert dispatch._native is sys.modules[name], "another build was tested"
    return int(status)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
