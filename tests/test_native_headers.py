"""The headers of the native engine: each includes what it uses, whatever was included before it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT

NATIVE = ROOT / "src" / "lenet" / "native"
# Nanobind's own headers are there only while the engine is built.
HEADERS = sorted(set(NATIVE.glob("*/*.hpp")) - {NATIVE / "engine" / "bindings.hpp"})
# As the kernels of SSE2 or NEON are compiled; `make neon` and CMakeLists.txt have the same.
FLAGS = ["-std=c++17", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-DLENET_ISA=alone", "-DLENET_LANES=4"]


@pytest.mark.parametrize("header", HEADERS, ids=[f"{header.parent.name}/{header.name}" for header in HEADERS])
def test_a_header_compiles_alone(header: Path) -> None:
    """A file that includes nothing else is a whole program text."""
    compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("needs a C++ compiler")
    command = [compiler, *FLAGS, "-I", str(NATIVE), "-x", "c++", "-"]
    given = f'#include "{header.relative_to(NATIVE)}"\n'
    found = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr[:2000]


def test_all_headers_are_looked_at() -> None:
    """A folder that moved leaves no test without cases."""
    assert {"network.hpp", "forward.hpp", "steps.hpp", "glyphs.hpp"} <= {header.name for header in HEADERS}
