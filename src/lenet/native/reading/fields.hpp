// What pictures of floats cost most, for one instruction set: weighed sums of rows, the largest or least in a disc.
#pragma once

#include "../engine/vector.hpp"

namespace lenet::LENET_ISA {

// Adds up rows, each times its weight: `out` may be written up to `LANES` - 1 values past its width.
static void weigh_rows(const float* rows, long stride, int many, const float* weights, int width, float* out) {
    for (int x = 0; x < width; x += LANES) {
        V sum = load(rows + x) * weights[0];
        for (int k = 1; k < many; ++k) sum += load(rows + k * stride + x) * weights[k];
        store(out + x, sum);
    }
}

template <bool broader>
LENET_INLINE V further(V a, V b) {
    return broader ? larger(a, b) : (a < b ? a : b);
}

template <bool broader>
static void spread_rows(const Disc& disc, const float* padded, Fine field, float* scratch, float* out) {
    const int radius = disc.radius, high = field.height + 2 * radius;
    const float none = broader ? -1.0f : 2.0f;  // values are of 0 to 1
    float* rows[2] = {scratch + LANES, scratch + 3 * LANES + field.stride};
    for (long k = 0; k < long(field.height) * field.stride; ++k) out[k] = none;
    for (int row = 0; row < high; ++row) {
        const float* now = padded + long(row) * field.stride;
        // Windows of a row, one pixel wider on each side from one to the next; the disc's rows take what they need.
        int width = 0, other = 0;
        for (int away = radius; away >= 0; --away) {
            for (; width < disc.reach[away]; ++width) {
                float* wider = rows[other];
                for (int x = 0; x < field.stride; x += LANES)
                    store(wider + x, further<broader>(load(now + x), further<broader>(load(now + x - 1), load(now + x + 1))));
                now = wider;
                other = 1 - other;
            }
            for (int side = -1; side <= (away ? 1 : -1); side += 2) {
                const int to = row - radius - side * away;
                if (to < 0 || to >= field.height) continue;
                float* here = out + long(to) * field.stride;
                for (int x = 0; x < field.width; x += LANES) store(here + x, further<broader>(load(here + x), load(now + x + radius)));
            }
        }
    }
}

// `padded` is (height + 2 radius, stride), with `LANES` floats to read before and behind it; `out` (height, stride).
static void spread(const Disc& disc, bool broader, const float* padded, Fine field, float* scratch, float* out) {
    if (broader)
        spread_rows<true>(disc, padded, field, scratch, out);
    else
        spread_rows<false>(disc, padded, field, scratch, out);
}

}  // namespace lenet::LENET_ISA
