// Where ink that hangs together may be cut: the twin of lenet/segmentation/seams.py, by its names and in its order.
#pragma once

#include <cstdint>
#include <vector>

namespace lenet {

// The ink of a piece's box: levels (height, width), rows `stride` apart, and which pixels are the piece's own (label).
struct Part {
    const std::uint8_t* levels;
    const std::int32_t* labels;
    std::size_t stride;
    int height, width;
    std::int32_t label;

    bool own(int y, int x) const { return labels[std::size_t(y) * stride + std::size_t(x)] == label; }
    std::uint8_t level(int y, int x) const { return levels[std::size_t(y) * stride + std::size_t(x)]; }
};

// A cut from the top of its ink to the bottom: the first column on its right, row by row; how much ink it crosses, and
// paper inside ink, which counts less, as a share of the line's height.
struct Seam {
    std::vector<float> columns;
    double cost;
};

// The cuts of a connected piece of ink, from left to right; none if it is narrow. `slant` is how far upright strokes
// lean to the right from the bottom up, a row; `line_height` the height of the line's digits, in pixels.
std::vector<Seam> find_seams(const Part& part, double slant, double line_height);

}  // namespace lenet
