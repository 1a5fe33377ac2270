"""The second reader, section VII's SDNN: the network slides along a line, and its columns spell the number."""

from __future__ import annotations

import numpy as np

from lenet.arrays import Float64, Int32
from lenet.decoding.graph import EPSILON, Graph
from lenet.network.spec import NOT_A_DIGIT


def build_column_graph(log_probs: Float64) -> tuple[Graph, Int32]:
    """Return the graph of what columns (w, 11) spell, and the column behind each of its arcs.

    The transducer of section VII: a label that goes on from one column to the next is said once, and said again only
    after a column of nothing. Node (column, state): the state is the label of the column before, nothing at first.
    """
    states = NOT_A_DIGIT + 1
    sources, targets, labels, penalties, columns = [], [], [], [], []
    width = len(log_probs)
    for column in range(width):
        for before in range(states) if column else (NOT_A_DIGIT,):
            for label in range(states):
                source = 0 if column == 0 else 1 + (column - 1) * states + before
                sources.append(source)
                targets.append(1 + column * states + label)
                labels.append(EPSILON if label in (NOT_A_DIGIT, before) else label)
                penalties.append(-float(log_probs[column, label]))
                columns.append(column)
    end = 1 + width * states
    for label in range(states):
        sources.append(1 + (width - 1) * states + label)
        targets.append(end)
        labels.append(EPSILON)
        penalties.append(0.0)
        columns.append(width - 1)
    from_, to, said = (np.array(each, np.int32) for each in (sources, targets, labels))
    graph = Graph(end + 1, from_, to, said, np.array(penalties), np.arange(len(labels), dtype=np.int32))
    return graph, np.array(columns, np.int32)
