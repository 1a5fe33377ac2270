// The forward pass of one line: maps in the lanes, each value of the input broadcast to the weights of a tile of maps.
// Planes of pixels: (height, width, maps), maps padded to whole vectors, with the zeros of the next stage's padding
// around them.
#pragma once

#include "network.hpp"
#include "single.hpp"
#include "vector.hpp"

namespace lenet::LENET_ISA {

// A tile of sums that stays in registers: columns of the line by vectors of maps.
constexpr int TILE_COLUMNS = 6, TILE_VECTORS = LANES >= 16 ? 4 : 2;

// How many vectors of maps the tile takes that begins at one of `all`.
constexpr int tile_vectors(int first, int all) {
    int wide = TILE_VECTORS;
    while (wide > all - first) wide /= 2;
    return wide;
}

// Packed: for each stage its biases, then for each tile of maps the weights in the order in which they are used.
inline long line_packed_stage(const LineStage& stage) { return long(padded(stage.maps)) * (1 + stage.inputs()); }

inline long line_packed_size(const LineNetwork& net) {
    long size = 0;
    for (int s = 0; s < net.count; ++s) size += line_packed_stage(net.stages[s]);
    return size;
}

inline void line_pack(const LineNetwork& net, const float* parameters, float* packed) {
    for (int s = 0; s < net.count; ++s) {
        const LineStage& stage = net.stages[s];
        const int all = vectors(stage.maps), area = stage.rows * stage.columns;
        for (int map = 0; map < padded(stage.maps); ++map) *packed++ = map < stage.maps ? parameters[stage.bias + map] : 0.0f;
        for (int first = 0, wide; first < all; first += wide) {
            wide = tile_vectors(first, all);
            for (int place = 0; place < area; ++place)
                for (int i = 0; i < stage.maps_in; ++i)
                    for (int map = first * LANES; map < (first + wide) * LANES; ++map)
                        *packed++ = map < stage.maps ? parameters[stage.weight + (long(map) * stage.maps_in + i) * area + place] : 0.0f;
        }
    }
}

// The sums of a tile; x stands at the first value that its first column sees, `line` values before the next row's.
template <int COLUMNS, int VECTORS>
LENET_APART void line_tile(const LineStage& stage, const float* weights, const float* bias, const float* x, long line, long deep,
                           float* out, long out_deep) {
    V sums[COLUMNS][VECTORS];
#pragma GCC unroll 8
    for (int c = 0; c < COLUMNS; ++c)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; ++v) sums[c][v] = load(bias + v * LANES);
    for (int ky = 0; ky < stage.rows; ++ky)
        for (int kx = 0; kx < stage.columns; ++kx) {
            const float* values = x + ky * line + kx * deep;
#pragma GCC unroll 1
            for (int i = 0; i < stage.maps_in; ++i, weights += VECTORS * LANES) {
                V w[VECTORS];
#pragma GCC unroll 4
                for (int v = 0; v < VECTORS; ++v) w[v] = held(load(weights + v * LANES));
#pragma GCC unroll 8
                for (int c = 0; c < COLUMNS; ++c) {
                    const V value = held(broadcast(values[c * deep + i]));
#pragma GCC unroll 4
                    for (int v = 0; v < VECTORS; ++v) sums[c][v] += w[v] * value;
                }
            }
        }
#pragma GCC unroll 8
    for (int c = 0; c < COLUMNS; ++c)
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; ++v) store(out + c * out_deep + v * LANES, activate(sums[c][v], stage.activation));
}

// A row of `width` sums of all maps.
template <int VECTORS>
inline void line_row(const LineStage& stage, const float* weights, const float* bias, const float* x, long line, long deep, int width,
                     float* out, long out_deep) {
    int c = 0;
    for (; width - c >= TILE_COLUMNS; c += TILE_COLUMNS)
        line_tile<TILE_COLUMNS, VECTORS>(stage, weights, bias, x + c * deep, line, deep, out + c * out_deep, out_deep);
    for (; width - c >= 2; c += 2)
        line_tile<2, VECTORS>(stage, weights, bias, x + c * deep, line, deep, out + c * out_deep, out_deep);
    for (; c < width; ++c) line_tile<1, VECTORS>(stage, weights, bias, x + c * deep, line, deep, out + c * out_deep, out_deep);
}

// Rows of sums that a row of outputs is the maximum of, and that row.
inline void line_pool(const LineStage& stage, const float* sums, long row, long deep, int width, float* out) {
    for (int c = 0; c < width; ++c)
        for (long m = 0; m < deep; m += LANES) {
            V most = load(sums + c * stage.across * deep + m);
            for (int y = 0; y < stage.down; ++y)
                for (int x = 0; x < stage.across; ++x) most = larger(most, load(sums + y * row + (c * stage.across + x) * deep + m));
            store(out + c * deep + m, most);
        }
}

