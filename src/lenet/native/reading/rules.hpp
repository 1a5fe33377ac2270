// Long straight thin ink: the twin of `_find_rules` in lenet/preprocessing/ruled_lines.py, by its names and in its order;
// and how far ink goes on from a line, the twin of `follow_side` in form_boxes.py.
#pragma once

#include <cstdint>
#include <vector>

namespace lenet {

// The strokes of a page, 0 and 1.
struct Strokes {
    const std::uint8_t* values;
    int height, width;

    const std::uint8_t* row(int y) const { return values + std::size_t(y) * std::size_t(width); }
};

// The ink (height, width of the page) of a nearly level line, whose first row is the page's row `top`.
struct RuleInk {
    int top = 0, height = 0;
    std::vector<std::uint8_t> ink;
};

// Long thin nearly horizontal lines, at least `slimmest` times as long as thick.
std::vector<RuleInk> find_rules(const Strokes& strokes, int slimmest);

// A ruled line: its slope, its height at column 0, and its thickness.
struct RuledLine {
    double slope, height, thickness;
};

// How far ink goes on from each of `count` columns of a line, from the column `first` on, up to `steps` pixels at right
// angles to it: above it (`way` -1) or below (1).
std::vector<std::int64_t> follow_side(const Strokes& strokes, const RuledLine& line, int way, int first, int count, int steps);

}  // namespace lenet
