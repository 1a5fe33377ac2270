"""A network as ONNX, run by ONNX Runtime on a digit that lenet cut out: python onnx_elsewhere.py PICTURE."""

import sys
import numpy as np
import onnxruntime
import lenet
from lenet.export.onnx_graph import glyph_model

network = lenet.load("lenet5-modern")
session = onnxruntime.InferenceSession(glyph_model(network.weights))
glyph = lenet.read(sys.argv[1], digit=True).digits[0].glyph
(theirs,) = session.run(["probabilities"], {"glyphs": glyph[None]})
assert isinstance(theirs, np.ndarray)
print("ONNX Runtime:", theirs[0].argmax(), " lenet:", network.probabilities(glyph[None])[0].argmax())
