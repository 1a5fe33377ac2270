// A line network with its parameters, ready to score lines.
#pragma once

#include <vector>

#include "model.hpp"
#include "network.hpp"

namespace lenet {

class LineModel {
  public:
    // Throws std::invalid_argument for stages that do not follow each other, or other than as many parameters as they have.
    LineModel(std::vector<LineStage> stages, int height, const float* parameters, long count, const Kernels& kernels);

    // Score `count` lines (height, width), width at least `narrowest`: (count, maps, h, w). False if a value is NaN or
    // infinite.
    bool forward(const float* images, int width, long count, float* scores, int threads) const;

    LineField field(int width) const;
    int narrowest() const { return narrowest_; }
    const LineNetwork& network() const { return network_; }

  private:
    LineNetwork network_{};
    const Kernels& kernels_;
    Floats packed_;
    int narrowest_ = 1;
};

}  // namespace lenet
