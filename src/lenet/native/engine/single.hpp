// The forward pass of one image: maps in the lanes, each value of the input broadcast, weights packed for it.
// Planes of pixels: (height, width, maps), maps padded to whole vectors.
#pragma once

#include "forward.hpp"
#include "network.hpp"
#include "vector.hpp"

namespace lenet::LENET_ISA {

constexpr int vectors(int maps) { return (maps + LANES - 1) / LANES; }
constexpr int padded(int maps) { return vectors(maps) * LANES; }

// Packed: for each stage and vector of maps the bias, coefficient and bias of the subsampling, then the weights in
// the order in which they are used, each a vector; a dense stage's weights go in the order of its patch.
inline long packed_stage(const Stage& stage) { return long(vectors(stage.maps)) * (3 + stage.inputs()) * LANES; }

inline long packed_size(const Network& net) {
    long size = 0;
    for (int s = 0; s < net.count; ++s) size += packed_stage(net.stages[s]);
    return size;
}

inline void pack(const Network& net, const float* parameters, float* packed) {
    for (int s = 0; s < net.count; ++s) {
        const Stage& stage = net.stages[s];
        const int area = stage.size * stage.size;
        for (int first = 0; first < stage.maps; first += LANES) {
            auto put = [&](auto value) {
                for (int lane = 0; lane < LANES; ++lane) *packed++ = first + lane < stage.maps ? value(first + lane) : 0.0f;
            };
            const bool trainable = stage.pooling == Pooling::trainable;
            put([&](int map) { return parameters[stage.bias + stage.own(map)]; });
            put([&](int map) { return trainable ? parameters[stage.coefficient + map] : 0.25f; });
            put([&](int map) { return trainable ? parameters[stage.pooled_bias + map] : 0.0f; });
            for (int place = 0; place < area; ++place)
                for (int i = 0; i < stage.maps_in; ++i)
                    put([&](int map) {
                        return stage.connected(map, i) ? parameters[stage.kernel(map, i) + place] : 0.0f;
                    });
        }
    }
}

// Where the values that a line of a kernel sees stand, from its first pixel: `count` of them.
struct Seen {
    long offsets[KERNEL * MOST_MAPS];
    int count;

