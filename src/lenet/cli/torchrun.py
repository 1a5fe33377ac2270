"""What torchrun starts in each process: python -m lenet.cli.torchrun OPTIONS is `lenet train OPTIONS`."""

from __future__ import annotations

import sys

from lenet.cli import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
