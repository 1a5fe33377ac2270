// Graphs of segmentations: the twin of lenet/decoding/graph.py and of what `decoder.py` ranks, by their names.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "texts.hpp"

namespace lenet {

// The label of an arc that says nothing.
constexpr int EPSILON = -1;

// Nodes 0 (the start) to `nodes` - 1 (the end); each arc leads from a source to a larger target, says a label or
// nothing and costs a penalty, minus a log-probability up to a constant.
struct Graph {
    std::size_t nodes, arcs;
    const int *sources, *targets, *labels;
    const double* penalties;
};

// The least penalty from start to end, and the arcs of that path; infinite and none without a path.
std::pair<double, std::vector<int>> viterbi(const Graph& graph);

// The forward penalty of every node: minus the log of the sum over paths to it.
std::vector<double> forward(const Graph& graph);

// The forward penalty of the whole graph, and each arc's share of the sum over all paths.
std::pair<double, std::vector<double>> posteriors(const Graph& graph);

// The forward penalty of the paths that say these labels alone; infinite without any.
double text_penalty(const Graph& graph, const Text& text);

// A text and what it costs, all of its segmentations that were followed added up.
struct Ranked {
    Text text;
    double cost;
};

// The texts that cost least: a beam over the nodes, of so many texts at each, by the arcs that are not much unlikelier
// than the best way to their target. Labels are below `labels`.
std::vector<Ranked> rank_texts(const Graph& graph, std::size_t labels, std::size_t followed, double unlikely);

}  // namespace lenet
