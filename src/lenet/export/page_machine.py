"""The page's machine, run here: the same WebAssembly that a browser runs, by Wasmtime."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np

from lenet.arrays import Float32, Uint8
from lenet.export.page_network import PageNetwork
from lenet.network.inputs import to_input
from lenet.network.spec import GLYPH_SIZE

_PAGE = 65_536


def read_machine(*, simd: bool) -> bytes:
    """Return the compiled machine that comes with lenet, with SIMD or for any browser; `make wasm` builds both."""
    return (files("lenet") / "assets" / "page" / ("machine-simd.wasm" if simd else "machine.wasm")).read_bytes()


class PageMachine:
    """A network in the page's machine: `run` scores a glyph, `draw_glyph` makes one of a drawing.

    Both machines give the same to the bit. Raises ImportError where Wasmtime is not installed.
    """

    def __init__(self, network: PageNetwork, *, simd: bool = True) -> None:
        import wasmtime

        self._network = network
        self._store = wasmtime.Store()
        module = wasmtime.Module(self._store.engine, read_machine(simd=simd))
        exports: Any = wasmtime.Instance(self._store, module, []).exports(self._store)
        self._exports = exports
        self._memory = exports["memory"]
        self._free = int(exports["__heap_base"].value(self._store))
        self._records = self._put(np.array(network.flat_records, np.int32).tobytes())
        self._parameters = self._put(network.parameters.tobytes())
        self._values = self._reserve(4 * network.values)

    def run(self, glyph: Uint8) -> Float32:
        """Return every layer's values (n,) for a glyph (28, 28), the input first, one layer after the other."""
        margin = self._network.description["margin"]
        field = to_input(glyph[None])[0, 0]
        inside = np.ascontiguousarray(field[margin : 32 - margin, margin : 32 - margin])
        self._memory.write(self._store, inside.tobytes(), self._values)
        count = len(self._network.records)
        self._exports["network_run"](self._store, self._records, count, self._parameters, self._values)
        return np.frombuffer(self._read(self._values, 4 * self._network.values), np.float32)

    def find_gradient(self, glyph: Uint8, label: int) -> Float32:
        """Return the slopes (n,) of the loss in the parameters, for a glyph (28, 28) of that label."""
        self.run(glyph)
        before = self._free
        masks = self._put(self._network.masks.tobytes())
        slopes = self._reserve(4 * self._network.values)
        gradient = self._put(np.zeros_like(self._network.parameters).tobytes())
        given = self._records, len(self._network.records), self._parameters, masks, self._values, label
        self._exports["network_back"](self._store, *given, slopes, gradient)
        self._free = before
        return np.frombuffer(self._read(gradient, 4 * len(self._network.parameters)), np.float32)

    def draw_glyph(self, page: Uint8) -> Uint8 | None:
        """Return the glyph (28, 28) of a drawing (h, w), or None if nothing is drawn on it."""
        height, width = page.shape
        before = self._free
        needed = self._exports["drawing_memory"](self._store, width, height)
        memory = self._reserve(int(needed))
        drawn = self._put(np.ascontiguousarray(page).tobytes())
        out = self._reserve(GLYPH_SIZE**2)
        found = self._exports["drawing_glyph"](self._store, memory, drawn, width, height, out)
        glyph = np.frombuffer(self._read(out, GLYPH_SIZE**2), np.uint8).reshape(GLYPH_SIZE, GLYPH_SIZE)
        self._free = before
        return glyph if found else None

    def _read(self, place: int, size: int) -> bytes:
        return bytes(self._memory.read(self._store, place, place + size))

    def _put(self, data: bytes) -> int:
        place = self._reserve(len(data))
        self._memory.write(self._store, data, place)
        return place

    def _reserve(self, size: int) -> int:
        """Return the place of so many bytes more of the machine's memory."""
        place = (self._free + 15) // 16 * 16
        self._free = place + size
        missing = self._free - self._memory.data_len(self._store)
        if missing > 0:
            self._memory.grow(self._store, -(-missing // _PAGE))
        return place
