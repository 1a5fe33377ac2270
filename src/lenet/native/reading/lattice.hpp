// What might be a digit: the twin of lenet/segmentation/lattice.py, by its names and in its order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lenet {

// A line of writing: the height of its digits in pixels, its slant (columns a row), its middle (rows, at column 0) and
// by how much that rises a column.
struct TextLine {
    double height, slant, middle, rise;
};

// What connected components, by their labels and boxes (left, top, right, bottom), a line is made of.
struct LineInk {
    const std::uint8_t* levels;  // (height, width) of the page
    const std::int32_t* labels;
    std::size_t width;
    const std::int32_t* own;  // `count` labels, and as many boxes
    const std::int32_t* boxes;
    std::size_t count;
};

// The slant of `slants` that makes the columns of the upright ink, `column` pixels wide, as full and as empty as can be,
// by about so many `samples` of it: the twin of `estimate_slant` in text_lines.py.
double estimate_slant(const LineInk& ink, const std::vector<double>& slants, double column, int samples);

constexpr std::size_t SHAPES = 9;

// How many pieces a line has; its runs of pieces (first, past), their boxes and what their shapes are.
struct Runs {
    int pieces = 0;
    std::vector<std::int32_t> arcs, boxes;
    std::vector<float> shapes;
};

// Cut a line's components into pieces, number these from `first` on into the map `pieces`, and propose the runs of the
// first `most` of them that may be digits.
Runs cut_line(const LineInk& ink, const TextLine& line, int first, int most, std::int32_t* pieces);

}  // namespace lenet
