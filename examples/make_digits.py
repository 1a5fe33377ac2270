"""Write the glyphs of the ten digits among these pictures, as lenet sees them, side by side: what exports are tried on.

python examples/make_digits.py [FILE.png]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

import lenet
from lenet.segmentation.candidates import find_digit

# Pictures of the digits 0 to 9.
PICTURES = (
    *("fax.tif", "sticky-note.webp", "marker.png", "pencil.jpg", "photo.jpg"),
    *("chalk.jpg", "canvas.png", "pen.png", "thin.png", "canvas-white.png"),
)

if __name__ == "__main__":
    out = Path(lenet.__file__).parent / "assets" / "ten-digits.png"
    glyphs = [find_digit(Path(__file__).parent / name).glyphs[0] for name in PICTURES]
    Image.fromarray(np.hstack(glyphs)).save(sys.argv[1] if len(sys.argv) > 1 else out)
