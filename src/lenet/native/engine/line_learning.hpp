// Training a line network: mini-batches of lines of one width, the loss over all alignments, AdamW.
#pragma once

#include <vector>

#include "line_model.hpp"
#include "model.hpp"
#include "network.hpp"

namespace lenet {

// A mini-batch of `count` lines (height, width), of each its first `columns` columns of labels, and its text: the first
// `lengths` of a row of `longest` labels.
struct LineBatch {
    const float* images;
    const int *columns, *texts, *lengths;
    long count, longest;
    int width;
};

struct LineSettings {
    int columns;        // of labels, at each place of the output
    float decay, first, second, epsilon;
    float longest_step;  // the gradient is cut to this length
    double averaging;    // decay of the running average per step
};

// The same bits for any number of threads.
class LineLearner {
  public:
    // Throws std::invalid_argument for layers that cannot be trained.
    LineLearner(const LineDescription& description, const LineSettings& settings, const Kernels& kernels);

    // A step; returns the mean loss of a line.
    double step(const LineBatch& batch, float rate, int threads);

    const LineDescription& description() const { return description_; }
    int labels() const { return description_.network().last().maps / settings_.columns; }
    int columns() const { return settings_.columns; }

    Floats parameters, mean, square, average, gradient;
    long steps = 0;

  private:
    double learn(const LineBatch& batch, long first, long last, float* block);
    void move(const LineStage& stage, const Adam& rule);

    LineDescription description_;
    const Kernels& kernels_;
    LineSettings settings_;
    Floats packed_, packed_back_, blocks_;
};

}  // namespace lenet
