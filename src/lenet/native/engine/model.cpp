#include "model.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <stdexcept>

#include "threads.hpp"

namespace lenet {

#if defined(__x86_64__)
namespace sse2 { extern const Kernels kernels; }
namespace avx2 { extern const Kernels kernels; }
namespace avx512 { extern const Kernels kernels; }

std::vector<const Kernels*> available() {
    std::vector<const Kernels*> found;
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw"))
        found.push_back(&avx512::kernels);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&avx2::kernels);
    found.push_back(&sse2::kernels);
    return found;
}
#else
namespace neon { extern const Kernels kernels; }

std::vector<const Kernels*> available() { return {&neon::kernels}; }
#endif

const Kernels& kernels_named(const std::string& name) {
    for (const Kernels* each : available())
        if (name == each->name) return *each;
    throw std::invalid_argument(name + ": not an instruction set of this machine");
}

Floats::Floats(long size, Use use) : size_(size) {
    const std::size_t boundary = use == Use::hot ? 1 << 21 : 64;
    const std::size_t bytes = (std::size_t(size < 1 ? 1 : size) * sizeof(float) + boundary - 1) / boundary * boundary;
    data_.reset(static_cast<float*>(std::aligned_alloc(boundary, bytes)));
    if (!data_) throw std::bad_alloc();
#ifdef __linux__
    if (use == Use::hot) madvise(data_.get(), bytes, MADV_HUGEPAGE);
#endif
    std::memset(data_.get(), 0, std::size_t(size) * sizeof(float));
}

float* thread_buffer(long size) {
    thread_local Floats buffer;
    if (buffer.size() < size) buffer = Floats(size, Use::hot);
    return buffer.data();
}

void Description::convolution(int maps, int size, Activation activation, std::vector<unsigned char> table) {
    Network& net = network;
    if (net.count == MOST_STAGES) throw std::invalid_argument("too many layers");
    if (maps < 1 || maps > MOST_MAPS || size < 1) throw std::invalid_argument("a layer with no maps, or too many");
    Stage& stage = net.stages[net.count++];
    stage.maps = stage.own_maps = maps;
    stage.size = size;
    stage.activation = activation;
    tables.push_back(std::move(table));
}

void Description::subsampling(Pooling pooling, Activation activation, int copies) {
    if (network.count == 0) throw std::invalid_argument("subsampling before a convolution");
    Stage& stage = network.stages[network.count - 1];
    if (stage.pooling != Pooling::none) throw std::invalid_argument("two subsamplings in a row");
    if (copies < 1 || copies > MOST_MAPS / stage.maps) throw std::invalid_argument("no copies of a map, or too many");
    stage.maps *= copies;
    stage.pooling = pooling;
    stage.pooled_activation = activation;
}

void Description::match(int outputs, std::vector<float> values) {
    if (outputs < 1 || outputs > MOST_MAPS || values.empty()) throw std::invalid_argument("no codes, or too many");
    network.outputs = outputs;
    codes = std::move(values);
}

void Description::finish(int margin) {
    Network& net = network;
    net.margin = margin;
    if (margin < 0 || 2 * long(margin) > FIELD - MOST_LANES) throw std::invalid_argument("a margin below 0, or one that leaves too little");
    if (net.count == 0 || net.stages[0].size >= FIELD - 2 * margin) throw std::invalid_argument("a network begins with a convolution");
    int maps = 1;
    Field field = Field{FIELD, FIELD}.inside(margin);
    long at = 0;
    for (int s = 0; s < net.count; ++s) {
        Stage& stage = net.stages[s];
        stage.maps_in = maps;
        stage.rows_in = field.height;
        stage.columns_in = field.width;
        if (stage.rows() < 1 || stage.columns() < 1) throw std::invalid_argument("a convolution larger than what it sees");
        if (!tables[s].empty() && tables[s].size() != std::size_t(stage.own_maps) * maps)
            throw std::invalid_argument("a table of another size than maps times maps before");
        stage.table = tables[s].empty() ? nullptr : tables[s].data();
        stage.dense = stage.rows() == 1 && stage.columns() == 1;
        if (stage.dense ? stage.pooling != Pooling::none : stage.size != KERNEL || stage.pooling == Pooling::none)
            throw std::invalid_argument("only 5x5 convolutions with subsampling, then layers with one position");
        if (!stage.dense && (stage.rows() % 2 || stage.columns() % 2))
            throw std::invalid_argument("a convolution whose sums do not fall into 2x2 squares");
        if (stage.pooling == Pooling::max && stage.pooled_activation != Activation::none)
            throw std::invalid_argument("an activation after a maximum");
        if (s > 0 && !stage.dense && net.stages[s - 1].dense) throw std::invalid_argument("a convolution after a dense layer");
        stage.weight = at;
        stage.bias = at + stage.own_maps * stage.inputs();
        at = stage.bias + stage.own_maps;
        if (stage.pooling == Pooling::trainable) {
            stage.coefficient = at;
            stage.pooled_bias = at + stage.maps;
            at += 2 * stage.maps;
        }
        maps = stage.maps;
        field = field.after(stage);
    }
    if (!net.last().dense) throw std::invalid_argument("a network ends with a layer that has one position");
    net.parameters = at;
    for (int s = 0; s < net.count; ++s) {
        const Stage& stage = net.stages[s];
        if (!stage.dense || !stage.table) continue;
        if (present.empty()) present.assign(net.parameters, 1.0f);
        for (int map = 0; map < stage.maps; ++map)
            for (int i = 0; i < stage.maps_in; ++i)
                std::fill_n(present.begin() + stage.kernel(map, i), stage.size * stage.size, stage.connected(map, i) ? 1.0f : 0.0f);
    }
    if (codes.empty()) {
        net.outputs = maps;
    } else {
        if (codes.size() != std::size_t(net.outputs) * maps) throw std::invalid_argument("codes of another length than the last layer");
        net.codes = codes.data();
    }
}

