// The pass back through a line network, and AdamW. The gradient of an input is a convolution too: of the gradient of the
// sums, by the kernels turned round; that of the weights is a sum over the places of the line, as tiles of values by maps.
#pragma once

#include "lines.hpp"
#include "network.hpp"
#include "vector.hpp"

namespace lenet::LENET_ISA {

// The convolution that leads from the gradient of a stage's sums to that of its input.
inline LineStage turned(const LineStage& stage) {
    LineStage back{};
    back.maps_in = stage.maps;
    back.maps = stage.maps_in;
    back.rows = stage.rows;
    back.columns = stage.columns;
    back.above = stage.rows - 1 - stage.above;
    back.beside = stage.columns - 1 - stage.beside;
    back.activation = Activation::none;
    back.down = back.across = 1;
    return back;
}

// Packed as `line_pack` packs: of all stages but the first, whose input nobody asks about.
inline long line_back_packed_size(const LineNetwork& net) {
    long size = 0;
    for (int s = 1; s < net.count; ++s) size += line_packed_stage(turned(net.stages[s]));
    return size;
}

inline void line_back_pack(const LineNetwork& net, const float* parameters, float* packed) {
    for (int s = 1; s < net.count; ++s) {
        const LineStage &stage = net.stages[s], back = turned(stage);
        const int all = vectors(back.maps), area = stage.rows * stage.columns;
        for (int map = 0; map < padded(back.maps); ++map) *packed++ = 0.0f;
        for (int first = 0, wide; first < all; first += wide) {
            wide = tile_vectors(first, all);
            for (int place = area - 1; place >= 0; --place)
                for (int i = 0; i < stage.maps; ++i)
                    for (int map = first * LANES; map < (first + wide) * LANES; ++map)
                        *packed++ =
                            map < back.maps ? parameters[stage.weight + (long(i) * stage.maps_in + map) * area + place] : 0.0f;
        }
    }
}

// The gradient of a stage's sums as the input of its turned convolution.
inline LinePlane line_back_plane(const LineNetwork& net, int s, LineField sums) {
    const LineStage back = turned(net.stages[s]);
    return {sums.height + 2 * back.above, sums.width + 2 * back.beside, long(padded(back.maps_in))};
}

// The buffers of a pass back: the gradient of the sums of one stage, and that of its output or input.
struct LineBackBuffers {
    long sums, out;

    LineBackBuffers(const LineNetwork& net, const LineLayout& at) : sums(0), out(0) {
        for (int s = 0; s < net.count; ++s) {
            const long inner = line_back_plane(net, s, at.field[s].convolved(net.stages[s])).size();
            const long outer = at.field[s + 1].area() * padded(net.stages[s].maps);
            sums = inner > sums ? inner : sums;
            out = outer > out ? outer : out;
        }
    }
};

inline long line_back_size(const LineNetwork& net, int width) {
    const LineBackBuffers sizes(net, LineLayout(net, width, true));
    return sizes.sums + sizes.out;
}

// Adds to COUNT rows of the gradient, `stride` apart: the sum over `width` columns of COUNT values that stand side by side
// in each, times the gradient of VECTORS of maps.
template <int COUNT, int VECTORS>
LENET_APART void line_outer(const float* x, long deep, const float* d, long d_deep, int width, float* gradient, long stride) {
    V sums[COUNT][VECTORS];
#pragma GCC unroll 8
    for (int j = 0; j < COUNT; ++j)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; ++v) sums[j][v] = load(gradient + j * stride + v * LANES);
#pragma GCC unroll 1
    for (int c = 0; c < width; ++c, x += deep, d += d_deep) {
        V slopes[VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; ++v) slopes[v] = held(load(d + v * LANES));
#pragma GCC unroll 8
        for (int j = 0; j < COUNT; ++j) {
            const V value = held(broadcast(x[j]));
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; ++v) sums[j][v] += slopes[v] * value;
        }
    }
#pragma GCC unroll 8
    for (int j = 0; j < COUNT; ++j)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; ++v) store(gradient + j * stride + v * LANES, sums[j][v]);
}

// `count` rows of the gradient of a tile of maps.
template <int VECTORS>
inline void line_outer_rows(const float* x, long deep, int count, const float* d, long d_deep, int width, float* gradient, long stride) {
    int j = 0;
    for (; count - j >= TILE_COLUMNS; j += TILE_COLUMNS)
        line_outer<TILE_COLUMNS, VECTORS>(x + j, deep, d, d_deep, width, gradient + j * stride, stride);
    for (; count - j >= 2; j += 2) line_outer<2, VECTORS>(x + j, deep, d, d_deep, width, gradient + j * stride, stride);
    for (; j < count; ++j) line_outer<1, VECTORS>(x + j, deep, d, d_deep, width, gradient + j * stride, stride);
}