// Where a stage's input, with its padding, has its values, and how large it is.
struct LinePlane {
    int height, width;
    long deep;

    LENET_INLINE long row() const { return width * deep; }
    LENET_INLINE long size() const { return height * row(); }
};

// The first stage's input is the line itself, one value a pixel.
inline LinePlane line_plane(const LineNetwork& net, int s, LineField field) {
    const LineStage& stage = net.stages[s];
    return {field.height + 2 * stage.above, field.width + 2 * stage.beside, s == 0 ? 1 : long(padded(stage.maps_in))};
}

// The buffers of a pass: two planes, each as large as any, and the rows of sums that are pooled at once.
struct LineBuffers {
    long plane, rows;

    LineBuffers(const LineNetwork& net, int width) : plane(0), rows(0) {
        LineField field{net.height, width};
        for (int s = 0; s < net.count; ++s) {
            const LineStage& stage = net.stages[s];
            grow(plane, line_plane(net, s, field).size());
            grow(rows, long(stage.down) * field.convolved(stage).width * padded(stage.maps));
            field = field.after(stage);
        }
        grow(plane, field.area() * padded(net.last().maps));
    }
    long size() const { return 2 * plane + rows; }

  private:
    static void grow(long& size, long needed) { size = needed > size ? needed : size; }
};

inline long line_size(const LineNetwork& net, int width) { return LineBuffers(net, width).size(); }

inline void line_stage(const LineStage& stage, const float* packed, const float* x, LinePlane in, LineField sums, float* rows, float* out,
                       LinePlane next, bool last) {
    const int all = vectors(stage.maps);
    const long deep = padded(stage.maps), inputs = stage.inputs();
    const bool pooled = stage.down * stage.across > 1;
    const int height = sums.height / stage.down, width = sums.width / stage.across;
    for (int y = 0; y < height; ++y) {
        for (int r = 0; r < stage.down; ++r) {
            float* to = pooled ? rows + r * sums.width * deep : out + y * (last ? sums.width * deep : next.row());
            const float* from = x + (y * stage.down + r) * in.row();
            const float* weights = packed + deep;
            for (int first = 0, wide; first < all; first += wide) {
                wide = tile_vectors(first, all);
                const float* bias = packed + first * LANES;
                float* part = to + first * LANES;
                if (wide == TILE_VECTORS)
                    line_row<TILE_VECTORS>(stage, weights, bias, from, in.row(), in.deep, sums.width, part, deep);
                else if (wide == 2)
                    line_row<2>(stage, weights, bias, from, in.row(), in.deep, sums.width, part, deep);
                else
                    line_row<1>(stage, weights, bias, from, in.row(), in.deep, sums.width, part, deep);
                weights += wide * LANES * inputs;
            }
        }
        if (pooled) line_pool(stage, rows, sums.width * deep, deep, width, out + y * (last ? width * deep : next.row()));
    }
}

// Scores of one line (height, width) -> (maps, height, width) of the last stage. False if a value is not finite.
inline bool line(const LineNetwork& net, const float* packed, const float* image, int width, float* buffers, float* scores) {
    const LineBuffers sizes(net, width);
    float* x = buffers;
    float* out = buffers + sizes.plane;
    float* rows = out + sizes.plane;
    LineField field{net.height, width};
    float finite = 0.0f;
    const LinePlane first = line_plane(net, 0, field);
    for (long k = 0; k < first.size(); ++k) x[k] = 0.0f;
    for (int y = 0; y < field.height; ++y)
        for (int c = 0; c < width; ++c) {
            const float value = image[y * long(width) + c];
            finite += value * 0.0f;
            x[(y + net.stages[0].above) * first.row() + c + net.stages[0].beside] = value;
        }
    for (int s = 0; s < net.count; ++s) {
        const LineStage& stage = net.stages[s];
        const bool last = s + 1 == net.count;
        const LinePlane in = line_plane(net, s, field);
        const LineField sums = field.convolved(stage), after = field.after(stage);
        LinePlane next = in;
        float* inside = out;
        if (!last) {
            next = line_plane(net, s + 1, after);
            if (net.stages[s + 1].above + net.stages[s + 1].beside)
                for (long k = 0; k < next.size(); ++k) out[k] = 0.0f;
            inside = out + net.stages[s + 1].above * next.row() + net.stages[s + 1].beside * next.deep;
        }
        line_stage(stage, packed, x, in, sums, rows, inside, next, last);
        packed += line_packed_stage(stage);
        float* spent = x;
        x = out;
        out = spent;
        field = after;
    }
    const long deep = padded(net.last().maps), area = field.area();
    for (int m = 0; m < net.last().maps; ++m)
        for (long p = 0; p < area; ++p) scores[m * area + p] = x[p * deep + m];
    return finite == 0.0f;
}

}  // namespace lenet::LENET_ISA
