#include "learning.hpp"

#include <algorithm>
#include <atomic>

#include "threads.hpp"

namespace lenet {

namespace {

constexpr long PIXELS = long(FIELD) * FIELD;
// Rows of a dense stage that one thread takes at a time: a share of the work that is worth handing out.
constexpr long WEIGHTS_AT_ONCE = 4800;

}  // namespace

BatchLearner::BatchLearner(std::shared_ptr<const Description> description, const Kernels& kernels, const BatchSettings& settings)
    : parameters(description->network.parameters),
      velocity(description->network.parameters),
      average(description->network.parameters),
      gradient(description->network.parameters),
      description_(std::move(description)),
      kernels_(kernels),
      settings_(settings),
      layout_(description_->network, {FIELD, FIELD}, true) {
    const Network& net = description_->network;
    const long lanes = kernels_.lanes, blocks = (settings.batch + lanes - 1) / lanes;
    shared_ = net.parameters;
    for (int s = net.count - 1; s >= 0 && net.stages[s].dense; --s) shared_ = net.stages[s].weight;
    ranges_.push_back({-1, 0, 0});
    for (int s = 0; s < net.count; ++s) {
        const Stage& stage = net.stages[s];
        if (!stage.dense) continue;
        const int rows = int(std::max(4L, WEIGHTS_AT_ONCE / stage.inputs() / 4 * 4));
        for (int row = 0; row < stage.maps; row += rows) ranges_.push_back({s, row, std::min(row + rows, stage.maps)});
        for (long width : {stage.inputs(), long(stage.maps)}) dense_.emplace_back((width + lanes) * blocks * lanes);
    }
    block_gradients_ = Floats(blocks * shared_);
}

Counts BatchLearner::run(const Patterns& patterns, const int* order, const float* distortions, const float* targets,
                         const float* rates, long count, long first, unsigned long noise, int threads) {
    const Network& net = description_->network;
    const long lanes = kernels_.lanes, batch_size = settings_.batch, steps_here = (count + batch_size - 1) / batch_size;
    const long most_blocks = (batch_size + lanes - 1) / lanes;
    std::vector<double> losses(steps_here * most_blocks);
    std::vector<int> errors(steps_here * most_blocks);
    std::vector<std::atomic<int>> next_block(steps_here), next_range(steps_here);
    const int used = int(std::min<long>(threads, std::max<long>(most_blocks, 1)));
    on_threads(used, [&](Barrier& all) {
        float* buffers = thread_buffer(2 * layout_.total * lanes);
        for (long step = 0; step < steps_here; ++step) {
            const long begin = step * batch_size;
            Batch batch{};
            batch.net = &net;
            batch.layout = &layout_;
            batch.loss = settings_.loss;
            batch.parameters = parameters.data();
            batch.inputs = patterns.inputs;
            batch.labels = patterns.labels;
            batch.order = order + begin;
            batch.distortions = distortions ? distortions + begin * DISTORTION : nullptr;
            batch.targets = targets ? targets + begin * net.outputs : nullptr;
            batch.count = int(std::min(batch_size, count - begin));
            batch.first = first + begin;
            batch.noise = noise;
            batch.dropout = settings_.dropout.data();
            for (int s = 0, d = 0; s < net.count; ++s) {
                if (!net.stages[s].dense) continue;
                batch.inputs_stride[s] = (net.stages[s].inputs() + lanes - 1) / lanes * lanes;
                batch.gradients_stride[s] = (net.stages[s].maps + lanes - 1) / lanes * lanes;
                batch.dense_inputs[s] = dense_[d++].data();
                batch.dense_gradients[s] = dense_[d++].data();
            }
            batch.gradients = block_gradients_.data();
            batch.shared = shared_;
            batch.losses = losses.data() + step * most_blocks;
            batch.errors = errors.data() + step * most_blocks;
            const int blocks = int((batch.count + lanes - 1) / lanes);
            for (int block; (block = next_block[step].fetch_add(1)) < blocks;) kernels_.block(batch, block, buffers);
            all.wait();
            const double done = double(steps + step + 1);
            const double share = settings_.averaging > 0 ? 1 - std::min(settings_.averaging, done / (done + 1)) : -1;
            const Rule rule{rates[step], settings_.momentum, settings_.decay, float(share), settings_.nesterov};
            for (int range; (range = next_range[step].fetch_add(1)) < int(ranges_.size());)
                finish(batch, ranges_[range], rule, blocks);
            all.wait();
        }
    });
    steps += steps_here;
    Counts counts;
    for (double loss : losses) counts.loss += loss;
    for (int wrong : errors) counts.errors += wrong;
    return counts;
}

void BatchLearner::finish(const Batch& batch, const Range& range, const Rule& rule, int blocks) {
    const Network& net = description_->network;
    if (range.stage >= 0) {
        const Stage& stage = net.stages[range.stage];
        kernels_.dense_gradient(batch, range.stage, range.first_row, range.last_row, gradient.data());
        const long first = stage.weight + range.first_row * stage.inputs(), last = stage.weight + range.last_row * stage.inputs();
        for (long k = first; !description_->present.empty() && k < last; ++k) gradient[k] *= description_->present[k];
        update(rule, first, last, true);
        update(rule, stage.bias + range.first_row, stage.bias + range.last_row, false);
        return;
    }
    for (long k = 0; k < shared_; ++k) gradient[k] = batch.gradients[k];
    for (int block = 1; block < blocks; ++block)
        for (long k = 0; k < shared_; ++k) gradient[k] += batch.gradients[block * shared_ + k];
    for (int s = 0; s < net.count && !net.stages[s].dense; ++s) {
        const Stage& stage = net.stages[s];
        update(rule, stage.weight, stage.bias, true);
        update(rule, stage.bias, stage.bias + stage.own_maps, false);
        if (stage.pooling == Pooling::trainable) update(rule, stage.coefficient, stage.coefficient + 2 * stage.maps, false);
    }
}

void BatchLearner::update(const Rule& rule, long first, long last, bool decayed) {
    Rule here = rule;
    if (!decayed) here.decay = 0;
    kernels_.update(here, last - first, gradient.data() + first, parameters.data() + first, velocity.data() + first,
                    average.data() + first);
}

OnlineLearner::OnlineLearner(std::shared_ptr<const Description> description, const Kernels& kernels, const Loss& loss, int replicas)
    : replicas(replicas),
      description_(std::move(description)),
      kernels_(kernels),
      loss_(loss),
      layout_(description_->network, {FIELD, FIELD}, true) {
    const long size = description_->network.parameters * kernels_.lanes;
    for (int first = 0; first < replicas; first += kernels_.lanes) {
        groups_.push_back({Floats(size), Floats(size)});
        for (long k = 0; k < size; ++k) groups_.back().scales[k] = present(k);
    }
}

OnlineStep OnlineLearner::step(int group, const Patterns& patterns, const int* orders, const float* distortions, long count,
                               long at) const {
    OnlineStep step{};
    for (int lane = 0; lane < kernels_.lanes; ++lane) {
        // Lanes without a replica do the work of the last one, and nobody looks.
        const long place = std::min(group * kernels_.lanes + lane, replicas - 1) * count + at;
        step.images[lane] = patterns.inputs + orders[place] * PIXELS;
        step.distortions[lane] = distortions ? distortions + place * DISTORTION : nullptr;
        step.labels[lane] = patterns.labels[orders[place]];
    }
    return step;
}

std::vector<Counts> OnlineLearner::run(const Patterns& patterns, const int* orders, const float* distortions, const float* rates,
                                       long count, int threads) {
    const Network& net = description_->network;
    std::vector<Counts> counts(replicas);
    std::atomic<int> next{0};
    on_threads(std::min(threads, int(groups_.size())), [&](Barrier&) {
        float* buffers = thread_buffer(2 * layout_.total * kernels_.lanes);
        for (int group; (group = next.fetch_add(1)) < int(groups_.size());) {
            double losses[MOST_LANES] = {};
            int errors[MOST_LANES] = {};
            for (long at = 0; at < count; ++at) {
                OnlineStep now = step(group, patterns, orders, distortions, count, at);
                now.rate = rates[at];
                kernels_.online(net, layout_, loss_, now, groups_[group].parameters.data(), groups_[group].scales.data(), buffers,
                                losses, errors);
            }
            for (int lane = 0; lane < kernels_.lanes && group * kernels_.lanes + lane < replicas; ++lane)
                counts[group * kernels_.lanes + lane] = {losses[lane], errors[lane]};
        }
    });
    return counts;
}

void OnlineLearner::estimate(const Patterns& patterns, const int* orders, long count, float mu, int threads) {
    const Network& net = description_->network;
    std::atomic<int> next{0};
    on_threads(std::min(threads, int(groups_.size())), [&](Barrier&) {
        float* buffers = thread_buffer(2 * layout_.total * kernels_.lanes);
        for (int group; (group = next.fetch_add(1)) < int(groups_.size());) {
            Floats sums(net.parameters * kernels_.lanes);
            for (long at = 0; at < count; ++at)
                kernels_.curvature(net, layout_, loss_, step(group, patterns, orders, nullptr, count, at),
                                   groups_[group].parameters.data(), sums.data(), buffers);
            for (long k = 0; k < sums.size(); ++k) groups_[group].scales[k] = present(k) / (mu + sums[k] / float(count));
        }
    });
}

float OnlineLearner::present(long k) const {
    return description_->present.empty() ? 1.0f : description_->present[k / kernels_.lanes];
}

void OnlineLearner::give(bool scales, int replica, float* values) const {
    const Group& group = groups_[replica / kernels_.lanes];
    const Floats& from = scales ? group.scales : group.parameters;
    for (long k = 0; k < description_->network.parameters; ++k) values[k] = from[k * kernels_.lanes + replica % kernels_.lanes];
}

void OnlineLearner::take(bool scales, int replica, const float* values) {
    Group& group = groups_[replica / kernels_.lanes];
    Floats& to = scales ? group.scales : group.parameters;
    for (long k = 0; k < description_->network.parameters; ++k) to[k * kernels_.lanes + replica % kernels_.lanes] = values[k];
}

}  // namespace lenet
