// Pictures in grey, and how they are resized: as OpenCV resizes them, which made what the networks learned from.
#pragma once

#include <cstddef>
#include <vector>

#include "../engine/network.hpp"

namespace lenet {

// A vector's lanes more may be read and written behind the last value.
struct Grey {
    int height = 0, width = 0;

    Grey() = default;
    Grey(int height, int width) : height(height), width(width), values_(size() + MOST_LANES) {}

    std::size_t size() const { return std::size_t(height) * std::size_t(width); }
    float* begin() { return values_.data(); }
    float* end() { return values_.data() + size(); }
    const float* begin() const { return values_.data(); }
    const float* end() const { return values_.data() + size(); }
    float* row(int y) { return values_.data() + std::size_t(y) * std::size_t(width); }
    const float* row(int y) const { return values_.data() + std::size_t(y) * std::size_t(width); }

  private:
    std::vector<float> values_;
};

// Resize values of 0 to 1: averaged when the picture shrinks, bicubic when it grows, the same when it fits.
Grey resize(const Kernels& kernels, const Grey& from, int width, int height);

}  // namespace lenet
