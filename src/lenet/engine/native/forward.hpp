// The forward pass of one block: an image (or, while replicas learn on-line, an image and a network) in each lane.
// Planes of vectors: (maps, height, width). Same names and order as reference.py.
#pragma once

namespace lenet::LENET_ISA {

// A weight for every lane: `OWN` has a vector per parameter, else one value serves all.
template <bool OWN>
inline V weight(const float* parameters, long k) {
    if constexpr (OWN)
        return load(parameters + k * LANES);
    else
        return broadcast(parameters[k]);
}

// Where the sums of a convolution go: planes `map` apart, lines `line` apart.
struct Sums {
    V* first;
    long map, line;
};

// The sums of MAPS maps over QUADS neighbouring 2x2 squares, all in registers; x stands at the first square.
template <bool OWN, int MAPS, int QUADS>
LENET_INLINE void convolve(const Stage& stage, const float* parameters, const V* x, Field in, int map, Sums out) {
    V sums[MAPS][4 * QUADS];
#pragma GCC unroll 16
    for (int m = 0; m < MAPS; ++m) {
        V bias = weight<OWN>(parameters, stage.bias + map + m);
#pragma GCC unroll 16
        for (int p = 0; p < 4 * QUADS; ++p) sums[m][p] = bias;
    }
    const long kernel = KERNEL * KERNEL, step = stage.maps_in * kernel;
    for (int i = 0; i < stage.maps_in; ++i) {
        if (MAPS == 1 && !stage.connected(map, i)) continue;
        const V* plane = x + i * in.area();
        long k = stage.weight + map * step + i * kernel;
#pragma GCC unroll 1
        for (int ky = 0; ky < KERNEL; ++ky, plane += in.width, k += KERNEL) {
#pragma GCC unroll 5
            for (int kx = 0; kx < KERNEL; ++kx) {
                const V* rows[2] = {afresh(plane + kx), afresh(plane + in.width + kx)};
                V w[MAPS];
#pragma GCC unroll 16
                for (int m = 0; m < MAPS; ++m) w[m] = weight<OWN>(parameters, k + m * step + kx);
#pragma GCC unroll 16
                for (int p = 0; p < 4 * QUADS; ++p) {
                    V value = rows[p / (2 * QUADS)][p % (2 * QUADS)];
#pragma GCC unroll 16
                    for (int m = 0; m < MAPS; ++m) sums[m][p] += w[m] * value;
                }
            }
        }
    }
#pragma GCC unroll 16
    for (int m = 0; m < MAPS; ++m)
#pragma GCC unroll 16
        for (int p = 0; p < 4 * QUADS; ++p) out.first[m * out.map + p / (2 * QUADS) * out.line + p % (2 * QUADS)] = sums[m][p];
}

// What becomes of two lines of a map's sums: activations, kept in place if they are wanted, and their subsampling.
template <bool OWN, Activation ACTIVATION, Pooling POOLING, bool KEEP>
void subsample_line(const Stage& stage, const float* parameters, int map, V* sums, long line, int width, V* out) {
    V coefficient = broadcast(0.25f), bias{};
    if (POOLING == Pooling::trainable) {
        coefficient = weight<OWN>(parameters, stage.coefficient + map);
        bias = weight<OWN>(parameters, stage.pooled_bias + map);
    }
    for (int column = 0; column < width; ++column, sums += 2) {
        V a = sums[0], b = sums[1], c = sums[line], d = sums[line + 1];
        if constexpr (POOLING == Pooling::max && !KEEP) {  // no activation falls: the largest sum has the largest
            out[column] = activate(larger(larger(a, b), larger(c, d)), ACTIVATION);
            continue;
        }
        a = activate(a, ACTIVATION), b = activate(b, ACTIVATION), c = activate(c, ACTIVATION), d = activate(d, ACTIVATION);
        if constexpr (KEEP) sums[0] = a, sums[1] = b, sums[line] = c, sums[line + 1] = d;
        out[column] = POOLING == Pooling::max ? larger(larger(a, b), larger(c, d)) : (a + b + c + d) * coefficient + bias;
        if constexpr (POOLING == Pooling::trainable) out[column] = activate(out[column], stage.pooled_activation);
    }
}

template <bool OWN, Activation ACTIVATION, bool KEEP>
void subsample_line(const Stage& stage, const float* parameters, int map, V* sums, long line, int width, V* out) {
    auto with = [&](auto pooled) { pooled(stage, parameters, map, sums, line, width, out); };
    switch (stage.pooling) {
        case Pooling::max: return with(subsample_line<OWN, ACTIVATION, Pooling::max, KEEP>);
        case Pooling::average: return with(subsample_line<OWN, ACTIVATION, Pooling::average, KEEP>);
        default: return with(subsample_line<OWN, ACTIVATION, Pooling::trainable, KEEP>);
    }
}

template <bool OWN, bool KEEP>
void subsample_line(const Stage& stage, const float* parameters, int map, V* sums, long line, int width, V* out) {
    auto with = [&](auto activated) { activated(stage, parameters, map, sums, line, width, out); };
    switch (stage.activation) {
        case Activation::squash: return with(subsample_line<OWN, Activation::squash, KEEP>);
        case Activation::relu: return with(subsample_line<OWN, Activation::relu, KEEP>);
        case Activation::sigmoid: return with(subsample_line<OWN, Activation::sigmoid, KEEP>);
        default: return with(subsample_line<OWN, Activation::none, KEEP>);
    }
}

// Two lines of MAPS maps: 12 sums at a time, of 3 maps or of 3 squares.
template <bool OWN, int MAPS>
void convolve_lines(const Stage& stage, const float* parameters, const V* x, Field in, int map, int width, Sums out) {
    constexpr int QUADS = MAPS == 1 ? 3 : 1;
    int column = 0;
    auto at = [&](int c) { return Sums{out.first + 2 * c, out.map, out.line}; };
    for (; width - column >= QUADS; column += QUADS)
        convolve<OWN, MAPS, QUADS>(stage, parameters, x + 2 * column, in, map, at(column));
    if (QUADS > 1 && width - column == 2) convolve<OWN, MAPS, 2>(stage, parameters, x + 2 * column, in, map, at(column));
    if (QUADS > 1 && width - column == 1) convolve<OWN, MAPS, 1>(stage, parameters, x + 2 * column, in, map, at(column));
}

// A convolution with its subsampling. The activations in between stay in `kept`, a buffer of all of them, or, if it
// is null, pass through `lines`, which has room for two lines of three maps.
template <bool OWN>
void subsampled(const Stage& stage, const float* parameters, const V* x, Field in, V* kept, V* lines, V* out) {
    const Field wide = in.convolved(stage), pooled = in.after(stage);
    for (int row = 0; row < pooled.height; ++row)
        for (int map = 0, maps; map < stage.maps; map += maps) {
            const int rest = stage.maps - map;
            maps = stage.table || rest == 1 ? 1 : rest >= 3 && rest != 4 ? 3 : 2;
            const V* above = x + 2 * row * long(in.width);
            Sums sums{lines, 2L * wide.width, wide.width};
            if (kept) sums = {kept + map * wide.area() + 2 * row * long(wide.width), wide.area(), wide.width};
            switch (maps) {
                case 3: convolve_lines<OWN, 3>(stage, parameters, above, in, map, pooled.width, sums); break;
                case 2: convolve_lines<OWN, 2>(stage, parameters, above, in, map, pooled.width, sums); break;
                default: convolve_lines<OWN, 1>(stage, parameters, above, in, map, pooled.width, sums);
            }
            for (int m = 0; m < maps; ++m)
                (kept ? subsample_line<OWN, true> : subsample_line<OWN, false>)(
                    stage, parameters, map + m, sums.first + m * sums.map, sums.line, pooled.width,
                    out + (map + m) * pooled.area() + row * long(pooled.width));
        }
}

template <bool OWN, int ROWS>
inline void dense_rows(const Stage& stage, const float* parameters, const V* x, int row, V* out) {
    const long inputs = stage.inputs();
    V sums[ROWS];
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r) sums[r] = weight<OWN>(parameters, stage.bias + row + r);
    const long first = stage.weight + row * inputs;
    for (long i = 0; i < inputs; ++i) {
        V value = x[i];
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; ++r) sums[r] += weight<OWN>(parameters, first + r * inputs + i) * value;
    }
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; ++r) out[r] = activate(sums[r], stage.activation);
}

