// Masks of a page, 0 and 1: grown by a disc, and what of one hangs together with another.
#pragma once

#include <cstdint>
#include <vector>

#include "disc.hpp"

namespace lenet {

using Mask = std::vector<std::uint8_t>;

Disc make_disc(int radius);

// All pixels within a disc of radius 3 at most around the pixels of a mask.
Mask grow(const Mask& mask, int height, int width, int radius);

// The pixels of `weak` that hang together, corners included, with one of `strong`.
Mask keep_connected(const Mask& weak, const Mask& strong, int height, int width);

}  // namespace lenet
