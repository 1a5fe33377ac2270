// The loss of a line: minus the logarithm of the sum over all alignments of its text to the columns (section VII).
#pragma once

#include <vector>

namespace lenet {

// The scores of one line, `places` wide: those of column t for label l stand in map t % columns * labels + l, at place
// t / columns. The last label is for nothing.
struct LineScores {
    const float* scores;
    int places, columns, labels;

    long at(int column, int label) const { return (long(column % columns) * labels + label) * places + column / columns; }
};

// The rooms that the sums over alignments need, kept from line to line.
struct Alignments {
    std::vector<double> log_probs, forward, backward;
};

// The loss of a text of `count` labels on the first `columns` columns, which is divided by count + 1. Its gradient, times
// `weight`, is put into `d_scores`, as large as the scores, zero where no column is. A text that has no alignment has no
// loss and no gradient.
double line_loss(const LineScores& line, int columns, const int* text, int count, float weight, float* d_scores, Alignments& room);

}  // namespace lenet
