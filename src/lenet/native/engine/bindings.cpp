// The extension module: checks shapes, releases the GIL, calls. Everything else is in the other files.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "learning.hpp"
#include "model.hpp"
#include "names.hpp"
#include "network.hpp"
#include "threads.hpp"

namespace nb = nanobind;
using namespace nb::literals;
using namespace lenet;

namespace {

std::atomic<bool> leaving{false};
std::atomic<int> coming_back{0};
thread_local bool last_thread = false;  // the one that ends the interpreter

}  // namespace

lenet::Released::~Released() {
    ++coming_back;
    if (leaving.load() && !last_thread) {
        --coming_back;
        while (true) pause();
    }
    PyEval_RestoreThread(state_);
    --coming_back;
}

namespace {

// Called once by the thread that ends the interpreter, before it does: those that wait for the GIL by now shall have it.
void leave() {
    leaving = last_thread = true;
    PyThreadState* state = PyEval_SaveThread();
    while (coming_back.load() > 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    PyEval_RestoreThread(state);
}

// Whether they are (n, 1, 32, 32).
bool fields(const In<float>& inputs) {
    return inputs.ndim() == 4 && inputs.shape(1) == 1 && inputs.shape(2) == FIELD && inputs.shape(3) == FIELD;
}

// Layer records: ("convolution", maps, size, activation, table), ("subsampling", kind, activation, copies) or
// ("codes", outputs, values); activations and kinds of subsampling by their names.
struct Network_ {
    std::shared_ptr<Description> description = std::make_shared<Description>();

    Network_(nb::list layers, int margin) {
        for (nb::handle each : layers) {
            const Record record(each);
            if (record.is("convolution", 4)) {
                std::vector<unsigned char> table;
                for (int connected : record.at<std::vector<int>>(4)) table.push_back(connected != 0);
                description->convolution(record.at<int>(1), record.at<int>(2), activation(record, 3), std::move(table));
            } else if (record.is("subsampling", 3)) {
                const Pooling kind = named(POOLINGS, "subsampling", record.at<std::string>(1));
                description->subsampling(kind, activation(record, 2), record.at<int>(3));
            } else {
                require(record.is("codes", 2), "layers: expected convolution, subsampling or codes");
                description->match(record.at<int>(1), record.at<std::vector<float>>(2));
            }
        }
        description->finish(margin);
    }

  private:
    static Activation activation(const Record& record, std::size_t k) {
        return named(ACTIVATIONS, "activation", record.at<std::string>(k));
    }
};

class Model_ {
  public:
    Model_(const Network_& network, const In<float>& parameters, const std::string& instructions)
        : model_(network.description, checked(network, parameters), kernels_named(instructions)) {}

    bool forward(const In<float>& inputs, nb::ndarray<float, nb::c_contig, nb::device::cpu>& scores, int threads) const {
        require(inputs.ndim() == 4 && inputs.shape(1) == 1, "inputs: expected (n, 1, h, w)");
        for (int axis : {2, 3})
            require(inputs.shape(axis) >= FIELD && inputs.shape(axis) <= std::size_t(std::numeric_limits<int>::max()),
                    "inputs: expected h and w of at least 32, and below 2^31");
        const Field field{int(inputs.shape(2)), int(inputs.shape(3))};
        const Network& net = model_.network();
        const std::size_t n = inputs.shape(0), outputs = net.outputs, places = Layout(net, field, false).field[net.count].area();
        require(scores.ndim() >= 2 && scores.shape(0) == n && scores.shape(1) == outputs && scores.size() == n * outputs * places,
                "scores: expected (n, outputs), of wider inputs (n, outputs, h, w)");
        Released released;
        return model_.forward(inputs.data(), field, long(n), scores.data(), threads);
    }

    // Scores of glyphs (n, 28, 28), each in the middle of a field of what level 0 is, by what each level is to the network.
    void score(const In<std::uint8_t>& glyphs, const In<float>& levels, nb::ndarray<float, nb::c_contig, nb::device::cpu>& scores, int threads) const {
        constexpr std::size_t AT_ONCE = 1024, GLYPH = 28, MARGIN = (FIELD - GLYPH) / 2, AREA = FIELD * FIELD;
        require(glyphs.ndim() == 3 && glyphs.shape(1) == GLYPH && glyphs.shape(2) == GLYPH, "glyphs: expected (n, 28, 28)");
        require(levels.size() == 256, "levels: expected one for each of 256 greys");
        const std::size_t n = glyphs.shape(0), outputs = std::size_t(model_.network().outputs);
        require(scores.ndim() == 2 && scores.shape(0) == n && scores.shape(1) == outputs, "scores: expected (n, outputs)");
        Released released;
        thread_local std::vector<float> fields;
        const std::uint8_t* grey = glyphs.data();
        for (std::size_t first = 0; first < n; first += AT_ONCE) {
            const std::size_t here = std::min(AT_ONCE, n - first);
            fields.assign(here * AREA, levels.data()[0]);
            for (std::size_t k = 0; k < here; ++k)
                for (std::size_t y = 0; y < GLYPH; ++y) {
                    float* row = fields.data() + k * AREA + (MARGIN + y) * FIELD + MARGIN;
                    for (std::size_t x = 0; x < GLYPH; ++x) row[x] = levels.data()[*grey++];
                }
            model_.forward(fields.data(), Field{FIELD, FIELD}, long(here), scores.data() + first * outputs, threads);
        }
    }

    // Of each layer in order: (n * maps * h * w,).
    nb::list activations(const In<float>& inputs) const {
        require(fields(inputs), "inputs: expected (n, 1, 32, 32)");
        std::vector<std::vector<float>> outputs;
        {
            Released released;
            outputs = model_.activations(inputs.data(), long(inputs.shape(0)));
        }
        nb::list arrays;
        for (auto& values : outputs) arrays.append(array(std::move(values)));
        return arrays;
    }

  private:
    static const float* checked(const Network_& network, const In<float>& parameters) {
        require(long(parameters.size()) == network.description->network.parameters, "parameters: not as many as the network has");
        return parameters.data();
    }

    Model model_;
};

// What a learner is shown; holds the arrays.
struct Patterns_ {
    In<float> inputs;
    In<std::uint8_t> labels;

    Patterns_(In<float> inputs, In<std::uint8_t> labels) : inputs(std::move(inputs)), labels(std::move(labels)) {
        require(fields(this->inputs) && this->labels.size() == this->inputs.shape(0),
                "patterns: expected inputs (n, 1, 32, 32) and labels (n,)");
    }
    Patterns view() const { return {inputs.data(), labels.data()}; }
    void check(const In<int>& order, int outputs) const {
        for (std::size_t k = 0; k < order.size(); ++k) {
            const int row = order.data()[k];
            require(row >= 0 && std::size_t(row) < labels.size(), "order: a row that is not there");
            require(labels.data()[row] < outputs, "labels: one that the network has no output for");
        }
    }
};

const float* optional(const std::optional<In<float>>& distortions, std::size_t presentations) {
    if (!distortions) return nullptr;
    require(distortions->size() == presentations * DISTORTION, "distortions: expected 56 values for each presentation");
    return distortions->data();
}

class BatchLearner_ {
  public:
    BatchLearner_(const BatchLearner_&) = delete;
    BatchLearner_(const Network_& network, const std::string& instructions, const std::string& loss, float smoothing, float junk, float unit,
                  int batch, float momentum, float decay, bool nesterov, double averaging, const std::vector<float>& dropout)
        : network_(network.description),
          learner_(network_, kernels_named(instructions),
                   checked({{named(LOSSES, "loss", loss), smoothing, junk, unit}, batch, momentum, decay, nesterov, averaging, dropout})),
          batch_(batch) {}

    std::tuple<double, long> run(const Patterns_& patterns, const In<int>& order, const std::optional<In<float>>& distortions,
                                 const std::optional<In<float>>& targets, const In<float>& rates, long first, std::uint64_t noise,
                                 int threads) {
        patterns.check(order, network_->network.outputs);
        require(rates.size() == (order.size() + batch_ - 1) / batch_, "rates: expected one for each step");
        const float* warps = optional(distortions, order.size());
        const std::size_t outputs = network_->network.outputs;
        require(!targets || targets->size() == order.size() * outputs, "targets: expected one for each output and presentation");
        const float* wanted = targets ? targets->data() : nullptr;
        Released released;
        const Counts counts =
            learner_.run(patterns.view(), order.data(), warps, wanted, rates.data(), long(order.size()), first, noise, threads);
        return {counts.loss, counts.errors};
    }

    // A part of the state by its name; copies.
    Out get(const std::string& part) const {
        const Floats& values = learner_.*named(BATCH_PARTS, "part", part);
        return array(std::vector<float>(values.data(), values.data() + values.size()));
    }
    void set(const std::string& part, const In<float>& values) {
        Floats& to = learner_.*named(BATCH_PARTS, "part", part);
        require(long(values.size()) == to.size(), "values: not as many as the network has parameters");
        std::copy(values.data(), values.data() + values.size(), to.data());
    }
    long steps() const { return learner_.steps; }
    void set_steps(long steps) { learner_.steps = steps; }

  private:
    const BatchSettings& checked(const BatchSettings& settings) const {
        require(settings.batch > 0, "batch: expected at least 1");
        require(int(settings.dropout.size()) == network_->network.count, "dropout: expected a share for each stage");
        return settings;
    }

    std::shared_ptr<const Description> network_;
    BatchLearner learner_;
    std::size_t batch_;
};

class OnlineLearner_ {
  public:
    OnlineLearner_(const OnlineLearner_&) = delete;
    OnlineLearner_(const Network_& network, const std::string& instructions, const std::string& loss, float smoothing, float junk, float unit,
                   int replicas)
        : network_(network.description),
          learner_(network_, kernels_named(instructions), {named(LOSSES, "loss", loss), smoothing, junk, unit}, checked(replicas)) {}

    std::vector<std::tuple<double, long>> run(const Patterns_& patterns, const In<int>& orders,
                                              const std::optional<In<float>>& distortions, const In<float>& rates, int threads) {
        patterns.check(orders, network_->network.outputs);
        require(orders.size() == rates.size() * learner_.replicas, "orders: expected a row of as many as rates for each replica");
        const float* warps = optional(distortions, orders.size());
        Released released;
        std::vector<std::tuple<double, long>> counts;
        for (const Counts& each : learner_.run(patterns.view(), orders.data(), warps, rates.data(), long(rates.size()), threads))
            counts.emplace_back(each.loss, each.errors);
        return counts;
    }

    void estimate(const Patterns_& patterns, const In<int>& orders, float mu, int threads) {
        patterns.check(orders, network_->network.outputs);
        require(orders.size() > 0 && orders.size() % learner_.replicas == 0, "orders: expected a row for each replica");
        Released released;
        learner_.estimate(patterns.view(), orders.data(), long(orders.size()) / learner_.replicas, mu, threads);
    }

    // A part of one replica's state by its name; copies.
    Out get(const std::string& part, int replica) const {
        require(replica >= 0 && replica < learner_.replicas, "replica: not there");
        std::vector<float> values(network_->network.parameters);
        learner_.give(named(ONLINE_PARTS, "part", part), replica, values.data());
        return array(std::move(values));
    }
    void set(const std::string& part, int replica, const In<float>& values) {
        require(replica >= 0 && replica < learner_.replicas && long(values.size()) == network_->network.parameters,
                "values: not as many as the network has parameters");
        learner_.take(named(ONLINE_PARTS, "part", part), replica, values.data());
    }

  private:
    static int checked(int replicas) {
        require(replicas > 0, "replicas: expected at least 1");
        return replicas;
    }

    std::shared_ptr<const Description> network_;
    OnlineLearner learner_;
};

void warp(const std::string& instructions, const In<float>& inputs, const In<float>& distortions,
          nb::ndarray<float, nb::c_contig, nb::device::cpu>& warped) {
    require(fields(inputs) && distortions.size() == inputs.shape(0) * DISTORTION && warped.size() == inputs.size(),
            "warp: expected inputs (n, 1, 32, 32), distortions (n, 56) and warped as large as the inputs");
    const std::size_t n = inputs.shape(0);
    const Kernels& kernels = kernels_named(instructions);
    Released released;
    for (std::size_t k = 0; k < n; ++k)
        kernels.warp(inputs.data() + k * FIELD * FIELD, distortions.data() + k * DISTORTION, warped.data() + k * FIELD * FIELD);
}

// Floating-point operations per second of code that only multiplies and adds, on all of `threads`.
double peak(const std::string& instructions, int threads) {
    const Kernels& kernels = kernels_named(instructions);
    Released released;
    const long rounds = 1 << 23;
    std::atomic<int> ran{0};
    std::atomic<float> sink{0};
    const auto started = std::chrono::steady_clock::now();
    on_threads(threads, [&](Barrier& all) {
        all.wait();
        sink.store(kernels.multiply_adds(rounds));
        ++ran;
    });
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    return ran.load() * 2.0 * 12 * kernels.lanes * rounds / seconds.count();
}

}  // namespace

NB_MODULE(_native, m) {
    nb::set_leak_warnings(false);  // what daemon threads hold at the end is not lost
    m.doc() = "LeNet's networks, run and trained natively; lenet.engine is its interface.";
    m.def("available", [] {
        std::vector<std::string> names;
        for (const Kernels* each : available()) names.emplace_back(each->name);
        return names;
    }, "The instruction sets that this build has and this machine runs, the best first.");
    m.def("names", [] {
        return std::map<std::string, std::vector<std::string>>{{"activation", names(ACTIVATIONS)},
                                                               {"subsampling", names(POOLINGS)},
                                                               {"loss", names(LOSSES)},
                                                               {"batch part", names(BATCH_PARTS)},
                                                               {"online part", names(ONLINE_PARTS)},
                                                               {"line part", names(LINE_PARTS)}};
    }, "The names that are taken, of everything that is meant by one.");
    nb::module_::import_("atexit").attr("register")(nb::cpp_function(&leave));
    // A forked child has none of the other threads.
    pthread_atfork(nullptr, nullptr, [] { coming_back = 0; });
    m.def("warp", &warp, "instructions"_a, "inputs"_a, "distortions"_a, "warped"_a.noconvert());
    m.def("peak", &peak, "instructions"_a, "threads"_a);
    nb::class_<Network_>(m, "Network").def(nb::init<nb::list, int>(), "layers"_a, "margin"_a);
    nb::class_<Model_>(m, "Model")
        .def(nb::init<const Network_&, const In<float>&, const std::string&>(), "network"_a, "parameters"_a, "instructions"_a)
        .def("forward", &Model_::forward, "inputs"_a, "scores"_a.noconvert(), "threads"_a)
        .def("score", &Model_::score, "glyphs"_a, "levels"_a, "scores"_a.noconvert(), "threads"_a)
        .def("activations", &Model_::activations, "inputs"_a);
    bind_lines(m);
    bind_reading(m);
    nb::class_<Patterns_>(m, "Patterns").def(nb::init<In<float>, In<std::uint8_t>>(), "inputs"_a, "labels"_a);
    nb::class_<BatchLearner_>(m, "BatchLearner")
        .def(nb::init<const Network_&, const std::string&, const std::string&, float, float, float, int, float, float, bool, double,
                      const std::vector<float>&>(),
             "network"_a, "instructions"_a, "loss"_a, "smoothing"_a, "junk"_a, "unit"_a, "batch"_a, "momentum"_a, "decay"_a, "nesterov"_a,
             "averaging"_a, "dropout"_a)
        .def("run", &BatchLearner_::run, "patterns"_a, "order"_a, "distortions"_a.none(), "targets"_a.none(), "rates"_a,
             "first"_a, "noise"_a, "threads"_a)
        .def("get", &BatchLearner_::get, "part"_a)
        .def("set", &BatchLearner_::set, "part"_a, "values"_a)
        .def_prop_rw("steps", &BatchLearner_::steps, &BatchLearner_::set_steps);
    nb::class_<OnlineLearner_>(m, "OnlineLearner")
        .def(nb::init<const Network_&, const std::string&, const std::string&, float, float, float, int>(), "network"_a, "instructions"_a, "loss"_a,
             "smoothing"_a, "junk"_a, "unit"_a, "replicas"_a)
        .def("run", &OnlineLearner_::run, "patterns"_a, "orders"_a, "distortions"_a.none(), "rates"_a, "threads"_a)
        .def("estimate", &OnlineLearner_::estimate, "patterns"_a, "orders"_a, "mu"_a, "threads"_a)
        .def("get", &OnlineLearner_::get, "part"_a, "replica"_a)
        .def("set", &OnlineLearner_::set, "part"_a, "replica"_a, "values"_a);
}
