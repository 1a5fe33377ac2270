// The backward pass of one block. First derivatives and the Gauss-Newton diagonal of appendix C are one recursion:
// the second has every weight, input and slope squared (equations 23 to 27). Names and order as in gradients.py.
#pragma once

#include "forward.hpp"
#include "network.hpp"
#include "vector.hpp"

namespace lenet::LENET_ISA {

enum class Mode {
    gradient,   // one network, an image in each lane: gradients are summed over the lanes
    step,       // a network in each lane: each weight moves at once, by its own rate
    curvature,  // a network in each lane: the diagonal of the Gauss-Newton matrix is added up
};

constexpr bool own(Mode mode) { return mode != Mode::gradient; }

template <Mode MODE>
inline V squared(V v) {
    if constexpr (MODE == Mode::curvature)
        return v * v;
    else
        return v;
}

// Where a derivative goes: `sums` has a value per parameter (gradient) or a vector per parameter (curvature);
// a step takes rate * scale * derivative off the parameter instead.
template <Mode MODE>
struct Sink {
    float* parameters;
    const float* scales;
    float* sums;
    float rate;

    void add(long k, V derivative) const {
        if constexpr (MODE == Mode::gradient)
            sums[k] += total(derivative);
        else if constexpr (MODE == Mode::curvature)
            store(sums + k * LANES, load(sums + k * LANES) + derivative);
        else
            store(parameters + k * LANES, load(parameters + k * LANES) - rate * load(scales + k * LANES) * derivative);
    }
};

// ROWS rows of a dense stage: x and the gradients of their sums -> adds to the gradient of x and, but in mode
// gradient, moves or counts the weights.
template <Mode MODE, int ROWS>
LENET_APART void dense_rows_back(const Stage& stage, const Sink<MODE>& sink, const V* x, const V* d_sums, int row, V* d_x) {
    const long inputs = stage.inputs(), first = stage.weight + row * inputs;
    V d[ROWS];
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) d[r] = d_sums[row + r];
    for (long i = 0; i < inputs; ++i) {
        V back[2] = {d_x[i], {}};  // two sums, for a shorter chain of additions
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; ++r) {
            const long k = first + r * inputs + i;
            back[r % 2] += squared<MODE>(weight<own(MODE)>(sink.parameters, k)) * d[r];
            if constexpr (own(MODE)) sink.add(k, d[r] * squared<MODE>(x[i]));
        }
        d_x[i] = back[0] + back[1];
    }
    if constexpr (own(MODE))
        for (int r = 0; r < ROWS; ++r) sink.add(stage.bias + row + r, d[r]);
}

template <Mode MODE>
void dense_back(const Stage& stage, const Sink<MODE>& sink, const V* x, const V* d_sums, V* d_x) {
    constexpr int ROWS = own(MODE) ? 4 : 8;
    for (long i = 0; i < stage.inputs(); ++i) d_x[i] = V{};
    int row = 0;
    for (; stage.maps - row >= ROWS; row += ROWS) dense_rows_back<MODE, ROWS>(stage, sink, x, d_sums, row, d_x);
    for (; row < stage.maps; ++row) dense_rows_back<MODE, 1>(stage, sink, x, d_sums, row, d_x);
}

// The gradient of the subsampled outputs becomes, in place of the kept activations, that of the convolution's sums
// and so of its biases.
template <Mode MODE>
void pool_back(const Stage& stage, const Sink<MODE>& sink, Field in, const V* out, const V* d_out, V* sums) {
    const Field wide = in.convolved(stage), pooled = in.after(stage);
    for (int map = 0; map < stage.maps; ++map) {
        V d_coefficient{}, d_pooled_bias{}, d_bias{}, coefficient = broadcast(0.25f);
        if (stage.pooling == Pooling::trainable) coefficient = weight<own(MODE)>(sink.parameters, stage.coefficient + map);
        for (int row = 0; row < pooled.height; ++row)
            for (int column = 0; column < pooled.width; ++column) {
                const long q = map * pooled.area() + row * long(pooled.width) + column;
                V* corner = sums + map * wide.area() + 2 * row * long(wide.width) + 2 * column;
                V* four[4] = {corner, corner + 1, corner + wide.width, corner + wide.width + 1};
                V d = d_out[q] * squared<MODE>(slope(out[q], stage.pooled_activation));
                if (stage.pooling == Pooling::max) {
                    V best = larger(larger(*four[0], *four[1]), larger(*four[2], *four[3]));
                    I free = I{} - 1;  // the first of equal ones takes it all
                    for (V* each : four) {
                        I takes = free & (*each == best);
                        free &= ~takes;
                        *each = takes ? d * squared<MODE>(slope(*each, stage.activation)) : V{};
                    }
                } else {
                    d_coefficient += d * squared<MODE>(*four[0] + *four[1] + *four[2] + *four[3]);
                    d_pooled_bias += d;
                    d *= squared<MODE>(coefficient);
                    for (V* each : four) *each = d * squared<MODE>(slope(*each, stage.activation));
                }
                d_bias += (*four[0] + *four[1]) + (*four[2] + *four[3]);
            }
        sink.add(stage.bias + stage.own(map), d_bias);
        if (stage.pooling == Pooling::trainable) {
            sink.add(stage.coefficient + map, d_coefficient);
            sink.add(stage.pooled_bias + map, d_pooled_bias);
        }
    }
}

