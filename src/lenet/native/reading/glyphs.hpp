// Each candidate's own ink as a glyph: the twin of lenet/segmentation/glyphs.py, by its names and in its order.
#pragma once

#include <cstdint>

#include "../engine/network.hpp"
#include "picture.hpp"

namespace lenet {

// A page's ink: levels (height, width), 0 for paper and 255 for pen; which piece each pixel is of, 0 for none; levels
// above `clear` are no noise.
struct InkPage {
    const std::uint8_t* levels;
    const std::int32_t* pieces;
    int height, width;
    double clear;
};

struct Box {
    int left, top, right, bottom;  // right and bottom exclusive
};

// The ink of pieces first to past - 1, 0 to 1, with its soft edge and without its neighbours' ink.
Grey crop(const InkPage& page, int first, int past, const Box& box);

// The glyph, 28 x 28, of ink whose strokes are to be made broader by so many of its pixels.
void make_glyph(const Kernels& kernels, const Grey& ink, double broader, std::uint8_t* glyph);

}  // namespace lenet
