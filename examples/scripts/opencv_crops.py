"""Numbers cut out of a page with OpenCV are read together: python opencv_crops.py PAGE."""

import sys

import cv2
import numpy as np

import lenet

page = cv2.imread(sys.argv[1])
assert page is not None, "no picture"
for reading in lenet.read_many(np.array_split(page, 2)):
    print("cannot be read" if isinstance(reading, lenet.LenetError) else f"{reading.text or reading.guess} {reading}")
