#include "line_learning.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>

#include "line_loss.hpp"
#include "threads.hpp"

namespace lenet {

namespace {

// A mini-batch is learned in so many blocks, each with a gradient of its own: as many threads can help.
constexpr int BLOCKS = 16;
// The average begins as the plain mean of so many steps and more, as lenet.engine.learner has it.
constexpr double FIRST_STEPS = 20;

}  // namespace

LineLearner::LineLearner(const LineDescription& description, const LineSettings& settings, const Kernels& kernels)
    : description_(description), kernels_(kernels), settings_(settings) {
    const LineNetwork& net = description_.network();
    for (int s = 0; s < net.count; ++s)
        if (net.stages[s].above >= net.stages[s].rows || net.stages[s].beside >= net.stages[s].columns)
            throw std::invalid_argument("padding as large as the kernel: such layers cannot be trained");
    if (settings.columns < 1 || net.last().maps % settings.columns) throw std::invalid_argument("columns: expected a divisor of the last maps");
    if (description_.field(1 << 20).height != 1) throw std::invalid_argument("layers that leave more than one row of a line");
    for (Floats* part : {&parameters, &mean, &square, &average, &gradient}) *part = Floats(net.parameters);
    packed_ = Floats(kernels_.line_packed_size(net), Use::hot);
    packed_back_ = Floats(kernels_.line_back_packed_size(net), Use::hot);
    blocks_ = Floats(BLOCKS * packed_.size());
}

double LineLearner::learn(const LineBatch& batch, long first, long last, float* block) {
    const LineNetwork& net = description_.network();
    const long image = long(net.height) * batch.width, kept = kernels_.line_size(net, batch.width, true);
    const int places = description_.field(batch.width).width;
    const long answers = long(net.last().maps) * places;
    float* buffers = thread_buffer(kept + kernels_.line_back_size(net, batch.width) + 2 * answers);
    float* scores = buffers + kept + kernels_.line_back_size(net, batch.width);
    float* d_scores = scores + answers;
    std::fill(block, block + packed_.size(), 0.0f);
    Alignments room;
    double loss = 0;
    for (long n = first; n < last; ++n) {
        kernels_.line(net, packed_.data(), batch.images + n * image, batch.width, true, buffers, scores);
        loss += line_loss({scores, places, settings_.columns, labels()}, batch.columns[n], batch.texts + n * batch.longest,
                          batch.lengths[n], 1.0f / float(batch.count), d_scores, room);
        kernels_.line_back(net, packed_back_.data(), batch.width, buffers, d_scores, buffers + kept, block);
    }
    return loss;
}

double LineLearner::step(const LineBatch& batch, float rate, int threads) {
    const LineNetwork& net = description_.network();
    kernels_.line_pack(net, parameters.data(), packed_.data());
    kernels_.line_back_pack(net, parameters.data(), packed_back_.data());
    const int blocks = int(std::min<long>(BLOCKS, batch.count));
    std::vector<double> losses(blocks), lengths(net.count);
    std::atomic<int> next_block{0}, next_part{0}, next_stage{0}, next_move{0};
    const double done = double(++steps);
    Adam rule{};
    rule.rate = rate;
    rule.first = settings_.first;
    rule.second = settings_.second;
    rule.first_seen = float(1 - std::pow(double(settings_.first), done));
    rule.second_seen = float(1 - std::pow(double(settings_.second), done));
    rule.epsilon = settings_.epsilon;
    rule.share = float(1 - std::min(settings_.averaging, done / (done + FIRST_STEPS)));
    on_threads(std::min(threads, blocks), [&](Barrier& all) {
        for (int b; (b = next_block++) < blocks;)
            losses[b] = learn(batch, batch.count * b / blocks, batch.count * (b + 1) / blocks, blocks_.data() + b * packed_.size());
        all.wait();
        for (int part; (part = next_part++) < BLOCKS;)
            for (int b = 1; b < blocks; ++b)
                for (long k = packed_.size() * part / BLOCKS; k < packed_.size() * (part + 1) / BLOCKS; ++k)
                    blocks_[k] += blocks_[b * packed_.size() + k];
        all.wait();
        for (int s; (s = next_stage++) < net.count;) {
            kernels_.line_gather(net, s, blocks_.data(), gradient.data());
            for (long k = net.stages[s].weight; k < net.stages[s].bias + net.stages[s].maps; ++k)
                lengths[s] += double(gradient[k]) * gradient[k];
        }
        all.wait();
        double length = 0;
        for (double each : lengths) length += each;
        Adam here = rule;
        here.scale = float(std::min(1.0, settings_.longest_step / (std::sqrt(length) + 1e-6)));
        for (int s; (s = next_move++) < net.count;) move(net.stages[s], here);
    });
    double loss = 0;
    for (double each : losses) loss += each;
    return loss / double(batch.count);
}

void LineLearner::move(const LineStage& stage, const Adam& rule) {
    const auto adam = [&](float decay, long first, long last) {
        Adam here = rule;
        here.decay = decay;
        kernels_.adam(here, last - first, gradient.data() + first, parameters.data() + first, mean.data() + first, square.data() + first,
                      average.data() + first);
    };
    adam(settings_.decay, stage.weight, stage.bias);
    adam(0, stage.bias, stage.bias + stage.maps);
}

}  // namespace lenet
