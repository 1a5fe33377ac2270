"""Frames are read as they come, until one is answered: python camera_frames.py VIDEO, or the number of a camera."""

import sys

import cv2

import lenet

source = sys.argv[1]
camera = cv2.VideoCapture(int(source) if source.isdigit() else source)
frames = (frame for taken, frame in iter(camera.read, (False, None)) if taken)
readings = lenet.read_many(frames, workers=1)
answers = (reading.text for reading in readings if isinstance(reading, lenet.Reading) and reading)
print(next(answers, "nothing is sure"))
