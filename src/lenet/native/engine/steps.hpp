// From images and labels to moved weights: the losses, a mini-batch's block and its dense gradients, an on-line step.
#pragma once

#include "backward.hpp"
#include "forward.hpp"
#include "network.hpp"
#include "vector.hpp"
#include "warp.hpp"

namespace lenet::LENET_ISA {

struct Top {
    double loss[LANES];
    int errors[LANES];
};

// The loss of each lane, its wrong answers, and the gradient of the scores (n = outputs), times `weight`. Cross-entropy is
// with the probabilities `wanted` (n), or without them (null) with the labels.
inline Top loss_and_gradient(const Loss& loss, int n, const V* given, const int* labels, const V* wanted, V weight, V* d_scores) {
    Top top;
    auto score = [&](int k) { return given[k] * loss.unit; };
    weight *= loss.unit;
    I label, answer{};
    for (int lane = 0; lane < LANES; ++lane) label[lane] = labels[lane];
    V best = score(0), largest = loss.kind == LossKind::discriminative ? larger(best, broadcast(-loss.junk)) : best, own{};
    for (int k = 0; k < n; ++k) {
        answer = score(k) > best ? I{} + k : answer;
        best = larger(best, score(k));
        largest = larger(largest, score(k));
        own = label == k ? score(k) : own;
    }
    V value{};
    if (loss.kind == LossKind::distance) {  // equation 8
        value = -own;
        for (int k = 0; k < n; ++k) d_scores[k] = label == k ? -weight : V{};
    } else if (loss.kind == LossKind::mean_squared_error) {  // targets -1 and +1
        for (int k = 0; k < n; ++k) {
            V off = score(k) - (label == k ? broadcast(1.0f) : broadcast(-1.0f));
            value += off * off / float(n);
            d_scores[k] = weight * (2.0f / n) * off;
        }
    } else {  // cross-entropy; equation 9 is one with a constant score -j beside the others
        V sum = loss.kind == LossKind::discriminative ? exponential(-loss.junk - largest) : V{};
        for (int k = 0; k < n; ++k) sum += d_scores[k] = exponential(score(k) - largest);
        const float even = loss.kind == LossKind::cross_entropy ? loss.smoothing / n : 0.0f;
        const float full = loss.kind == LossKind::cross_entropy ? 1.0f - loss.smoothing : 1.0f;
        V log_sum;
        for (int lane = 0; lane < LANES; ++lane) log_sum[lane] = __builtin_logf(sum[lane]);
        log_sum += largest;
        for (int k = 0; k < n; ++k) {
            const V target = wanted ? wanted[k] : (label == k ? broadcast(full) : V{}) + even;
            value += target * (log_sum - score(k));
            d_scores[k] = weight * (d_scores[k] / sum - target);
        }
    }
    for (int lane = 0; lane < LANES; ++lane) {
        top.loss[lane] = value[lane];
        top.errors[lane] = !(answer[lane] == label[lane]);
    }
    return top;
}

// The curvature of the loss in each score of a linear output: the diagonal of its second derivatives.
inline void score_curvature(const Loss& loss, int n, const V* scores, V* curvature) {
    V largest = scores[0] * loss.unit, sum{};
    for (int k = 0; k < n; ++k) largest = larger(largest, scores[k] * loss.unit);
    for (int k = 0; k < n; ++k) sum += curvature[k] = exponential(scores[k] * loss.unit - largest);
    for (int k = 0; k < n; ++k) {
        V p = curvature[k] / sum;
        curvature[k] = (loss.kind == LossKind::mean_squared_error ? broadcast(2.0f / n) : p - p * p) * (loss.unit * loss.unit);
    }
}

// The gradient of the scores becomes that of the last outputs: the same, or through the codes (equation 7).
inline void scores_back(const Network& net, const V* x, const V* d_scores, V* d_x) {
    const int units = net.last().maps;
    for (int j = 0; j < units; ++j) {
        V sum{};
        for (int k = 0; net.codes && k < net.outputs; ++k) sum += d_scores[k] * (net.codes[k * units + j] - x[j]) * 2.0f;
        d_x[j] = net.codes ? sum : d_scores[j];
    }
}

// The images to learn from, one in each lane, distorted where there is a distortion.
inline void take_patterns(const Network& net, const float* const* images, const float* const* distortions, V* x) {
    const float* seen[LANES];
    float warped[LANES][FIELD * FIELD];
    for (int lane = 0; lane < LANES; ++lane) {
        seen[lane] = images[lane];
        if (distortions[lane]) {
            warp(images[lane], distortions[lane], warped[lane]);
            seen[lane] = warped[lane];
        }
    }
    take_images(seen, LANES, {FIELD, FIELD}, net.margin, x);
}

// Which outputs dropout drops: 0, or 1 / (1 - share). A hash of the seed, the presentation and the unit, so that no
// thread and no order changes it; gradients.py has the same.
inline V kept_share(unsigned long noise, long first, long unit, float share) {
    U h;
    for (int lane = 0; lane < LANES; ++lane) h[lane] = unsigned(first + lane);
    h = (h + unsigned(noise)) * 0x9E3779B1u;
    h ^= unsigned(unit) * 0x85EBCA77u + unsigned(noise >> 32);
    h ^= h >> 15;
    h *= 0x2C1B3C6Du;
    h ^= h >> 12;
    h *= 0x297A2D39u;
    h ^= h >> 15;
    V uniform = __builtin_convertvector(reinterpret_cast<I>(h >> 8), V) * (1.0f / 16777216.0f);
    return uniform < share ? V{} : broadcast(1.0f / (1.0f - share));
}

// Forward and backward for one block of a mini-batch; the dense stages' gradients wait for `dense_gradient`.
inline void block(const Batch& batch, int number, float* memory) {
    const Network& net = *batch.net;
    const Layout& at = *batch.layout;
    V* buffers = reinterpret_cast<V*>(memory);
    V* gradients = buffers + at.total;
    const int first = number * LANES;
    const int count = batch.count - first < LANES ? batch.count - first : LANES;

    const float *images[LANES], *distortions[LANES];
    int labels[LANES];
    V weight{}, wanted[MOST_MAPS];
    for (int lane = 0; lane < LANES; ++lane) {  // lanes beyond the last image repeat it, and count for nothing
        const int n = first + (lane < count ? lane : count - 1);
        images[lane] = batch.inputs + long(batch.order[n]) * FIELD * FIELD;
        distortions[lane] = batch.distortions && lane < count ? batch.distortions + long(n) * DISTORTION : nullptr;
        labels[lane] = batch.labels[batch.order[n]];
        weight[lane] = lane < count ? 1.0f / batch.count : 0.0f;
        for (int k = 0; batch.targets && k < net.outputs; ++k) wanted[k][lane] = batch.targets[long(n) * net.outputs + k];
    }
    take_patterns(net, images, distortions, buffers);
    auto kept = [&](int s, int m) {
        return kept_share(batch.noise, batch.first + first, net.stages[s].bias + m, batch.dropout[s]);
    };
    layers<false>(net, at, batch.parameters, buffers, [&](int s, V* out) {
        for (int m = 0; batch.dropout[s] > 0 && m < net.stages[s].maps; ++m) out[m] *= kept(s, m);
    });

    V d_scores[MOST_MAPS];
    const Top top = loss_and_gradient(batch.loss, net.outputs, buffers + at.scores, labels, batch.targets ? wanted : nullptr, weight, d_scores);
    batch.losses[number] = 0;
    batch.errors[number] = 0;
    for (int lane = 0; lane < count; ++lane) {
        batch.losses[number] += top.loss[lane];
        batch.errors[number] += top.errors[lane];
    }
    scores_back(net, buffers + at.input[net.count], d_scores, gradients + at.input[net.count]);

    float* shared = batch.gradients + number * batch.shared;
    for (long k = 0; k < batch.shared; ++k) shared[k] = 0.0f;
    const Sink<Mode::gradient> sink{const_cast<float*>(batch.parameters), nullptr, shared, 0.0f};
    // Image-major copies of a dense stage's input and of its sums' gradients.
    auto give = [&](const V* vectors, long values, float* rows, long stride) {
        for (long k = 0; k < values; k += LANES) {
            V square[LANES];
            for (int j = 0; j < LANES; ++j) square[j] = k + j < values ? vectors[k + j] : V{};
            transpose(square);
            for (int lane = 0; lane < LANES; ++lane) store(rows + (first + lane) * stride + k, square[lane]);
        }
    };
    layers_back(net, at, sink, buffers, gradients, [&](int s, const V* out, V* d_out) {
        const Stage& stage = net.stages[s];
        for (int m = 0; m < stage.maps; ++m) {
            const V share = batch.dropout[s] > 0 ? kept(s, m) : broadcast(1.0f);
            d_out[m] *= share * slope(out[m] * (1.0f - batch.dropout[s]), stage.activation);
        }
        give(buffers + at.input[s], stage.inputs(), batch.dense_inputs[s], batch.inputs_stride[s]);
        give(d_out, stage.maps, batch.dense_gradients[s], batch.gradients_stride[s]);
    });
}

// ROWS rows of a dense stage's gradient, COLUMNS vectors of it at a time, summed over the whole mini-batch in order.
template <int ROWS, int COLUMNS>
LENET_APART void dense_tile(const Batch& batch, int s, int row, long column, float* gradient) {
    const long inputs = batch.net->stages[s].inputs();
    V sums[ROWS][COLUMNS] = {};
    const float* x = batch.dense_inputs[s] + column;
    const float* d = batch.dense_gradients[s] + row;
    for (int n = 0; n < batch.count; ++n, x += batch.inputs_stride[s], d += batch.gradients_stride[s]) {
        V values[COLUMNS];
#pragma GCC unroll 4
        for (int c = 0; c < COLUMNS; ++c) values[c] = held(load(x + c * LANES));
#pragma GCC unroll 4
        for (int r = 0; r < ROWS; ++r) {
            V each = held(broadcast(d[r]));
#pragma GCC unroll 4
            for (int c = 0; c < COLUMNS; ++c) sums[r][c] += each * values[c];
        }
    }
    for (int r = 0; r < ROWS; ++r)
        for (int c = 0; c < COLUMNS; ++c) {
            float* to = gradient + (row + r) * inputs + column + c * LANES;
            if (column + (c + 1) * LANES <= inputs)
                store(to, sums[r][c]);
            else
                for (int lane = 0; column + c * LANES + lane < inputs; ++lane) to[lane] = sums[r][c][lane];
        }
}

// Columns outside, rows inside: a column's inputs of all images stay in the nearest cache.
template <int COLUMNS>
inline void dense_column(const Batch& batch, int s, int first, int last, long column, float* weights) {
    int row = first;
    for (; last - row >= 4; row += 4) dense_tile<4, COLUMNS>(batch, s, row, column, weights);
    for (; row < last; ++row) dense_tile<1, COLUMNS>(batch, s, row, column, weights);
}

inline void dense_gradient(const Batch& batch, int s, int first, int last, float* gradient) {
    const Stage& stage = batch.net->stages[s];
    long column = 0;
    for (; column + 3 * LANES <= stage.inputs(); column += 3 * LANES)
        dense_column<3>(batch, s, first, last, column, gradient + stage.weight);
    for (; column < stage.inputs(); column += LANES) dense_column<1>(batch, s, first, last, column, gradient + stage.weight);
    for (int row = first; row < last; ++row) {
        float sum = 0;
        for (int n = 0; n < batch.count; ++n) sum += batch.dense_gradients[s][n * batch.gradients_stride[s] + row];
        gradient[stage.bias + row] = sum;
    }
}

// One step of a range of parameters, in PyTorch's order of operations.
inline void update(const Rule& rule, long count, const float* gradient, float* parameters, float* velocity, float* average) {
    auto step = [&](auto g, auto& p, auto& v) {
        g += rule.decay * p;
        v = rule.momentum * v + g;
        p -= rule.rate * (rule.nesterov ? g + rule.momentum * v : v);
    };
    long k = 0;
    for (; k + LANES <= count; k += LANES) {
        V p = load(parameters + k), v = load(velocity + k);
        step(load(gradient + k), p, v);
        store(parameters + k, p);
        store(velocity + k, v);
        if (rule.share >= 0) store(average + k, load(average + k) + rule.share * (p - load(average + k)));
    }
    for (; k < count; ++k) {
        step(gradient[k], parameters[k], velocity[k]);
        if (rule.share >= 0) average[k] += rule.share * (parameters[k] - average[k]);
    }
}

// Forward for one pattern of each replica; nothing is dropped.
inline void show(const Network& net, const Layout& at, const OnlineStep& step, const float* parameters, V* buffers) {
    take_patterns(net, step.images, step.distortions, buffers);
    layers<true>(net, at, parameters, buffers, [](int, V*) {});
}

// Backward from the gradient of the last outputs, or from their curvature.
template <Mode MODE>
void back(const Network& net, const Layout& at, const Sink<MODE>& sink, V* buffers, V* gradients) {
    layers_back(net, at, sink, buffers, gradients, [&](int s, const V* out, V* d_out) {
        const Stage& stage = net.stages[s];
        for (int m = 0; m < stage.maps; ++m) d_out[m] *= squared<MODE>(slope(out[m], stage.activation));
    });
}

// One pattern for each replica: equations 18 and 19, each weight at its own rate.
inline void online(const Network& net, const Layout& at, const Loss& loss, const OnlineStep& step, float* parameters,
                   const float* scales, float* memory, double* losses, int* errors) {
    V* buffers = reinterpret_cast<V*>(memory);
    V* gradients = buffers + at.total;
    show(net, at, step, parameters, buffers);
    V d_scores[MOST_MAPS];
    const Top top = loss_and_gradient(loss, net.outputs, buffers + at.scores, step.labels, nullptr, broadcast(1.0f), d_scores);
    for (int lane = 0; lane < LANES; ++lane) {
        losses[lane] += top.loss[lane];
        errors[lane] += top.errors[lane];
    }
    scores_back(net, buffers + at.input[net.count], d_scores, gradients + at.input[net.count]);
    back(net, at, Sink<Mode::step>{parameters, scales, nullptr, step.rate}, buffers, gradients);
}

// Appendix C: the diagonal of the Gauss-Newton matrix for one pattern of each replica. Codes give every unit of
// F6 the curvature of equation 8, which is 2 (1 for half squares), for both losses.
inline void curvature(const Network& net, const Layout& at, const Loss& loss, const OnlineStep& step, float* parameters,
                      float* sums, float* memory) {
    V* buffers = reinterpret_cast<V*>(memory);
    V* gradients = buffers + at.total;
    show(net, at, step, parameters, buffers);
    V* last = gradients + at.input[net.count];
    if (net.codes)
        for (int j = 0; j < net.last().maps; ++j) last[j] = broadcast(2.0f * loss.unit);
    else
        score_curvature(loss, net.outputs, buffers + at.scores, last);
    back(net, at, Sink<Mode::curvature>{parameters, nullptr, sums, 0.0f}, buffers, gradients);
}

}  // namespace lenet::LENET_ISA
