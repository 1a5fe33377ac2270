// A line network with its parameters, ready to score lines.
#pragma once

#include <vector>

#include "model.hpp"
#include "network.hpp"

namespace lenet {

// The records of a line network, checked. Throws std::invalid_argument for stages that do not follow each other.
class LineDescription {
  public:
    LineDescription(std::vector<LineStage> stages, int height);

    LineField field(int width) const;  // of the scores; 0 by 0 where there is none
    int narrowest() const { return narrowest_; }
    const LineNetwork& network() const { return network_; }

  private:
    LineNetwork network_{};
    int narrowest_ = 1;
};

class LineModel {
  public:
    // Throws std::invalid_argument for other than as many parameters as the network has.
    LineModel(const LineDescription& description, const float* parameters, long count, const Kernels& kernels);

    // Score `count` lines (height, width), width at least the narrowest: (count, maps, h, w). False if a value is NaN or
    // infinite.
    bool forward(const float* images, int width, long count, float* scores, int threads) const;

    const LineDescription& description() const { return description_; }

  private:
    LineDescription description_;
    const Kernels& kernels_;
    Floats packed_;
};

}  // namespace lenet
