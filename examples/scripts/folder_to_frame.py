"""A folder of pictures becomes a data frame: python folder_to_frame.py FOLDER."""

import sys

import pandas

import lenet

frame = pandas.DataFrame([each.to_dict() for each in lenet.read_many(sys.argv[1])])
print(frame[["path", "text", "confidence"]].to_string(index=False))
