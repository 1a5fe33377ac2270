"""The architecture, as a script can check it: the rooms in order, a home for each library, reading without PyTorch."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import FrameType

import pytest

import lenet
from lenet.preprocessing.parameters import WRITING

from conftest import ROOT

SOURCE = ROOT / "src" / "lenet"

# The house, from the ground up. A room is a package, or a module outside one; it imports only from rooms on lines above
# its own. Behind a package stand its modules: each imports only from those before it, and `__init__`, where it is more
# than a sentence, stands in its place.
HOUSE = """
version
lenet errors arrays files progress steps processes tuned
native: dispatch
network: spec probabilities summary inputs initialisation weights
preprocessing: parameters morphology sources decode frames colour paper illumination dropout binarize form_boxes
  ruled_lines pipeline
result
grids: flatten rules crossings grid_lines open_sides cells combs crops layout register
engine: packing reference gradients warp weighted lines line_loss learner __init__ tta transforms twins
  native_learners learners
nets: modules __init__ hub
segmentation: parameters components text_lines seams lattice strip line_strips glyphs candidates
decoding: graph formats alignments spacing whole_lines two_readers arc_scorer features sliding_window decoder confidence
  lines characters letters
data: idx sources fetch labels strokes dataset unipen unipen_sets
answers: whole_line line letters readers characters corrections page looks
reader
tables: result sight read_cells sums form read_page
export: parity onnx_graph to_onnx hub_cards to_pytorch quantised c_text c_source page_source to_c page_network
  page_machine to_html import_model __init__
bulk: inputs cpu_limit worker_pool jobs many outputs table_outputs shards ray_cluster
evaluation: interval calibration result digits numbers
drawing: pictures answers tables review lattice sliding_window show
training: distortions recipe recipes plan run ranks teacher synthetic.compose synthetic.styles synthetic.negatives
  synthetic.degrade synthetic.windows synthetic.marks synthetic.hand_glyphs synthetic.characters synthetic.codes
  synthetic.augment sequence_loss
  synthetic.fonts synthetic.displays synthetic.line_texts synthetic.line_paper synthetic.line_style
  synthetic.line_turned synthetic.line_picture synthetic.lines synthetic.line_sheet synthetic.line_variation
  synthetic.page_plan synthetic.page_photo
  synthetic.pages line_recipe line_stream own_lines line_torch line_engine line_backend line_samples backend
  engine_backend torch_backend backends loop watch grow line_run fine_tune corrections fit_scorer fit_decoder
  own_numbers start spread fit_characters fit_pair fit_spaces fit_letters card ship cell_samples cell_states fit_cells
sklearn
bench: timing tflite_graph contenders peers reading run
report: paper measured page rates claims classifiers boosting invariance parts figures sections verdicts write reproduce
serve: limits metrics page request model_registry inspect occlusion tasks readers training_jobs schema bodies guard
  request_head app_state training_routes app __init__
api
cli: progress summary data reading_job read table form explain evaluate train reproduce bench export import_model
  serve app __init__ torchrun
