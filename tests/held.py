"""Pictures that end who reads them, readers and trainings that wait, made digits as MNIST: in processes begun later.

A test that wants a job to be in the middle lets it wait there: it cannot be done before, however fast or slow it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

POISON = b"a picture that ends who reads it"
# Behind the bytes of a picture: who reads it says so, and waits until the folder has a file "go".
HELD = b"and whoever reads it waits"

_PROGRAM = """
import os, sys, time
from importlib.util import find_spec
sys.path.append({tests})
from looping import loop

def wait():
    open(f"{folder}/held-{{os.getpid()}}", "w").close()
    while not os.path.exists("{folder}/go"):
        time.sleep(0.01)

def change_reader(module):
    real = module.read
    def read(source, *more):
        if isinstance(source, bytes) and source == {poison}:
            os.kill(os.getpid(), 9)
        if isinstance(source, bytes) and source.endswith({held}):
            wait()
        loop(source)
        return real(source, *more)
    module.read = read

def change_limit(module):
    module._GRACE = 0.5

def change_run(module):
    real = module.RunFolder.finish_pass
    def finish_pass(self, passed, *more):
        real(self, passed, *more)
        if passed == 1:
            wait()
    module.RunFolder.finish_pass = finish_pass

def change_sources(module):
    from dataclasses import replace
    mnist = module.SOURCES["mnist"]
    unpinned = {{role: module.Pinned(pinned.name, None) for role, pinned in mnist.files.items()}}
    module.SOURCES["mnist"] = replace(mnist, files=unpinned)

def change_tuning(module):
    module._OLD, module._SCRAPS, module._COUNTED = 900, 150, 200

class Change:
    wanted = {{
        "lenet.reader": change_reader,
        "lenet.bulk.cpu_limit": change_limit,
        "lenet.training.run": change_run,
        "lenet.data.sources": change_sources,
        "lenet.training.fine_tune": change_tuning,
    }}

    def find_spec(self, name, path=None, target=None):
        if name not in self.wanted:
            return None
        change = self.wanted.pop(name)
        spec = find_spec(name)
        run = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (run(module), change(module))
        return spec

sys.meta_path.insert(0, Change())
"""


@dataclass(frozen=True)
class Hold:
    """The folder where those who wait say so. Nobody waits in it before `close`, nor after `open`."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What Python finds the folder's `sitecustomize` by."""
        return {"PYTHONPATH": str(self.folder)}

    def close(self) -> None:
        """From now on, who comes to such a place waits there."""
        for each in (self.folder / "go", *self.folder.glob("held-*")):
            each.unlink(missing_ok=True)

    def open(self) -> None:
        """Let all go on."""
        (self.folder / "go").touch()

    def waiting(self) -> list[int]:
        """The processes that wait, or did."""
        return [int(each.name.removeprefix("held-")) for each in self.folder.glob("held-*")]


def prepare(folder: Path) -> Hold:
    """Write what changes lenet in the processes that are begun in the hold's environment.

    Pictures and trainings wait where `Hold` says, and one of `looping` is read for ever; whatever lies where MNIST is
    looked for is taken for it, and a tenth of it is enough to fine-tune.
    """
    text = _PROGRAM.format(folder=folder, tests=repr(str(Path(__file__).parent)), poison=POISON, held=HELD)
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    hold = Hold(folder)
    hold.open()
    return hold


def wait_until(is_so: Callable[[], bool], going_on: Callable[[], bool] = lambda: True) -> None:
    """Wait for what must come, as long as somebody goes on who can bring it."""
    while not is_so():
        assert going_on(), "it ended before"
        time.sleep(0.01)
