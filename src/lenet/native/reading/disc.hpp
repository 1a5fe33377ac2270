// A disc of pixels, and a field of them: what the kernel that broadens strokes takes.
#pragma once

namespace lenet {

constexpr int MOST_RADIUS = 40;

// How far a disc reaches across, by how far a row is from its middle; OpenCV's ellipse of 2 radius + 1 pixels a side.
struct Disc {
    int radius;
    int reach[MOST_RADIUS + 1];
};

// A field of `height` rows of `stride` bytes each, a multiple of four times the lanes, of which the first `width` count.
struct Fine {
    int height, width, stride;
};

}  // namespace lenet
