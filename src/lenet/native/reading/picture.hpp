// Pictures in grey, and how they are resized: as OpenCV resizes them, which made what the networks learned from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "../engine/network.hpp"

namespace lenet {

// Buffers of at least so many values, which a thread keeps for the next picture: a page of a megapixel asks for many of
// four megabytes, and a fresh one costs more than what is done with it.
std::vector<float> take_floats(std::size_t size);
void give_floats(std::vector<float> buffer);

// A vector's lanes more may be read and written behind the last value. The values of a new one are not set.
class Grey {
  public:
    int height = 0, width = 0;

    Grey() = default;
    Grey(int height, int width) : height(height), width(width), values_(take_floats(size() + MOST_LANES)) {}
    Grey(int height, int width, float value) : Grey(height, width) { std::fill(values_.begin(), values_.end(), value); }
    Grey(const Grey& from) : Grey(from.height, from.width) { std::copy(from.begin(), from.end(), begin()); }
    Grey(Grey&&) = default;
    Grey& operator=(Grey&& from) noexcept {
        std::swap(height, from.height);
        std::swap(width, from.width);
        values_.swap(from.values_);
        return *this;
    }
    ~Grey() { give_floats(std::move(values_)); }

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

// Resize to a smaller picture: each pixel is the average of what it covers.
Grey average(const Kernels& kernels, const Grey& from, int width, int height);

// Resize to a larger picture: straight from one pixel's middle to the next.
Grey interpolate(const Kernels& kernels, const Grey& from, int width, int height);

}  // namespace lenet
