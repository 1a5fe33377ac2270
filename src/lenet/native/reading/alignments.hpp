// What the columns of a line spell: the twin of lenet/decoding/alignments.py, by its names and in its order.
#pragma once

#include <cstddef>
#include <vector>

#include "texts.hpp"

namespace lenet {

// The log-probabilities (columns, labels) of a line, the last label saying nothing.
struct Columns {
    const double* log_probs;
    std::size_t columns, labels;

    const double* operator[](std::size_t column) const { return log_probs + column * labels; }
    std::size_t nothing() const { return labels - 1; }
};

// From which column to which, past the last, a label is said.
struct Span {
    int first, past;
};

// The likeliest texts, likeliest first: a beam of so many, alignments added up. `allowed` may be null.
std::vector<Text> find_texts(const Columns& line, std::size_t width, const Automaton* allowed);

// The log-probability of each text: the forward sum over all of its alignments.
std::vector<double> score_texts(const Columns& line, const std::vector<Text>& texts);

// Where each label of a text is said on its best alignment; none if there are fewer columns than the text needs.
std::vector<Span> place_labels(const Columns& line, const Text& text);

}  // namespace lenet
