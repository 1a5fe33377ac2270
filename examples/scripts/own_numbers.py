"""Learn from pictures of one's own numbers, and read with that: python own_numbers.py FOLDER PICTURE OUT."""

import sys

import lenet

folder, picture, out = sys.argv[1:]
result = lenet.train("own-numbers", folder, out)
print(f"{result['before']['own']['errors']} wrong before, {result['after']['own']['errors']} after")
print(lenet.read(picture, model=f"{out}/weights.safetensors").text)