"""
# A function takes so many ways at most. These, which were there before the rule, take more; none comes to them.
MOST_DECISIONS = 20
TANGLED = {"report.reproduce.reproduce"}
# A room for each line of a package, one for each word of another line; and their longest chain of imports.
MOST_ROOMS, MOST_FLOORS = 33, 15
# What the picture given to `lenet.read` walks through, in this order; any of them may go on in C++.
WALK = ["preprocessing", "network", "segmentation", "answers", "engine", "decoding"]

# Each library may be imported in these places alone.
HOMES = {
    "torch": {"nets", "bench", "export.to_pytorch", "export.import_model"}
    | {f"training.{each}" for each in ("torch_backend", "line_torch", "ranks", "ship", "cell_states")},
    "onnx": {"export.onnx_graph", "export.import_model"},
    "onnxruntime": {"export.to_onnx", "bench"},
    "wasmtime": {"export.page_machine"},
    "openvino": {"bench"},
    "ai_edge_litert": {"bench"},
    "flatbuffers": {"bench"},
    "PIL": {"drawing", "training.synthetic.marks", "bench"}
    | {f"preprocessing.{each}" for each in ("sources", "decode", "frames")},
    "pillow_heif": {"preprocessing.decode"},
    "pypdfium2": {"preprocessing.frames"},
    "xlsxwriter": {"bulk.table_outputs"},
    "pyarrow": {"bulk.inputs", "bulk.outputs"},
    "ray": {"bulk.ray_cluster"},
    "cv2": {"preprocessing", "segmentation", "grids", "training.synthetic", "bench"},
    "safetensors": {"network.weights", "training.run", "export.import_model"},
    "typer": {"cli"},
    "rich": {"cli"},
    "urllib": {"bulk.ray_cluster", "cli.serve", "data.fetch", "serve.guard"},
    "fastapi": {"serve"},
    "starlette": {"serve"},
    "uvicorn": {"serve"},
    "segno": {"serve"},
    "pydantic": {"serve"},
    "prometheus_client": {"serve"},
    "matplotlib": {"report"},
    "sklearn": {"report", "sklearn"},
    "huggingface_hub": {"nets.hub"},
    "scipy": set(),
    "requests": set(),
}


def house() -> tuple[dict[str, int], dict[str, list[str]]]:
    """The floor of each room as `HOUSE` has it, and the modules of each package in their order."""
    floors: dict[str, int] = {}
    inside: dict[str, list[str]] = {}
    package = ""
    for floor, line in enumerate(HOUSE.strip().splitlines()):
        if line.startswith(" "):
            inside[package] += line.split()
        elif ":" in line:
            package, _colon, names = line.partition(":")
            floors[package], inside[package] = floor, names.split()
        else:
            floors |= dict.fromkeys(line.split(), floor)
    return floors, inside


FLOORS, INSIDE = house()


def modules() -> list[tuple[str, Path]]:
    """Every module of the package: its name below `lenet` ("network.spec", "engine.__init__"), and its path."""
    found = []
    for path in sorted(set(SOURCE.rglob("*.py")) - {SOURCE / "__main__.py"}):  # which is `cli`
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found.append((".".join(parts) if parts != ("__init__",) else "lenet", path))
    return found


MODULES = modules()
NAMES = {name for name, _path in MODULES}
EVERY = pytest.mark.parametrize(("name", "path"), MODULES, ids=[name for name, _path in MODULES])


@cache
def parse(path: Path) -> ast.Module:
    """What a file holds; parsed once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports(path: Path) -> set[str]:
    """The absolute names that a file imports, wherever in the file; type checking blocks are left out."""
    tree = parse(path)
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


def imported_modules(path: Path) -> set[str]:
    """The modules of ours that a file imports; the native engine, which is compiled, is none."""
    found = set()
    for name in imports(path):
        root, _dot, inner = name.partition(".")
        if root != "lenet" or "_native" in inner:
            continue
        above = inner.rpartition(".")[0]
        candidates = (inner, f"{inner}.__init__", above, f"{above}.__init__")
        found.add(next((each for each in candidates if each in NAMES), "lenet"))
    return found


def room(name: str) -> str:
    """The room that a module is in, or is."""
    return name.split(".", maxsplit=1)[0]


@EVERY
def test_no_import_goes_up(name: str, path: Path) -> None:
    """A room imports only from rooms on lines above its own, a module of a package from those before it there."""
    for other in imported_modules(path) - {name}:
        if room(other) != room(name):
            assert FLOORS[room(other)] < FLOORS[room(name)], f"{name} imports {other}"
        else:
            own = INSIDE[room(name)]
            place, before = (own.index(each.partition(".")[2]) for each in (name, other))
            assert before < place, f"{name} imports {other}"


def test_every_module_has_its_place() -> None:
    """A new module is given one, and what is gone is struck out; a package may begin with a sentence alone."""
    placed = {f"{package}.{name}" for package, names in INSIDE.items() for name in names}
    placed |= set(FLOORS) - set(INSIDE)
    assert placed <= NAMES
    for name in NAMES - placed:
        body = parse(SOURCE / f"{name.replace('.', '/')}.py").body
        assert name.endswith("__init__"), f"{name} has no place"
        assert [type(node) for node in body] == [ast.Expr], f"{name} is more than a sentence and has no place"


def test_the_house_is_small_enough_to_know() -> None:
    """So many rooms, and no longer chain of imports from one to the next than so many floors."""
    below: dict[str, set[str]] = {name: set() for name in FLOORS}
    for name, path in MODULES:
        below[room(name)] |= {room(other) for other in imported_modules(path)} - {room(name)}

    def height(name: str) -> int:
        return 1 + max(map(height, below[name]), default=0)

    assert len(FLOORS) <= MOST_ROOMS
    assert max(map(height, FLOORS)) <= MOST_FLOORS


@pytest.mark.engine
def test_a_picture_walks_through_the_pipeline() -> None:
    """`lenet.read` enters these packages and no other, each first after the one before it."""
    network = lenet.load()
    lenet.read(ROOT / "examples" / "touching.jpg", model=network)
    entered: list[str] = []

    def watch(frame: FrameType, event: str, _argument: object) -> None:
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(SOURCE) and path.parent != SOURCE:
            package = path.relative_to(SOURCE).parts[0]
            if package not in {*entered, "native"}:
                entered.append(package)

    sys.setprofile(watch)
    try:
        lenet.read(ROOT / "examples" / "touching.jpg", model=network)
    finally:
        sys.setprofile(None)
    assert entered == WALK


