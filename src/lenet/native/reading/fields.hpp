// What pictures cost most, for one instruction set: weighed sums of rows, the largest or least level in a disc.
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

constexpr int BYTES = 4 * LANES;

template <bool broader>
LENET_INLINE Bytes further(Bytes a, Bytes b) {
    return (broader ? a > b : a < b) ? a : b;
}

template <bool broader>
static void spread_rows(const Disc& disc, const unsigned char* padded, Fine field, unsigned char* scratch, unsigned char* out) {
    const int radius = disc.radius, high = field.height + 2 * radius;
    unsigned char* rows[2] = {scratch + BYTES, scratch + 3 * BYTES + field.stride};
    __builtin_memset(out, broader ? 0 : 255, (unsigned long)(field.height) * (unsigned long)(field.stride));
    for (int row = 0; row < high; ++row) {
        const unsigned char* now = padded + long(row) * field.stride;
        // Windows of a row, one pixel wider on each side from one to the next; the disc's rows take what they need.
        int width = 0, other = 0;
        for (int away = radius; away >= 0; --away) {
            for (; width < disc.reach[away]; ++width) {
                unsigned char* wider = rows[other];
                for (int x = 0; x < field.stride; x += BYTES)
                    store_bytes(wider + x, further<broader>(load_bytes(now + x), further<broader>(load_bytes(now + x - 1), load_bytes(now + x + 1))));
                now = wider;
                other = 1 - other;
            }
            for (int side = -1; side <= (away ? 1 : -1); side += 2) {
                const int to = row - radius - side * away;
                if (to < 0 || to >= field.height) continue;
                unsigned char* here = out + long(to) * field.stride;
                for (int x = 0; x < field.width; x += BYTES)
                    store_bytes(here + x, further<broader>(load_bytes(here + x), load_bytes(now + x + radius)));
            }
        }
    }
}

// `padded` is (height + 2 radius, stride), with `BYTES` to read before and behind it; `out` (height, stride).
static void spread(const Disc& disc, bool broader, const unsigned char* padded, Fine field, unsigned char* scratch, unsigned char* out) {
    if (broader)
        spread_rows<true>(disc, padded, field, scratch, out);
    else
        spread_rows<false>(disc, padded, field, scratch, out);
}

}  // namespace lenet::LENET_ISA