// COLUMNS gradients of a line of sums, spread over the line of inputs that they came from; all in registers.
template <Mode MODE, int COLUMNS>
LENET_APART void spread(const Stage& stage, const float* parameters, const V* d_sums, Field out, int map_in, int row, V* d_x) {
    V line[COLUMNS + KERNEL - 1];
#pragma GCC unroll 16
    for (int c = 0; c < COLUMNS + KERNEL - 1; ++c) line[c] = d_x[c];
    for (int map = 0; map < stage.maps; ++map) {
        if (!stage.connected(map, map_in)) continue;
        const long kernel = stage.kernel(map, map_in);
        for (int ky = 0; ky < KERNEL; ++ky) {
            if (row - ky < 0 || row - ky >= out.height) continue;
            const V* sums = d_sums + map * out.area() + (row - ky) * long(out.width);
#pragma GCC unroll 5
            for (int kx = 0; kx < KERNEL; ++kx) {
                const V* d = afresh(sums);
                V w = squared<MODE>(weight<own(MODE)>(parameters, kernel + ky * KERNEL + kx));
#pragma GCC unroll 16
                for (int c = 0; c < COLUMNS; ++c) line[c + kx] += w * d[c];
            }
        }
    }
#pragma GCC unroll 16
    for (int c = 0; c < COLUMNS + KERNEL - 1; ++c) d_x[c] = line[c];
}

// The gradient of a convolution's sums -> the gradient of its input.
template <Mode MODE>
void convolution_back(const Stage& stage, const float* parameters, Field in, const V* d_sums, V* d_x) {
    const Field out = in.convolved(stage);
    for (long k = 0; k < stage.maps_in * in.area(); ++k) d_x[k] = V{};
    for (int map_in = 0; map_in < stage.maps_in; ++map_in)
        for (int row = 0; row < in.height; ++row) {
            V* line = d_x + map_in * in.area() + row * long(in.width);
            int column = 0;
            for (; out.width - column >= 10; column += 10)
                spread<MODE, 10>(stage, parameters, d_sums + column, out, map_in, row, line + column);
            for (; out.width - column >= 4; column += 4)
                spread<MODE, 4>(stage, parameters, d_sums + column, out, map_in, row, line + column);
            for (; column < out.width; ++column)
                spread<MODE, 1>(stage, parameters, d_sums + column, out, map_in, row, line + column);
        }
}

// Rows of sums at a time, so that they and their inputs stay in the nearest cache.
constexpr int POSITIONS_AT_ONCE = 200;

// Two neighbouring kernels that see one map: for each line of the kernels ten sums in registers.
template <Mode MODE>
LENET_APART void two_kernels_back(const Stage& stage, const Sink<MODE>& sink, Field in, const V* x, const V* d_sums, int map, int map_in) {
    const Field out = in.convolved(stage);
    V found[2][KERNEL * KERNEL] = {};
    const int rows = POSITIONS_AT_ONCE / out.width > 1 ? POSITIONS_AT_ONCE / out.width : 1;
    for (int first = 0; first < out.height; first += rows)
        for (int ky = 0; ky < KERNEL; ++ky) {
            V sums[2][KERNEL] = {};
            for (int row = first; row < out.height && row < first + rows; ++row) {
                const V* d = d_sums + map * out.area() + row * long(out.width);
                const V* line = x + map_in * in.area() + (row + ky) * long(in.width);
#pragma GCC unroll 1
                for (int column = 0; column < out.width; ++column) {
                    const V d0 = d[column], d1 = d[out.area() + column];
                    const V* values = afresh(line + column);
#pragma GCC unroll 8
                    for (int kx = 0; kx < KERNEL; ++kx) {
                        const V value = squared<MODE>(held(values[kx]));
                        sums[0][kx] += d0 * value;
                        sums[1][kx] += d1 * value;
                    }
                }
            }
            for (int m = 0; m < 2; ++m)
                for (int kx = 0; kx < KERNEL; ++kx) found[m][ky * KERNEL + kx] += sums[m][kx];
        }
    for (int m = 0; m < 2; ++m)
        for (int k = 0; k < KERNEL * KERNEL; ++k)
            sink.add(stage.kernel(map + m, map_in) + k, found[m][k]);
}

