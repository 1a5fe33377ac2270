"""The network in a pipeline of scikit-learn, on its own digits of 8x8 made larger: python sklearn_pipeline.py."""

import numpy as np
from lenet.sklearn import LeNetClassifier
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

data, labels = load_digits(return_X_y=True)  # greys from 0 to 16
larger = FunctionTransformer(lambda x: np.kron(x.reshape(-1, 8, 8) / 16, np.ones((3, 3))))
padded = FunctionTransformer(lambda x: np.pad(x, ((0, 0), (2, 2), (2, 2))).reshape(len(x), -1))
print(cross_val_score(make_pipeline(larger, padded, LeNetClassifier(passes=2)), data, labels, cv=3))