@EVERY
def test_every_library_stays_at_home(name: str, path: Path) -> None:
    """PyTorch, Pillow, OpenCV and the rest are imported in their own places alone."""
    for imported in imports(path):
        library = imported.split(".")[0]
        if library in HOMES:
            assert any(f"{name}.".startswith(f"{home}.") for home in HOMES[library]), f"{name} imports {library}"


def test_a_process_with_a_pipe_is_started_in_one_place() -> None:
    """Who wants one asks `lenet.processes` for it."""
    assert [name for name, path in MODULES if ".Process(" in path.read_text(encoding="utf-8")] == ["processes"]


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


def count_decisions(function: ast.AST) -> int:
    """The ways through a function: one, and one more for each condition, loop and error that is caught in it."""
    ways = 1
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        waiting += ast.iter_child_nodes(node)
        branches = (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert, ast.match_case)
        if isinstance(node, ast.BoolOp):
            ways += len(node.values) - 1
        elif isinstance(node, ast.comprehension):
            ways += 1 + len(node.ifs)
        elif isinstance(node, branches):
            ways += 1
    return ways


def test_functions_read_as_their_steps() -> None:
    """None takes more than so many ways, but for those that are named, and none has a class inside."""
    tangled, hidden = set(), []
    for name, path in MODULES:
        for function in ast.walk(parse(path)):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                if count_decisions(function) > MOST_DECISIONS:
                    tangled.add(f"{name}.{function.name}")
                hidden += [f"{name}.{each.name}" for each in ast.walk(function) if isinstance(each, ast.ClassDef)]
    assert tangled == TANGLED
    assert not hidden


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
    """What `lenet read` of pictures leaves in sys.modules: nothing heavy, no other command, no parser of options."""
    program = (
        "import sys\nfrom lenet.cli import main\n"
        "try: main(['read', 'examples/zip.jpg'])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'matplotlib', 'scipy', 'pandas', 'onnxruntime', 'fastapi', 'typer', 'lenet.cli.train'}\n"
        "print(sorted(heavy & {part for name in sys.modules for part in (name, name.split('.')[0])}))\n"
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
    assert sorted(lenet.__all__) == lenet.__all__
    assert {"Reading", "read", "read_many", "explain", "load", "list_models", "list_networks"} <= set(lenet.__all__)
    for name in lenet.__all__:
        assert callable(getattr(lenet, name))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = lenet.nonsense


def test_no_two_classes_share_a_public_name() -> None:
    """A name says one thing; only the service's descriptions of answers are called as what they describe."""
    names = [
        node.name
        for name, path in MODULES
        if name != "serve.schema"
        for node in parse(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    assert sorted(names) == sorted(set(names)), sorted({name for name in names if names.count(name) > 1})


def test_what_stood_several_times_stands_once() -> None:
    """The floor of a logarithm, the weights of luminance, the shape of a disc, the type of a box, a line's decoding."""
    once = {
        "np.log(np.maximum(probability": "network/probabilities.py",
        "0.299": "preprocessing/decode.py",
        "MORPH_ELLIPSE": "preprocessing/morphology.py",
        "Box = tuple": "result.py",
        "decode(graph, np.stack([graph.sources": "decoding/lines.py",
    }
    for text, home in once.items():
        found = [str(path.relative_to(SOURCE)) for _name, path in MODULES if text in path.read_text(encoding="utf-8")]
        assert found == [home], text


def test_the_documents_name_what_there_is() -> None:
    """Modules and functions that CONTRIBUTING.md and the documents name by their path below `lenet`."""
    packages = "|".join(INSIDE)
    for document in (ROOT / "CONTRIBUTING.md", ROOT / "docs" / "design.md", ROOT / "docs" / "reading.md"):
        for name in re.findall(rf"`((?:{packages})(?:\.\w+)+)`", document.read_text(encoding="utf-8")):
            module, _dot, last = f"lenet.{name}".rpartition(".")
            try:
                importlib.import_module(f"lenet.{name}")
            except ModuleNotFoundError:
                assert hasattr(importlib.import_module(module), last), f"{document.name}: {name}"


def test_the_document_knows_from_where_on_writing_is_reduced() -> None:
    """Twice the height that is enough."""
    words = f"writing of {2 * WRITING.high_enough} pixels or more is reduced"
    assert words in (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