// One kernel: ten sums in registers, of two of its lines, from two lines of gradients at a time.
template <Mode MODE>
LENET_APART void one_kernel_back(const Stage& stage, const Sink<MODE>& sink, Field in, const V* x, const V* d_sums, int map, int map_in) {
    const Field out = in.convolved(stage);
    const long kernel = stage.kernel(map, map_in);
    for (int ky = 0; ky < KERNEL; ky += 2) {
        const bool two = ky + 1 < KERNEL;  // the last line has no other beside it
        V sums[2][KERNEL] = {};
        for (int row = 0; row < out.height; row += 2) {
            const V* d = d_sums + map * out.area() + row * long(out.width);
            const V* line = x + map_in * in.area() + (row + ky) * long(in.width);
#pragma GCC unroll 1
            for (int column = 0; column < out.width; ++column) {
                const V d0 = d[column], d1 = d[out.width + column];
                const V *above = afresh(line + column), *middle = afresh(line + in.width + column);
                if (two) {
                    const V* below = afresh(middle + in.width);
#pragma GCC unroll 8
                    for (int kx = 0; kx < KERNEL; ++kx) {
                        const V value = squared<MODE>(held(middle[kx]));
                        sums[0][kx] += d0 * squared<MODE>(above[kx]);
                        sums[1][kx] += d0 * value;
                        sums[0][kx] += d1 * value;
                        sums[1][kx] += d1 * squared<MODE>(below[kx]);
                    }
                } else {
#pragma GCC unroll 8
                    for (int kx = 0; kx < KERNEL; ++kx) {
                        sums[0][kx] += d0 * squared<MODE>(above[kx]);
                        sums[1][kx] += d1 * squared<MODE>(middle[kx]);
                    }
                }
            }
        }
        for (int kx = 0; kx < KERNEL; ++kx) {
            sink.add(kernel + ky * KERNEL + kx, two ? sums[0][kx] : sums[0][kx] + sums[1][kx]);
            if (two) sink.add(kernel + (ky + 1) * KERNEL + kx, sums[1][kx]);
        }
    }
}

// The gradient of a convolution's sums -> that of its weights.
template <Mode MODE>
void kernels_back(const Stage& stage, const Sink<MODE>& sink, Field in, const V* x, const V* d_sums) {
    int map = 0;
    for (; stage.plain() && stage.maps - map >= 2; map += 2)
        for (int i = 0; i < stage.maps_in; ++i) two_kernels_back(stage, sink, in, x, d_sums, map, i);
    for (; map < stage.maps; ++map)
        for (int i = 0; i < stage.maps_in; ++i)
            if (stage.connected(map, i)) one_kernel_back(stage, sink, in, x, d_sums, map, i);
}

// All stages, last to first, from the gradient of the last outputs. `gradients` is laid out like `buffers`;
// `at_sums` is called with the gradient of each dense stage's outputs and makes it that of its sums.
template <Mode MODE, class AtSums>
void layers_back(const Network& net, const Layout& at, const Sink<MODE>& sink, V* buffers, V* gradients, AtSums at_sums) {
    for (int s = net.count - 1; s >= 0; --s) {
        const Stage& stage = net.stages[s];
        const V* x = buffers + at.input[s];
        V* d_x = gradients + at.input[s];
        V* d_out = gradients + at.input[s + 1];
        if (stage.dense) {
            at_sums(s, buffers + at.input[s + 1], d_out);
            dense_back<MODE>(stage, sink, x, d_out, d_x);
            continue;
        }
        V* sums = buffers + at.sums[s];
        pool_back<MODE>(stage, sink, at.field[s], buffers + at.input[s + 1], d_out, sums);
        if (s > 0) convolution_back<MODE>(stage, sink.parameters, at.field[s], sums, d_x);
        kernels_back<MODE>(stage, sink, at.field[s], x, sums);
    }
}

}  // namespace lenet::LENET_ISA
