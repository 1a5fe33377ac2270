// The kernels against plain loops in double precision, without Python: for machines that are only emulated.
// Built and run by `make neon` and `make self-test`; prints a line for each instruction set and leaves with 1 if one is wrong.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "../reading/alignments.hpp"
#include "../reading/glyphs.hpp"
#include "../reading/graph.hpp"
#include "../reading/ink.hpp"
#include "../reading/lattice.hpp"
#include "../reading/masks.hpp"
#include "../reading/rules.hpp"
#include "learning.hpp"
#include "line_learning.hpp"
#include "line_loss.hpp"

using namespace lenet;

namespace {

struct Case {
    const char* name;
    Activation activation, pooled;
    Pooling pooling;
};

const Case cases[] = {{"ReLU, maximum", Activation::relu, Activation::none, Pooling::max},
                      {"squash, average", Activation::squash, Activation::none, Pooling::average},
                      {"squash, trainable sum", Activation::squash, Activation::squash, Pooling::trainable}};

std::shared_ptr<Description> described(const Case& c) {
    auto d = std::make_shared<Description>();
    d->convolution(6, 5, c.activation, {});
    d->subsampling(c.pooling, c.pooled, 1);
    d->convolution(16, 5, c.activation, {});
    d->subsampling(c.pooling, c.pooled, 1);
    d->convolution(120, 5, c.activation, {});
    d->convolution(84, 1, c.activation, {});
    d->convolution(10, 1, Activation::none, {});
    d->finish(0);
    return d;
}

double uniform() {  // -1 to 1, the same on every machine
    static unsigned long state = 1998;
    state = state * 6364136223846793005UL + 1442695040888963407UL;
    return double(state >> 40) / double(1UL << 23) - 1;
}

double activated(double x, Activation a) {
    if (a == Activation::relu) return x > 0 ? x : 0;
    return a == Activation::squash ? 1.7159 * std::tanh(2 * x / 3) : x;
}

std::vector<double> scores(const Network& net, const std::vector<float>& p, const float* image) {
    std::vector<double> x(image, image + FIELD * FIELD);
    for (int s = 0; s < net.count; ++s) {
        const Stage& t = net.stages[s];
        const int width = t.columns_in, rows = t.rows(), columns = t.columns();
        std::vector<double> y(t.maps * rows * columns);
        for (int m = 0; m < t.maps; ++m)
            for (int r = 0; r < rows; ++r)
                for (int c = 0; c < columns; ++c) {
                    double sum = p[t.bias + m];
                    for (int i = 0; i < t.maps_in; ++i)
                        for (int ky = 0; ky < t.size; ++ky)
                            for (int kx = 0; kx < t.size; ++kx)
                                sum += p[t.weight + ((m * t.maps_in + i) * t.size + ky) * t.size + kx] *
                                       x[(i * t.rows_in + r + ky) * width + c + kx];
                    y[(m * rows + r) * columns + c] = activated(sum, t.activation);
                }
        x = y;
        if (t.dense) continue;
        x.assign(t.maps * (rows / 2) * (columns / 2), 0);
        for (int m = 0; m < t.maps; ++m)
            for (int r = 0; r < rows / 2; ++r)
                for (int c = 0; c < columns / 2; ++c) {
                    const double* corner = &y[(m * rows + 2 * r) * columns + 2 * c];
                    const double four[] = {corner[0], corner[1], corner[columns], corner[columns + 1]};
                    double value = four[0] + four[1] + four[2] + four[3];
                    if (t.pooling == Pooling::max) value = *std::max_element(four, four + 4);
                    if (t.pooling == Pooling::average) value /= 4;
                    if (t.pooling == Pooling::trainable) value = value * p[t.coefficient + m] + p[t.pooled_bias + m];
                    x[(m * (rows / 2) + r) * (columns / 2) + c] = activated(value, t.pooled_activation);
                }
    }
    return x;
}

double loss(const Network& net, const std::vector<float>& p, const float* image, int label) {
    const std::vector<double> s = scores(net, p, image);
    double sum = 0;
    for (double each : s) sum += std::exp(each);
    return std::log(sum) - s[label];
}

// The largest but two: a small step may lead across a kink of a ReLU or a maximum.
double but_for_kinks(std::vector<double> off) {
    std::sort(off.begin(), off.end());
    return off[off.size() - 3];
}

bool check(const Case& c, const Kernels& kernels) {
    const int n = 11;
    const auto d = described(c);
    const Network& net = d->network;
    std::vector<float> p(net.parameters), images(n * FIELD * FIELD), got(n * 10);
    std::vector<unsigned char> labels(n);
    std::vector<int> order(n);
    for (int s = 0; s < net.count; ++s) {
        const Stage& t = net.stages[s];
        const long end = s + 1 < net.count ? net.stages[s + 1].weight : net.parameters;
        for (long k = t.weight; k < end; ++k) p[k] = float(uniform() * (k < t.bias ? std::sqrt(3.0 / t.inputs()) : 0.3));
    }
    for (float& each : images) each = float(0.5 + 0.6 * uniform());
    for (int k = 0; k < n; ++k) order[k] = k, labels[k] = (unsigned char)(k % 10);

    const Model model(d, p.data(), kernels);
    double worst = model.forward(images.data(), {FIELD, FIELD}, n, got.data(), 2) ? 0 : 1;
    for (int k = 0; k < n; ++k) {
        const std::vector<double> expected = scores(net, p, &images[k * FIELD * FIELD]);
        for (int o = 0; o < 10; ++o) worst = std::max(worst, std::fabs(expected[o] - got[k * 10 + o]));
    }
    // One step of a mini-batch of one, and of three replicas on-line, against the slope of the loss.
    BatchLearner batch(d, kernels, {{LossKind::cross_entropy, 0, 0, 1}, 1, 0, 0, false, 0, std::vector<float>(net.count)});
    OnlineLearner online(d, kernels, {LossKind::cross_entropy, 0, 0, 1}, 3);
    std::copy(p.begin(), p.end(), batch.parameters.data());
    for (int r = 0; r < 3; ++r) online.take(false, r, p.data());
    const Patterns patterns{images.data(), labels.data()};
    const float rate = 0.01f;
    batch.run(patterns, order.data(), nullptr, nullptr, &rate, 1, 0, 0, 2);
    online.run(patterns, order.data(), nullptr, &rate, 1, 2);
    std::vector<float> moved(net.parameters);
    online.give(false, 0, moved.data());
    double steep = 0;
    std::vector<double> all;
    for (int k = 0; k < 60; ++k) {
        const long which = k < 30 ? long((uniform() + 1) / 2 * net.stages[2].weight) : long((uniform() + 1) / 2 * net.parameters);
        const float kept = p[which], h = 1e-4f, high = kept + h, low = kept - h;
        p[which] = high;
        const double above = loss(net, p, images.data(), labels[0]);
        p[which] = low;
        const double below = loss(net, p, images.data(), labels[0]);
        p[which] = kept;
        const double slope = (above - below) / (double(high) - low);
        steep = std::max(steep, std::fabs(slope));
        all.push_back(std::max(std::fabs(slope - batch.gradient[which]), std::fabs(slope - (kept - moved[which]) / rate)));
    }
    const double off = but_for_kinks(all);
    const bool good = worst < 1e-4 && off < 0.02 * steep;
    std::printf("%s, %s: scores to %.1e, gradients to %.1e of %.1e: %s\n", kernels.name, c.name, worst, off, steep, good ? "ok" : "WRONG");
    return good;
}

// A network that reads lines 12 pixels high: padding, kernels wide and high, maxima along one side and both.
LineDescription described_line() {
    const auto stage = [](int maps, int rows, int columns, int above, int beside, Activation activation, int down, int across) {
        LineStage s{};
        s.maps = maps;
        s.rows = rows;
        s.columns = columns;
        s.above = above;
        s.beside = beside;
        s.activation = activation;
        s.down = down;
        s.across = across;
        return s;
    };
    return {{stage(5, 3, 3, 1, 1, Activation::relu, 2, 2), stage(19, 3, 2, 1, 0, Activation::squash, 2, 1),
             stage(21, 3, 3, 0, 1, Activation::relu, 1, 1), stage(8, 1, 1, 0, 0, Activation::none, 1, 1)},
            12};
}

std::vector<float> line_scores(const LineNetwork& net, const std::vector<float>& p, const float* image, int width) {
    std::vector<double> x(image, image + net.height * width);
    LineField in{net.height, width};
    for (int s = 0; s < net.count; ++s) {
        const LineStage& t = net.stages[s];
        const LineField sums = in.convolved(t), out = in.after(t);
        std::vector<double> y(t.maps * sums.area()), z(t.maps * out.area());
        for (int m = 0; m < t.maps; ++m)
            for (int r = 0; r < sums.height; ++r)
                for (int c = 0; c < sums.width; ++c) {
                    double sum = p[t.bias + m];
                    for (int i = 0; i < t.maps_in; ++i)
                        for (int ky = 0; ky < t.rows; ++ky)
                            for (int kx = 0; kx < t.columns; ++kx) {
                                const int row = r + ky - t.above, column = c + kx - t.beside;
                                if (row < 0 || row >= in.height || column < 0 || column >= in.width) continue;
                                sum += p[t.weight + ((m * t.maps_in + i) * t.rows + ky) * t.columns + kx] *
                                       x[(i * in.height + row) * in.width + column];
                            }
                    y[(m * sums.height + r) * sums.width + c] = activated(sum, t.activation);
                }
        for (int m = 0; m < t.maps; ++m)
            for (int r = 0; r < out.height; ++r)
                for (int c = 0; c < out.width; ++c) {
                    double most = -1e30;
                    for (int v = 0; v < t.down; ++v)
                        for (int u = 0; u < t.across; ++u)
                            most = std::max(most, y[(m * sums.height + r * t.down + v) * sums.width + c * t.across + u]);
                    z[(m * out.height + r) * out.width + c] = most;
                }
        x = z;
        in = out;
    }
    return std::vector<float>(x.begin(), x.end());
}

bool check_lines(const Kernels& kernels) {
    const int width = 18, n = 3, columns[n] = {16, 14, 16}, texts[n * 2] = {0, 2, 1, 1, 2, 0}, lengths[n] = {2, 2, 1};
    const LineDescription description = described_line();
    const LineNetwork& net = description.network();
    const int places = description.field(width).width;
    std::vector<float> p(net.parameters), images(n * net.height * width), got(n * net.last().maps * places);
    for (int s = 0; s < net.count; ++s)
        for (long k = net.stages[s].weight; k < net.stages[s].bias + net.stages[s].maps; ++k)
            p[k] = float(uniform() * (k < net.stages[s].bias ? std::sqrt(3.0 / net.stages[s].inputs()) : 0.3));
    for (float& each : images) each = float(uniform());
    const LineModel model(description, p.data(), net.parameters, kernels);
    double worst = model.forward(images.data(), width, n, got.data(), 2) ? 0 : 1;
    for (int k = 0; k < n; ++k) {
        const std::vector<float> expected = line_scores(net, p, &images[k * net.height * width], width);
        for (std::size_t o = 0; o < expected.size(); ++o)
            worst = std::max(worst, double(std::fabs(expected[o] - got[k * expected.size() + o])));
    }
    const auto loss = [&] {
        double sum = 0;
        Alignments room;
        for (int k = 0; k < n; ++k) {
            const std::vector<float> s = line_scores(net, p, &images[k * net.height * width], width);
            std::vector<float> slopes(s.size());
            sum += line_loss({s.data(), places, 2, 4}, columns[k], texts + 2 * k, lengths[k], 1, slopes.data(), room);
        }
        return sum / n;
    };
    LineLearner learner(description, {2, 0, 0.9f, 0.99f, 1e-8f, 100, 0}, kernels);
    std::copy(p.begin(), p.end(), learner.parameters.data());
    const double told = learner.step({images.data(), columns, texts, lengths, n, 2, width}, 1e-3f, 2);
    worst = std::max(worst, std::fabs(told - loss()));
    double steep = 0;
    std::vector<double> all;
    for (int k = 0; k < 60; ++k) {
        const long which = long((uniform() + 1) / 2 * net.parameters);
        const float kept = p[which], h = 1e-3f, high = kept + h, low = kept - h;
        p[which] = high;
        const double above = loss();
        p[which] = low;
        const double below = loss();
        p[which] = kept;
        const double slope = (above - below) / (double(high) - low);
        steep = std::max(steep, std::fabs(slope));
        all.push_back(std::fabs(slope - learner.gradient[which]));
    }
    const double off = but_for_kinks(all);
    const bool good = worst < 1e-4 && off < 0.02 * steep;
    std::printf("%s, lines: scores to %.1e, gradients to %.1e of %.1e: %s\n", kernels.name, worst, off, steep, good ? "ok" : "WRONG");
    return good;
}

// The largest or least value in a disc, and weighed rows, against plain loops.
bool check_fields(const Kernels& kernels) {
    const int radius = 5, height = 13, width = 21, lanes = kernels.lanes;
    const int bytes = 4 * lanes, stride = (width + 2 * radius + bytes - 1) / bytes * bytes + bytes, high = height + 2 * radius;
    std::vector<unsigned char> padded(high * stride + 2 * bytes), scratch(2 * stride + 6 * bytes), out(height * stride);
    for (int y = 0; y < high; ++y)
        for (int x = 0; x < width + 2 * radius; ++x) padded[bytes + y * stride + x] = (unsigned char)((uniform() + 1) / 2 * 255);
    const Disc disc = make_disc(radius);
    double worst = 0;
    for (const bool broader : {true, false}) {
        kernels.spread(disc, broader, padded.data() + bytes, {height, width, stride}, scratch.data(), out.data());
        for (int y = 0; y < height; ++y)
            for (int x = 0; x < width; ++x) {
                int most = broader ? 0 : 255;
                for (int down = -radius; down <= radius; ++down)
                    for (int across = -disc.reach[std::abs(down)]; across <= disc.reach[std::abs(down)]; ++across) {
                        const int here = padded[bytes + (y + radius + down) * stride + x + radius + across];
                        most = broader ? std::max(most, here) : std::min(most, here);
                    }
                worst = std::max(worst, std::fabs(double(most) - out[y * stride + x]));
            }
    }
    const float weights[] = {0.25f, -1.0f, 2.0f};
    std::vector<float> rows(3 * stride), weighed(stride);
    for (float& each : rows) each = float(uniform());
    kernels.weigh_rows(rows.data(), stride, 3, weights, width, weighed.data());
    for (int x = 0; x < width; ++x) {
        double sum = 0;
        for (int k = 0; k < 3; ++k) sum += double(weights[k]) * double(rows[k * stride + x]);
        worst = std::max(worst, std::fabs(sum - double(weighed[x])));
    }
    std::printf("%s, fields: discs and rows to %.1e: %s\n", kernels.name, worst, worst < 1e-6 ? "ok" : "WRONG");
    return worst < 1e-6;
}

// A page with a ruled line and two bars of ink: what each stage of reading finds there.
bool check_reading(const Kernels& kernels) {
    const int height = 60, width = 120;
    std::vector<std::uint8_t> page(height * width, 220);
    const auto ink = [&](int top, int foot, int left, int right) {
        for (int y = top; y < foot; ++y) std::fill(page.begin() + y * width + left, page.begin() + y * width + right, 40);
    };
    ink(50, 52, 4, 116), ink(10, 40, 30, 36), ink(10, 40, 60, 66);
    const FoundInk found = find_ink(kernels, page.data(), height, width, false);
    const long strokes = std::count(found.strokes.begin(), found.strokes.end(), 1);
    bool good = found.sign == -1 && strokes == 2 * 112 + 2 * 30 * 6;
    const std::vector<RuleInk> rules = find_rules({found.strokes.data(), height, width}, 14);
    good = good && rules.size() == 1 && rules[0].top == 50 && rules[0].height == 2;
    std::vector<std::int32_t> labels(height * width, 0), pieces(labels.size(), 0);
    for (int y = 10; y < 40; ++y)
        for (int x = 0; x < 6; ++x) labels[y * width + 30 + x] = 1, labels[y * width + 60 + x] = 2;
    const std::int32_t own[] = {1, 2}, boxes[] = {30, 10, 36, 40, 60, 10, 66, 40};
    const LineInk line{found.levels.data(), labels.data(), std::size_t(width), own, boxes, 2};
    const Runs runs = cut_line(line, {30, 0, 25, 0}, 1, 100, pieces.data());
    good = good && runs.pieces == 2 && runs.arcs.size() == 2 * 2 && pieces[20 * width + 62] == 2;
    std::uint8_t glyph[28 * 28];
    make_glyph(kernels, crop({found.levels.data(), pieces.data(), height, width, 0}, 1, 2, {30, 10, 36, 40}), 1.5, glyph);
    good = good && glyph[14 * 28 + 14] > 200 && glyph[0] == 0;
    const double logs[] = {-0.1, -3, -3, -3, -0.1, -3, -3, -3, -0.1}, penalties[] = {0.5, 1.0, 0.25};
    const std::vector<Text> texts = find_texts({logs, 3, 3}, 4, nullptr);
    const std::vector<double> scores = score_texts({logs, 3, 3}, texts);
    good = good && texts[0] == Text{0, 1} && std::is_sorted(scores.rbegin(), scores.rend());
    const int sources[] = {0, 0, 1}, targets[] = {1, 1, 2}, labels_of_arcs[] = {3, 4, EPSILON};
    const Graph graph{3, 3, sources, targets, labels_of_arcs, penalties};
    good = good && viterbi(graph).second == std::vector<int>{0, 2} && rank_texts(graph, 5, 6, 8)[1].text == Text{4};
    std::printf("%s, reading: %s\n", kernels.name, good ? "ok" : "WRONG");
    return good;
}

}  // namespace

int main() {
    bool good = true;
    for (const Kernels* kernels : available()) {
        for (const Case& c : cases) good &= check(c, *kernels);
        good &= check_lines(*kernels);
        good &= check_fields(*kernels);
        good &= check_reading(*kernels);
    }
    return good ? 0 : 1;
}
