"""Numbers cut out of a page with OpenCV are read together: python opencv_crops.py PAGE."""

import sys

import cv2

import lenet

page = cv2.imread(sys.argv[1])
middle = len(page) // 2
for reading in lenet.read_many([page[:middle], page[middle:]]):
    print(reading.text or f"perhaps {reading.guess}", f"{reading.confidence:.2f}")
