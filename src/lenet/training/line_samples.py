"""Write a sheet of made lines, to look at: python -m lenet.training.line_samples OUT.png [--hands train|dev|none]."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lenet.errors import LenetError, UsageError
from lenet.training.line_stream import load_hands
from lenet.training.synthetic.fonts import find_fonts
from lenet.training.synthetic.line_sheet import write_sheet
from lenet.training.synthetic.lines import LineMaker


def main() -> None:
    """Write the sheet from the command line."""
    parser = argparse.ArgumentParser(description="Write a sheet of made lines, a row for each kind.")
    parser.add_argument("out", type=Path, metavar="OUT.png")
    parser.add_argument(
        "--hands", choices=("train", "dev", "none"), default="train", help="whose: none is fonts and drawn styles alone"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    try:
        print(sheet_lines(given.out, given.hands, given.seed))
    except LenetError as error:
        sys.exit(str(error))


def sheet_lines(out: Path, hands: str, seed: int = 0) -> Path:
    """Write a sheet of lines by the hands of a part, or by none; return its path. Raises UsageError or DataError."""
    fonts = find_fonts()
    if hands == "none" and not fonts.written:
        raise UsageError("--hands none", "needs fonts that write", "install fonts-breip and others, or set LENET_FONTS")
    maker = LineMaker(None if hands == "none" else load_hands("dev" if hands == "dev" else "train"), fonts)
    if not write_sheet(out, maker, seed):
        raise UsageError(out, "cannot be written", "give a folder that is there, and a name that ends with .png")
    return out


if __name__ == "__main__":
    main()