Model::Model(std::shared_ptr<const Description> description, const float* parameters, const Kernels& kernels)
    : description_(std::move(description)),
      kernels_(kernels),
      parameters_(network().parameters, Use::hot),
      packed_(kernels.packed_size(network())) {
    std::memcpy(parameters_.data(), parameters, sizeof(float) * network().parameters);
    kernels_.pack(network(), parameters_.data(), packed_.data());
}

bool Model::forward(const float* images, Field field, long count, float* scores, int threads) const {
    const Network& net = network();
    const Layout layout(net, field, false);
    const long answers = net.outputs * layout.field[net.count].area();
    // A block has an image in each lane, and blocks go in pairs; of what is left over, a few are faster one by one.
    const long lanes = kernels_.lanes, rest = count % lanes, singles = rest <= lanes / 2 ? rest : 0;
    const long paired = count - singles, pairs = (paired + 2 * lanes - 1) / (2 * lanes), jobs = pairs + singles;
    std::atomic<long> next{0};
    std::atomic<bool> finite{true};
    on_threads(int(jobs < threads ? jobs : threads), [&](Barrier&) {
        for (long job; (job = next.fetch_add(1)) < jobs;) {
            const long first = job < pairs ? 2 * lanes * job : paired + (job - pairs);
            const float* from = images + first * field.area();
            float* to = scores + first * answers;
            bool good;
            if (job < pairs) {
                const int here = int(paired - first < 2 * lanes ? paired - first : 2 * lanes);
                float* buffers = thread_buffer(2 * layout.total * lanes);
                good = kernels_.forward(net, layout, parameters_.data(), from, field, here, buffers, to);
            } else {
                float* buffers = thread_buffer(kernels_.single_size(net, field));
                good = kernels_.single(net, packed_.data(), from, field, buffers, to);
            }
            if (!good) finite = false;
        }
    });
    return finite;
}

std::vector<std::vector<float>> Model::activations(const float* images, long count) const {
    const Network& net = network();
    const Field whole{FIELD, FIELD};
    const Layout layout(net, whole, true);
    const long lanes = kernels_.lanes;
    struct Place {
        long at, values;
    };
    std::vector<Place> places;
    for (int s = 0; s < net.count; ++s) {
        const Stage& stage = net.stages[s];
        if (!stage.dense) places.push_back({layout.sums[s], stage.own_maps * layout.field[s].convolved(stage).area()});
        places.push_back({layout.input[s + 1], stage.maps * layout.field[s + 1].area()});
    }
    if (net.codes) places.push_back({layout.scores, net.outputs});
    std::vector<std::vector<float>> outputs;
    for (const Place& place : places) outputs.emplace_back(count * place.values);

    float* buffers = thread_buffer(layout.total * lanes);
    std::vector<float> scores(lanes * net.outputs);
    for (long first = 0; first < count; first += lanes) {
        const int here = int(count - first < lanes ? count - first : lanes);
        kernels_.forward(net, layout, parameters_.data(), images + first * whole.area(), whole, here, buffers, scores.data());
        for (std::size_t layer = 0; layer < places.size(); ++layer)
            for (long lane = 0; lane < here; ++lane)
                for (long k = 0; k < places[layer].values; ++k)
                    outputs[layer][(first + lane) * places[layer].values + k] = buffers[(places[layer].at + k) * lanes + lane];
    }
    return outputs;
}

}  // namespace lenet
