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
    // Where the values begin that are not padding.
    LENET_INLINE long inside(const LineStage& stage) const { return stage.above * row() + stage.beside * deep; }
};

// The first stage's input is the line itself, one value a pixel.
inline LinePlane line_plane(const LineNetwork& net, int s, LineField field) {
    const LineStage& stage = net.stages[s];
    return {field.height + 2 * stage.above, field.width + 2 * stage.beside, s == 0 ? 1 : long(padded(stage.maps_in))};
}

// Where everything of a pass begins in its buffer: the input of each stage, with its padding, then the last output; and
// the sums that a stage pools. If all are `kept`, for a pass back, each has a place of its own, else two planes take turns.
struct LineLayout {
    long input[MOST_LINE_STAGES + 1], sums[MOST_LINE_STAGES];
    LineField field[MOST_LINE_STAGES + 1];  // of each stage's input, without padding; then of the last output
    bool kept;
    long total;

    LineLayout(const LineNetwork& net, int width, bool keep) : kept(keep), total(0) {
        field[0] = {net.height, width};
        for (int s = 0; s < net.count; ++s) field[s + 1] = field[s].after(net.stages[s]);
        const auto take = [this](long size) { return (total += size) - size; };
        long plane = 0, rows = 0;
        for (int s = 0; s <= net.count; ++s) {
            const long size = s < net.count ? line_plane(net, s, field[s]).size() : field[s].area() * padded(net.last().maps);
            plane = size > plane ? size : plane;
            if (keep) input[s] = take(size);
            if (s == net.count) break;
            const LineStage& stage = net.stages[s];
            const LineField all = field[s].convolved(stage);
            const long pooled = long(keep ? all.height : stage.down) * all.width * padded(stage.maps);
            rows = pooled > rows ? pooled : rows;
            if (keep) sums[s] = stage.pooled() ? take(pooled) : -1;
        }
        if (keep) return;
        const long planes[2] = {take(plane), take(plane)}, shared = take(rows);
        for (int s = 0; s <= net.count; ++s) input[s] = planes[s % 2];
        for (int s = 0; s < net.count; ++s) sums[s] = shared;
    }
};

inline long line_size(const LineNetwork& net, int width, bool keep) { return LineLayout(net, width, keep).total; }

// All sums of a stage, and what its output is of them: `row` values from one row of the output to the next. Sums that are
// pooled go to `rows`, which has room for those of one row of the output or, if they are kept, for all.
inline void line_stage(const LineStage& stage, const float* packed, const float* x, LinePlane in, LineField sums, float* rows, bool kept,
                       float* out, long row) {
    const int all = vectors(stage.maps);
    const long deep = padded(stage.maps), inputs = stage.inputs();
    const int height = sums.height / stage.down, width = sums.width / stage.across;
    for (int y = 0; y < height; ++y) {
        float* pooled = rows + (kept ? y * stage.down * sums.width * deep : 0);
        for (int r = 0; r < stage.down; ++r) {
            float* to = stage.pooled() ? pooled + r * sums.width * deep : out + y * row;
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
        if (stage.pooled()) line_pool(stage, pooled, sums.width * deep, deep, width, out + y * row);
    }
}

// Scores of one line (height, width) -> (maps, height, width) of the last stage. False if a value is not finite.
inline bool line(const LineNetwork& net, const float* packed, const float* image, int width, bool keep, float* buffers, float* scores) {
    const LineLayout at(net, width, keep);
    float finite = 0.0f;
    const LinePlane first = line_plane(net, 0, at.field[0]);
    float* pixels = buffers + at.input[0];
    for (long k = 0; k < first.size(); ++k) pixels[k] = 0.0f;
    for (int y = 0; y < net.height; ++y)
        for (int c = 0; c < width; ++c) {
            const float value = image[y * long(width) + c];
            finite += value * 0.0f;
            pixels[(y + net.stages[0].above) * first.row() + c + net.stages[0].beside] = value;
        }
    for (int s = 0; s < net.count; ++s) {
        const LineStage& stage = net.stages[s];
        float* out = buffers + at.input[s + 1];
        long row = at.field[s + 1].width * long(padded(stage.maps));
        if (s + 1 < net.count) {
            const LineStage& following = net.stages[s + 1];
            const LinePlane next = line_plane(net, s + 1, at.field[s + 1]);
            if (following.above + following.beside)
                for (long k = 0; k < next.size(); ++k) out[k] = 0.0f;
            out += next.inside(following);
            row = next.row();
        }
        line_stage(stage, packed, buffers + at.input[s], line_plane(net, s, at.field[s]), at.field[s].convolved(stage),
                   buffers + at.sums[s], keep, out, row);
        packed += line_packed_stage(stage);
    }
    const long deep = padded(net.last().maps), area = at.field[net.count].area();
    const float* last = buffers + at.input[net.count];
    for (int m = 0; m < net.last().maps; ++m)
        for (long p = 0; p < area; ++p) scores[m * area + p] = last[p * deep + m];
    return finite == 0.0f;
}

}  // namespace lenet::LENET_ISA