    Seen(int maps_in, long pixel) : count(KERNEL * maps_in) {
        for (int k = 0; k < count; ++k) offsets[k] = k / maps_in * pixel + k % maps_in;
    }
};

// The sums of one vector of maps over QUADS neighbouring 2x2 squares; x stands at the first square.
template <int QUADS>
LENET_INLINE void convolve_maps(const float* weights, V bias, const float* x, const Seen& seen, long pixel, long line,
                                V (&sums)[4 * QUADS]) {
    V own[4 * QUADS];
#pragma GCC unroll 16
    for (int p = 0; p < 4 * QUADS; ++p) own[p] = bias;
    for (int ky = 0; ky < KERNEL; ++ky, x += line)
#pragma GCC unroll 1
        for (int k = 0; k < seen.count; ++k, weights += LANES) {
            const float* above = afresh(x + seen.offsets[k]);
            const float* lines[2] = {above, above + line};
            const V w = held(load(weights));
#pragma GCC unroll 16
            for (int q = 0; q < QUADS; ++q)
#pragma GCC unroll 4
                for (int p = 0; p < 4; ++p) own[4 * q + p] += w * lines[p / 2][(2 * q + p % 2) * pixel];
        }
#pragma GCC unroll 16
    for (int p = 0; p < 4 * QUADS; ++p) sums[p] = own[p];
}

template <int QUADS>
LENET_APART void convolve_and_pool_maps(const Stage& stage, const float* packed, const float* x, const Seen& seen, long pixel, long line,
                                        float* out, long out_pixel) {
    V sums[4 * QUADS], pooled[QUADS];
    convolve_maps<QUADS>(packed + 3 * LANES, load(packed), x, seen, pixel, line, sums);
    if (stage.pooling == Pooling::max) {  // no activation falls: the largest sum has the largest
        for (int q = 0; q < QUADS; ++q)
            pooled[q] = larger(larger(sums[4 * q], sums[4 * q + 1]), larger(sums[4 * q + 2], sums[4 * q + 3]));
        activate_line(pooled, QUADS, stage.activation);
    } else {
        activate_line(sums, 4 * QUADS, stage.activation);
        for (int q = 0; q < QUADS; ++q)
            pooled[q] = (sums[4 * q] + sums[4 * q + 1] + sums[4 * q + 2] + sums[4 * q + 3]) * load(packed + LANES) + load(packed + 2 * LANES);
        activate_line(pooled, QUADS, stage.pooled_activation);
    }
    for (int q = 0; q < QUADS; ++q) store(out + q * out_pixel, pooled[q]);
}

// x: lines of `line` values, pixels of `pixel` values, of which maps_in are used -> out: pixels of padded(maps) values.
inline void subsampled_maps(const Stage& stage, const float* packed, const float* x, long pixel, long line, Field in,
                            float* out) {
    const Field pooled = in.after(stage);
    const long out_pixel = padded(stage.maps);
    const Seen seen(stage.maps_in, pixel);
    for (int v = 0; v < vectors(stage.maps); ++v, packed += (3 + stage.inputs()) * LANES)
        for (int row = 0; row < pooled.height; ++row) {
            int column = 0;
            auto at = [&](auto tile) {
                tile(stage, packed, x + 2 * row * line + 2 * column * pixel, seen, pixel, line,
                     out + (row * long(pooled.width) + column) * out_pixel + v * LANES, out_pixel);
            };
            for (; pooled.width - column >= 3; column += 3) at(convolve_and_pool_maps<3>);
            if (pooled.width - column == 2) at(convolve_and_pool_maps<2>);
            if (pooled.width - column == 1) at(convolve_and_pool_maps<1>);
        }
}

// One position: the pixels of a patch, row by row -> padded(maps) values. Eight sums for a vector of maps.
inline void dense_maps(const Stage& stage, const float* packed, const float* x, long pixel, long line, float* out) {
    for (int v = 0; v < vectors(stage.maps); v += 2, out += 2 * LANES) {
        const bool pair = v + 1 < vectors(stage.maps);
        const long block = (3 + stage.inputs()) * LANES;
        const float* w0 = packed + v * block + 3 * LANES;
        const float* w1 = pair ? w0 + block : w0;
        V a[4] = {load(w0 - 3 * LANES)}, b[4] = {load(w1 - 3 * LANES)};
        for (int y = 0; y < stage.size; ++y)
            for (int c = 0; c < stage.size; ++c) {
                const float* value = x + y * line + c * pixel;
                int i = 0;
                for (; i + 4 <= stage.maps_in; i += 4, w0 += 4 * LANES, w1 += 4 * LANES)
#pragma GCC unroll 4
                    for (int j = 0; j < 4; ++j) {
                        a[j] += load(w0 + j * LANES) * value[i + j];
                        b[j] += load(w1 + j * LANES) * value[i + j];
                    }
                for (; i < stage.maps_in; ++i, w0 += LANES, w1 += LANES) {
                    a[0] += load(w0) * value[i];
                    b[0] += load(w1) * value[i];
                }
            }
        store(out, activate((a[0] + a[1]) + (a[2] + a[3]), stage.activation));
        if (pair) store(out + LANES, activate((b[0] + b[1]) + (b[2] + b[3]), stage.activation));
    }
}

// Floats that `single` needs for its buffers: two stages' pixels at a time would do, but all are small.
inline long single_size(const Network& net, Field whole) {
    Field field = whole.inside(net.margin);
    long size = 0;
    for (int s = 0; s < net.count; ++s) {
        field = field.after(net.stages[s]);
        size += field.area() * padded(net.stages[s].maps);
    }
    return size;
}

inline bool single(const Network& net, const float* packed, const float* image, Field whole, float* buffers, float* scores) {
    Field field = whole.inside(net.margin);
    V finite{};
    const long count = whole.area();
    long k = 0;
    for (; k + LANES <= count; k += LANES) finite += load(image + k) * 0.0f;
    float check = total(finite);
    for (; k < count; ++k) check += image[k] * 0.0f;
    const float* x = image + net.margin * (whole.width + 1);
    long pixel = 1, line = whole.width;
    for (int s = 0; s < net.count; ++s) {
        const Stage& stage = net.stages[s];
        const Field after = field.after(stage);
        if (!stage.dense) {
            subsampled_maps(stage, packed, x, pixel, line, field, buffers);
        } else {
            for (int row = 0; row < after.height; ++row)
                for (int column = 0; column < after.width; ++column)
                    dense_maps(stage, packed, x + row * line + column * pixel, pixel, line,
                               buffers + (row * long(after.width) + column) * padded(stage.maps));
        }
        packed += packed_stage(stage);
        x = buffers;
        buffers += after.area() * padded(stage.maps);
        pixel = padded(stage.maps);
        line = pixel * after.width;
        field = after;
    }
    const long area = field.area();
    for (long p = 0; p < area; ++p, x += pixel)
        for (int o = 0; o < net.outputs; ++o) {
            float score = 0.0f;
            if (net.codes) {
                for (int j = 0; j < net.last().maps; ++j) {
                    float off = x[j] - net.codes[o * net.last().maps + j];
                    score -= off * off;
                }
            } else {
                score = x[o];
            }
            scores[o * area + p] = score;
        }
    return check == 0.0f;
}

}  // namespace lenet::LENET_ISA
