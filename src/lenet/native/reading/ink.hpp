// Paper and pen: the twin of `find_ink` in lenet/preprocessing/binarize.py, by its names and in its order.
#pragma once

#include <cstdint>
#include <vector>

#include "../engine/network.hpp"

namespace lenet {

// What `find_ink` finds. `sign` is 1 for light ink, -1 for dark, 0 for none: then all else is empty.
struct FoundInk {
    std::vector<std::uint8_t> levels, strokes;  // (height, width): how much ink there is, and where it is sure
    double noise = 0;   // the paper's standard deviation, in levels
    double edge = 0;    // how far it is from paper to pen, in pixels
    double spread = 0;  // how uneven the light is, in grey levels
    int sign = 0;
    bool ambiguous = false;
};

FoundInk find_ink(const Kernels& kernels, const std::uint8_t* grey, int height, int width, bool inverted);

}  // namespace lenet