// Adds to a stage's packed gradient: its biases, then for each place of the kernel and each map of the input all maps.
inline void line_weights_back(const LineStage& stage, const float* x, LinePlane in, const float* d_sums, LinePlane back, LineField sums,
                              float* gradient) {
    const int all = vectors(stage.maps);
    const long deep = padded(stage.maps);
    // Values of neighbouring places stand side by side where there is one map: a row of the kernel is done at once.
    const bool flat = in.deep == 1;
    const int steps = flat ? 1 : stage.columns, count = flat ? stage.columns : stage.maps_in;
    for (int y = 0; y < sums.height; ++y) {
        const float* d = d_sums + y * back.row();
        for (long m = 0; m < deep; m += LANES) {
            V sum = load(gradient + m);
            for (int c = 0; c < sums.width; ++c) sum += load(d + c * back.deep + m);
            store(gradient + m, sum);
        }
        float* to = gradient + deep;
        for (int ky = 0; ky < stage.rows; ++ky)
            for (int kx = 0; kx < steps; ++kx, to += count * deep) {
                const float* values = x + (y + ky) * in.row() + kx * in.deep;
                for (int first = 0, wide; first < all; first += wide) {
                    wide = tile_vectors(first, all);
                    const float* part = d + first * LANES;
                    float* rows = to + first * LANES;
                    if (wide == TILE_VECTORS)
                        line_outer_rows<TILE_VECTORS>(values, in.deep, count, part, back.deep, sums.width, rows, deep);
                    else if (wide == 2)
                        line_outer_rows<2>(values, in.deep, count, part, back.deep, sums.width, rows, deep);
                    else
                        line_outer_rows<1>(values, in.deep, count, part, back.deep, sums.width, rows, deep);
                }
            }
    }
}

// The gradient of a stage's sums from that of its output: of a window the first of the largest gets it all.
inline void line_output_back(const LineStage& stage, const float* y, long row, LineField out, const float* d_out, float* d_sums,
                             long d_row, long deep) {
    for (int v = 0; v < out.height; ++v)
        for (int c = 0; c < out.width; ++c)
            for (long m = 0; m < deep; m += LANES) {
                const float* window = y + v * stage.down * row + c * stage.across * deep + m;
                V most = load(window), open = broadcast(1.0f);
                for (int r = 0; r < stage.down; ++r)
                    for (int k = 0; k < stage.across; ++k) most = larger(most, load(window + r * row + k * deep));
                const V d = load(d_out + (v * long(out.width) + c) * deep + m);
                for (int r = 0; r < stage.down; ++r)
                    for (int k = 0; k < stage.across; ++k) {
                        const V value = load(window + r * row + k * deep);
                        const V taken = value == most ? open : V{};
                        open -= taken;
                        store(d_sums + (v * stage.down + r) * d_row + (c * stage.across + k) * deep + m,
                              taken * d * slope(value, stage.activation));
                    }
            }
}

// The whole pass back of one line, from the gradient of its scores (maps, height, width) and what `line` kept.
inline void line_back(const LineNetwork& net, const float* packed, int width, const float* kept, const float* d_scores, float* buffers,
                      float* gradient) {
    const LineLayout at(net, width, true);
    float* d_sums = buffers;
    float* d_out = buffers + LineBackBuffers(net, at).sums;
    const long last = padded(net.last().maps), area = at.field[net.count].area();
    for (long p = 0; p < area; ++p)
        for (int m = 0; m < last; ++m) d_out[p * last + m] = m < net.last().maps ? d_scores[m * area + p] : 0.0f;
    packed += line_back_packed_size(net);
    gradient += line_packed_size(net);
    for (int s = net.count - 1; s >= 0; --s) {
        const LineStage &stage = net.stages[s], back = turned(stage);
        const LineField sums = at.field[s].convolved(stage);
        const LinePlane in = line_plane(net, s, at.field[s]), plane = line_back_plane(net, s, sums);
        const long deep = padded(stage.maps);
        const float* y = kept + at.sums[s];
        long row = sums.width * deep;
        if (!stage.pooled()) {
            y = kept + at.input[s + 1];
            if (s + 1 < net.count) {
                const LinePlane next = line_plane(net, s + 1, at.field[s + 1]);
                y += next.inside(net.stages[s + 1]);
                row = next.row();
            }
        }
        for (long k = 0; k < plane.size(); ++k) d_sums[k] = 0.0f;
        float* inner = d_sums + plane.inside(back);
        line_output_back(stage, y, row, at.field[s + 1], d_out, inner, plane.row(), deep);
        gradient -= line_packed_stage(stage);
        line_weights_back(stage, kept + at.input[s], in, inner, plane, sums, gradient);
        if (s == 0) break;
        packed -= line_packed_stage(back);
        line_stage(back, packed, d_sums, plane, at.field[s], nullptr, false, d_out, at.field[s].width * long(padded(back.maps)));
    }
}

// A stage's gradient from the order of the packed weights into that of the parameters.
inline void line_gather(const LineNetwork& net, int s, const float* packed, float* gradient) {
    for (int before = 0; before < s; ++before) packed += line_packed_stage(net.stages[before]);
    const LineStage& stage = net.stages[s];
    const int area = stage.rows * stage.columns;
    const long deep = padded(stage.maps);
    for (int map = 0; map < stage.maps; ++map) gradient[stage.bias + map] = packed[map];
    packed += deep;
    for (int place = 0; place < area; ++place)
        for (int i = 0; i < stage.maps_in; ++i, packed += deep)
            for (int map = 0; map < stage.maps; ++map)
                gradient[stage.weight + (long(map) * stage.maps_in + i) * area + place] = packed[map];
}

// A step of AdamW, in PyTorch's order of operations, and the average moved towards the parameters.
inline void adam(const Adam& rule, long count, const float* gradient, float* parameters, float* mean, float* square, float* average) {
    const float kept = 1.0f - rule.rate * rule.decay, step = rule.rate / rule.first_seen, spread = __builtin_sqrtf(rule.second_seen);
    for (long k = 0; k < count; ++k) {
        const float g = gradient[k] * rule.scale;
        mean[k] += (1.0f - rule.first) * (g - mean[k]);
        square[k] = rule.second * square[k] + (1.0f - rule.second) * g * g;
        parameters[k] = parameters[k] * kept - step * mean[k] / (__builtin_sqrtf(square[k]) / spread + rule.epsilon);
        average[k] += rule.share * (parameters[k] - average[k]);
    }
}

}  // namespace lenet::LENET_ISA
