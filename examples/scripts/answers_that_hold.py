"""How much is answered if at most one answer in a hundred may be wrong: python answers_that_hold.py PICTURE..."""

import sys

import lenet

for least in (None, 0.01):
    readings = [lenet.read(picture, max_error=least) for picture in sys.argv[1:]]
    answered = [reading.text for reading in readings if reading]
    print(f"{len(answered)} of {len(readings)} answered:", *answered)
