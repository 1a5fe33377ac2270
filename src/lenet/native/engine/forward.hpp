// The forward pass of one block: an image (or, while replicas learn on-line, an image and a network) in each lane.
// Planes of vectors: (maps, height, width). Same names and order as reference.py.
#pragma once

#include "network.hpp"
#include "vector.hpp"

namespace lenet::LENET_ISA {

// A weight for every lane: `OWN` has a vector per parameter, else one value serves all.
template <bool OWN>
inline V weight(const float* parameters, long k) {
    if constexpr (OWN)
        return load(parameters + k * LANES);
    else
        return broadcast(parameters[k]);
}

// A 2x2 square of sums of three neighbouring maps, twelve in registers; x stands at its corner. `line` and `plane`
// are how far apart lines and maps of the sums are.
template <bool OWN>
LENET_INLINE void convolve_square(const Stage& stage, const float* parameters, const V* x, Field in, int map, V* out, long line,
                                  long plane) {
    constexpr int MAPS = 3;
    V sums[MAPS][4];
#pragma GCC unroll 8
    for (int m = 0; m < MAPS; ++m) {
        const V bias = weight<OWN>(parameters, stage.bias + map + m);
#pragma GCC unroll 8
        for (int p = 0; p < 4; ++p) sums[m][p] = bias;
    }
    const long kernel = KERNEL * KERNEL, step = stage.maps_in * kernel;
    for (int i = 0; i < stage.maps_in; ++i) {
        const V* above = x + i * in.area();
        long k = stage.weight + map * step + i * kernel;
#pragma GCC unroll 1
        for (int ky = 0; ky < KERNEL; ++ky, above += in.width, k += KERNEL) {
#pragma GCC unroll 1
            for (int kx = 0; kx < KERNEL; ++kx) {
                const V* lines[2] = {afresh(above + kx), afresh(above + in.width + kx)};
                V w[MAPS];
#pragma GCC unroll 8
                for (int m = 0; m < MAPS; ++m) w[m] = held(weight<OWN>(parameters, k + m * step + kx));
#pragma GCC unroll 8
                for (int p = 0; p < 4; ++p) {
                    const V value = held(lines[p / 2][p % 2]);
#pragma GCC unroll 8
                    for (int m = 0; m < MAPS; ++m) sums[m][p] += w[m] * value;
                }
            }
        }
    }
#pragma GCC unroll 8
    for (int m = 0; m < MAPS; ++m)
#pragma GCC unroll 8
        for (int p = 0; p < 4; ++p) out[m * plane + p / 2 * line + p % 2] = sums[m][p];
}

// COLUMNS neighbouring sums of one map, in registers with a line of its kernel: each value of the input is loaded
// once for a line and serves all the sums that see it. x stands at the first sum's corner.
template <bool OWN, int COLUMNS>
LENET_INLINE void convolve_columns(const Stage& stage, const float* parameters, const V* x, Field in, int map, V* out) {
    V sums[COLUMNS];
    const V bias = weight<OWN>(parameters, stage.bias + stage.own(map));
#pragma GCC unroll 16
    for (int c = 0; c < COLUMNS; ++c) sums[c] = bias;
    for (int i = 0; i < stage.maps_in; ++i) {
        if (!stage.connected(map, i)) continue;
        const V* line = x + i * in.area();
        long k = stage.kernel(map, i);
#pragma GCC unroll 1
        for (int ky = 0; ky < KERNEL; ++ky, line += in.width, k += KERNEL) {
            V w[KERNEL];
#pragma GCC unroll 5
            for (int kx = 0; kx < KERNEL; ++kx) w[kx] = held(weight<OWN>(parameters, k + kx));
#pragma GCC unroll 32
            for (int c = 0; c < COLUMNS + KERNEL - 1; ++c) {
                const V value = held(line[c]);
#pragma GCC unroll 5
                for (int kx = 0; kx < KERNEL; ++kx)
                    if (c - kx >= 0 && c - kx < COLUMNS) sums[c - kx] += w[kx] * value;
            }
        }
    }
#pragma GCC unroll 16
    for (int c = 0; c < COLUMNS; ++c) out[c] = sums[c];
}

// A line of `width` sums of one map.
template <bool OWN>
void convolve_line(const Stage& stage, const float* parameters, const V* x, Field in, int map, int width, V* out) {
    int c = 0;
    for (; width - c >= 10; c += 10) convolve_columns<OWN, 10>(stage, parameters, x + c, in, map, out + c);
    for (; width - c >= 8; c += 8) convolve_columns<OWN, 8>(stage, parameters, x + c, in, map, out + c);
    for (; c < width; c += 2) convolve_columns<OWN, 2>(stage, parameters, x + c, in, map, out + c);
}

template <Activation ACTIVATION>
inline void activate_line(V* x, int count) {
    for (int c = 0; c < count; ++c) x[c] = activate(x[c], ACTIVATION);
}

inline void activate_line(V* x, int count, Activation activation) {
    switch (activation) {
        case Activation::squash: return activate_line<Activation::squash>(x, count);
        case Activation::relu: return activate_line<Activation::relu>(x, count);
        case Activation::sigmoid: return activate_line<Activation::sigmoid>(x, count);
        default: return;
    }
}

// Two lines of a map's sums become activations, in place, and these a line of `width` subsampled outputs.
template <bool OWN>
void subsample_lines(const Stage& stage, const float* parameters, int map, V* above, V* below, int width, bool keep, V* out) {
    // No activation falls: the largest sum has the largest, and unless the others are kept it alone is needed.
    const bool late = stage.pooling == Pooling::max && !keep;
    // Four that nobody keeps share one division.
    const bool fused = stage.pooling != Pooling::max && !keep && stage.activation == Activation::squash;
    if (!late && !fused) {
        activate_line(above, 2 * width, stage.activation);
        activate_line(below, 2 * width, stage.activation);
    }
    if (stage.pooling == Pooling::max) {
        for (int c = 0; c < width; ++c)
            out[c] = larger(larger(above[2 * c], above[2 * c + 1]), larger(below[2 * c], below[2 * c + 1]));
        if (late) activate_line(out, width, stage.activation);
        return;
    }
    V coefficient = broadcast(0.25f), bias{};
    if (stage.pooling == Pooling::trainable) {
        coefficient = weight<OWN>(parameters, stage.coefficient + map);
        bias = weight<OWN>(parameters, stage.pooled_bias + map);
    }
    if (fused)
        for (int c = 0; c < width; ++c)
            out[c] = squash_sum(above[2 * c], above[2 * c + 1], below[2 * c], below[2 * c + 1]) * coefficient + bias;
    else
        for (int c = 0; c < width; ++c)
            out[c] = (above[2 * c] + above[2 * c + 1] + below[2 * c] + below[2 * c + 1]) * coefficient + bias;
    activate_line(out, width, stage.pooled_activation);
}

// A convolution with its subsampling, three maps at a time or, where not all are connected, one. The activations in
// between stay in `kept`, a buffer of all of them, or, if it is null, pass through `lines`, which has room for two
// lines of three maps.
template <bool OWN>
void subsampled(const Stage& stage, const float* parameters, const V* x, Field in, V* kept, V* lines, V* out) {
    const Field wide = in.convolved(stage), pooled = in.after(stage);
    const long line = wide.width, plane = kept ? wide.area() : 2 * line;
    for (int row = 0; row < pooled.height; ++row)
        for (int map = 0, maps; map < stage.maps; map += maps) {
            maps = !stage.plain() || stage.maps - map < 3 ? 1 : 3;
            const V* corner = x + 2 * row * long(in.width);
            V* sums = kept ? kept + map * plane + 2 * row * line : lines;
            if (maps == 3)
                for (int c = 0; c < 2 * pooled.width; c += 2)
                    convolve_square<OWN>(stage, parameters, corner + c, in, map, sums + c, line, plane);
            else
                for (int l = 0; l < 2; ++l)
                    convolve_line<OWN>(stage, parameters, corner + l * in.width, in, map, 2 * pooled.width, sums + l * line);
            for (int m = 0; m < maps; ++m, sums += plane)
                subsample_lines<OWN>(stage, parameters, map + m, sums, sums + line, pooled.width, kept,
                                     out + (map + m) * pooled.area() + row * long(pooled.width));
        }
}

// ROWS outputs of a dense stage for BLOCKS blocks whose buffers are `apart`: a weight serves them all.
template <bool OWN, int BLOCKS, int ROWS>
LENET_APART void dense_rows(const Stage& stage, const float* parameters, const V* x, int row, V* out, long apart) {
    const long inputs = stage.inputs();
    V sums[ROWS][BLOCKS];
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 2
        for (int b = 0; b < BLOCKS; ++b) sums[r][b] = weight<OWN>(parameters, stage.bias + row + r);
    const long first = stage.weight + row * inputs;
    for (long i = 0; i < inputs; ++i) {
        V values[BLOCKS];
#pragma GCC unroll 2
        for (int b = 0; b < BLOCKS; ++b) values[b] = held(x[b * apart + i]);
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r) {
            const V w = weight<OWN>(parameters, first + r * inputs + i);
#pragma GCC unroll 2
            for (int b = 0; b < BLOCKS; ++b) sums[r][b] += w * values[b];
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 2
        for (int b = 0; b < BLOCKS; ++b) out[b * apart + r] = activate(sums[r][b], stage.activation);
}

// A dense stage at one position: x (inputs) -> out (maps), in each block.
template <bool OWN, int BLOCKS>
void dense(const Stage& stage, const float* parameters, const V* x, V* out, long apart) {
    constexpr int MOST = 12 / BLOCKS, SOME = 4 / BLOCKS;
    int row = 0;
    for (; stage.maps - row >= MOST; row += MOST) dense_rows<OWN, BLOCKS, MOST>(stage, parameters, x, row, out + row, apart);
    for (; stage.maps - row >= SOME; row += SOME) dense_rows<OWN, BLOCKS, SOME>(stage, parameters, x, row, out + row, apart);
    for (; row < stage.maps; ++row) dense_rows<OWN, BLOCKS, 1>(stage, parameters, x, row, out + row, apart);
}

// Equation 7, negated: minus the squared distance to each code.
inline void match_codes(const Network& net, const V* x, V* scores) {
    const int units = net.last().maps;
    for (int k = 0; k < net.outputs; ++k) {
        V distance{};
        for (int j = 0; j < units; ++j) {
            V off = x[j] - net.codes[k * units + j];
            distance += off * off;
        }
        scores[k] = -distance;
    }
}

// What a dense stage sees at one position of a wider field: (maps_in, size, size) out of (maps_in, height, width).
inline void gather(const Stage& stage, const V* x, Field in, int row, int column, V* patch) {
    for (int i = 0; i < stage.maps_in; ++i)
        for (int y = 0; y < stage.size; ++y)
            for (int c = 0; c < stage.size; ++c)
                *patch++ = x[i * in.area() + (row + y) * long(in.width) + column + c];
}

// A dense stage at every position of a wider field.
template <bool OWN>
void dense_everywhere(const Stage& stage, const float* parameters, const V* x, Field in, V* patch, V* out) {
    const Field after = in.after(stage);
    V answers[MOST_MAPS];
    for (int row = 0; row < after.height; ++row)
        for (int column = 0; column < after.width; ++column) {
            gather(stage, x, in, row, column, patch);
            dense<OWN, 1>(stage, parameters, patch, answers, 0);
            for (int m = 0; m < stage.maps; ++m) out[m * after.area() + row * long(after.width) + column] = answers[m];
        }
}

// The convolutions, for one block. What goes into the first dense stage is put into `out`, all else into `buffers`:
// two blocks may use the same, one after the other, and stay in the cache.
template <bool OWN>
void convolutions(const Network& net, const Layout& at, const float* parameters, V* buffers, V* out) {
    for (int s = 0; s < net.count && !net.stages[s].dense; ++s) {
        const bool last = s + 1 == net.count || net.stages[s + 1].dense;
        subsampled<OWN>(net.stages[s], parameters, buffers + at.input[s], at.field[s], at.kept ? buffers + at.sums[s] : nullptr,
                        buffers + at.spare, (last ? out : buffers) + at.input[s + 1]);
    }
}

// The dense stages, for one block or two whose buffers follow each other. On a field of 32x32 `dropped` is called
// after each with its number and what it gave.
template <bool OWN, int BLOCKS, class Dropped>
void dense_stages(const Network& net, const Layout& at, const float* parameters, V* buffers, Dropped dropped) {
    for (int s = 0; s < net.count; ++s) {
        const Stage& stage = net.stages[s];
        if (!stage.dense) continue;
        if (at.field[s + 1].area() == 1) {
            dense<OWN, BLOCKS>(stage, parameters, buffers + at.input[s], buffers + at.input[s + 1], at.total);
            dropped(s, buffers + at.input[s + 1]);
            continue;
        }
        for (V* own = buffers; own < buffers + BLOCKS * at.total; own += at.total)
            dense_everywhere<OWN>(stage, parameters, own + at.input[s], at.field[s], own + at.spare, own + at.input[s + 1]);
    }
    const long area = at.field[net.count].area();
    for (long p = 0; net.codes && p < BLOCKS * area; ++p) {
        V* own = buffers + p / area * at.total + p % area;
        V x[MOST_MAPS], scores[MOST_MAPS];
        for (int j = 0; j < net.last().maps; ++j) x[j] = own[at.input[net.count] + j * area];
        match_codes(net, x, scores);
        for (int k = 0; k < net.outputs; ++k) own[at.scores + k * area] = scores[k];
    }
}

// All stages of one block, every activation kept.
template <bool OWN, class Dropped>
void layers(const Network& net, const Layout& at, const float* parameters, V* buffers, Dropped dropped) {
    convolutions<OWN>(net, at, parameters, buffers, buffers);
    dense_stages<OWN, 1>(net, at, parameters, buffers, dropped);
}

// Put `count` images, without their margin, into the lanes; the rest of the lanes repeat the last. Gives a vector
// that is zero where every value of the lane was finite, and NaN elsewhere.
inline V take_images(const float* const* images, int count, Field whole, int margin, V* x) {
    const Field in = whole.inside(margin);
    V finite{};
    for (int y = 0; y < in.height; ++y) {
        const long row = (y + margin) * long(whole.width) + margin;
        for (int c = 0; c < in.width; c += LANES) {
            // The last square of a row reaches back, so that nothing beyond the row is read.
            const int column = c + LANES > in.width ? in.width - LANES : c;
            V square[LANES];
            for (int lane = 0; lane < LANES; ++lane)
                square[lane] = load(images[lane < count ? lane : count - 1] + row + column);
            transpose(square);
            for (int j = 0; j < LANES; ++j) {
                finite += square[j] * 0.0f;
                x[y * long(in.width) + column + j] = square[j];
            }
        }
    }
    return finite;
}

// The opposite: values of each lane, (count, values), from vectors (values).
inline void give_lanes(const V* vectors, long values, int count, float* out) {
    for (long k = 0; k < values; ++k)
        for (int lane = 0; lane < count; ++lane) out[lane * values + k] = vectors[k][lane];
}

}  // namespace lenet::LENET_ISA
