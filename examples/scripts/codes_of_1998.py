"""What F6 of the paper's network says, beside the nearest codes of Fig. 3: python codes_of_1998.py PICTURE."""

import sys

import numpy as np

import lenet
from lenet.network.spec import code

glyph = lenet.read(sys.argv[1], digit=True).digits[0].glyph
f6 = lenet.load("lenet5-1998").activations(glyph)["F6"].ravel()
away = {digit: float(((f6 - np.array(code(ord(digit)))) ** 2).sum()) for digit in "0123456789"}
for digit in sorted(away, key=lambda digit: away[digit])[:3]:
    print(f"{digit}: squared distance {away[digit]:.1f}")