// A dense stage at one position: x (inputs) -> out (maps).
template <bool OWN>
void dense(const Stage& stage, const float* parameters, const V* x, V* out) {
    int row = 0;
    for (; stage.maps - row >= 12; row += 12) dense_rows<OWN, 12>(stage, parameters, x, row, out + row);
    for (; stage.maps - row >= 4; row += 4) dense_rows<OWN, 4>(stage, parameters, x, row, out + row);
    for (; row < stage.maps; ++row) dense_rows<OWN, 1>(stage, parameters, x, row, out + row);
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

// All stages in order. `dropped` is called after each dense stage with what it gave.
template <bool OWN, class Dropped>
void layers(const Network& net, const Layout& at, const float* parameters, V* buffers, bool keep, Dropped dropped) {
    for (int s = 0; s < net.count; ++s) {
        const Stage& stage = net.stages[s];
        const V* x = buffers + at.input[s];
        V* out = buffers + at.input[s + 1];
        const Field in = at.field[s], after = at.field[s + 1];
        if (!stage.dense) {
            subsampled<OWN>(stage, parameters, x, in, keep ? buffers + at.sums[s] : nullptr, buffers + at.spare, out);
        } else if (after.area() == 1) {
            dense<OWN>(stage, parameters, x, out);
            dropped(stage, out);
        } else {
            V* patch = buffers + at.spare;
            V answers[128];
            for (int row = 0; row < after.height; ++row)
                for (int column = 0; column < after.width; ++column) {
                    gather(stage, x, in, row, column, patch);
                    dense<OWN>(stage, parameters, patch, answers);
                    for (int m = 0; m < stage.maps; ++m) out[m * after.area() + row * long(after.width) + column] = answers[m];
                }
        }
    }
    if (!net.codes) return;
    const long area = at.field[net.count].area();
    for (long p = 0; p < area; ++p) {
        V x[128], scores[128];
        for (int j = 0; j < net.last().maps; ++j) x[j] = buffers[at.input[net.count] + j * area + p];
        match_codes(net, x, scores);
        for (int k = 0; k < net.outputs; ++k) buffers[at.scores + k * area + p] = scores[k];
    }
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
