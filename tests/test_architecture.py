"""The house rules that a script can check: imports go one way, libraries have one home, reading needs no PyTorch."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT

SOURCE = ROOT / "src" / "lenet"

# A module imports only from lines above its own (and from its own line only inside a package).
ORDER = [
    "lenet",
    "errors spec",
    "anatomy arrays interval files sources",
    "table labels",
    "initial judge mnist result pixels",
    "image weights fetch graph",
    "holdings",
    "ink boxes pattern draw",
    "components rules cuts pens sheet tint",
    "lines shadow",
    "segment",
    "glyph evidence sweep",
    "sight decode draw_number draw_sweep",
    "trust",
    "calibrate",
    "dataset",
    "engine",
    "changes looks",
    "reader measure",
    "crew",
    "jobs cluster",
    "parts",
    "corrections measure_numbers",
    "nets",
    "training",
    "export",
    "bench",
    "report",
    "serve",
    "api",
    "cli",
]
LEVEL = {name: level for level, names in enumerate(ORDER) for name in names.split()}

# Each library may be imported in these places alone.
HOMES = {
    "torch": {
        "nets",
        "training.torch_backend",
        "training.ranks",
        "training.ship",
        "export.to_pytorch",
        "export.brought",
        "bench",
    },
    "onnx": {"export.onnx_graph", "export.brought"},
    "onnxruntime": {"export.to_onnx", "bench"},
    "PIL": {"image", "draw", "draw_number", "draw_sweep"},
    "pyarrow": {"table", "holdings"},
    "ray": {"cluster"},
    "cv2": {
        *("sheet", "shadow", "pens", "ink", "boxes", "rules", "components", "lines", "cuts", "glyph", "sight", "sweep"),
        *("training.world", "training.compose", "training.rubbish", "training.styles", "training.school"),
    },
    "safetensors": {"weights", "training.run", "export.brought"},
    "typer": {"cli"},
    "rich": {"cli"},
    "urllib": {"cluster", "fetch", "serve.guard"},
    "fastapi": {"serve"},
    "starlette": {"serve"},
    "uvicorn": {"serve"},
    "pydantic": {"serve"},
    "prometheus_client": {"serve"},
    "matplotlib": {"report"},
    "sklearn": {"report"},
    "huggingface_hub": {"nets.hub"},
    "scipy": set(),
    "requests": set(),
}


def modules() -> list[tuple[str, Path]]:
    """Every module of the package: its name below `lenet`, and its path."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found.append((".".join(part for part in parts if part != "__init__") or "lenet", path))
    return found


def imports(path: Path) -> set[str]:
    """The absolute names that a file imports, wherever in the file; type checking blocks are left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            skipped.update(child for child in ast.walk(node))
    names: set[str] = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize(("name", "path"), modules(), ids=[name for name, _path in modules()])
def test_imports_go_one_way(name: str, path: Path) -> None:
    """A module imports only from lines above its own in the order of the house."""
    own = name.split(".", maxsplit=1)[0]
    for imported in imports(path):
        parts = imported.split(".")
        if parts[0] == "lenet" and len(parts) > 1 and not parts[1].startswith("_"):
            other = parts[1]
            if other in LEVEL and other != own:
                assert LEVEL[other] < LEVEL[own], f"{name} imports {imported}"


@pytest.mark.parametrize(("name", "path"), modules(), ids=[name for name, _path in modules()])
def test_every_library_stays_at_home(name: str, path: Path) -> None:
    """PyTorch, Pillow, OpenCV and the rest are imported in their own places alone."""
    for imported in imports(path):
        library = imported.split(".")[0]
        if library in HOMES:
            assert any(name == home or name.startswith(f"{home}.") for home in HOMES[library]), (
                f"{name} imports {library}"
            )


def test_every_module_has_its_place_in_the_order() -> None:
    """A new module is given a line."""
    assert {name.split(".")[0] for name, _path in modules()} <= set(LEVEL)


def test_no_file_is_long() -> None:
    """Nothing above 450 lines, half of the files under 200."""
    folders = ("src", "tests", "examples", "benchmarks")
    sizes = sorted(
        len(path.read_text(encoding="utf-8").splitlines())
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
    )
    assert sizes[-1] <= 450
    assert sizes[len(sizes) // 2] < 200


CREATE = """
import lenet
from lenet.errors import LenetError
try:
    lenet.create_model("lenet5")
except LenetError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
"""

BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "matplotlib", "scipy", "fastapi"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Block())
"""


def run_blocked(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a Python where PyTorch and the other heavy libraries cannot be imported."""
    command = [sys.executable, "-c", BLOCKED + program]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)


def test_reading_and_evaluating_need_no_pytorch() -> None:
    """With PyTorch blocked: read, explain's activations, create a summary."""
    found = run_blocked(
        "import lenet, numpy as np\n"
        "print(lenet.read('examples/pen.png').text)\n"
        "network = lenet.load()\n"
        "print(sorted(network.activations(np.zeros((28, 28), np.uint8))))\n"
        "from lenet.cli import main\n"
        "main(['read', 'examples/pen.png'])\n"
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[0] == "7"
    assert found.stdout.splitlines()[-1].startswith("examples/pen.png\t7\t")


@pytest.mark.parametrize(
    ("program", "what"),
    [
        (
            "from lenet.cli import main; main(['train', '--recipe', 'quick', '--backend', 'torch'])",
            "training with the torch backend",
        ),
        (CREATE, "create_model"),
    ],
)
def test_a_missing_extra_gives_the_install_command(program: str, what: str) -> None:
    """One line with the exact command."""
    found = run_blocked(program)
    assert found.returncode == 1
    assert found.stderr.strip() == f"{what}: needs PyTorch, which is not installed; pip install 'lenet[torch]'"


def test_reading_loads_neither_pytorch_nor_plotting() -> None:
    """What `lenet read` leaves in sys.modules."""
    program = (
        "import sys\nfrom lenet.cli import main\n"
        "try: main(['read', 'examples/pen.png'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'matplotlib', 'scipy', 'pandas', 'onnxruntime', 'fastapi'}\n"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True, env=dict(os.environ)
    )
    assert found.stdout.splitlines()[-1] == "[]"


def test_importing_lenet_is_light() -> None:
    """`import lenet` alone loads neither NumPy nor OpenCV: everything comes when it is first used."""
    program = "import sys, lenet; print(sorted({'numpy', 'cv2', 'torch', 'PIL'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_public_names_are_there() -> None:
    """`lenet.__all__` is what can be had, and nothing in it is missing."""
    import lenet

    assert sorted(lenet.__all__) == [
        "LenetError",
        "Network",
        "Reading",
        "create_model",
        "evaluate",
        "list_models",
        "load",
        "read",
        "train",
    ]
    for name in lenet.__all__:
        assert callable(getattr(lenet, name))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = lenet.nonsense
