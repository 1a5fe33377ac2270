// The bindings of the networks that read lines.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "line_learning.hpp"
#include "line_model.hpp"
#include "names.hpp"
#include "network.hpp"

using namespace nanobind::literals;

namespace lenet {

namespace {

constexpr std::size_t MOST_WIDTH = 1 << 20;

// Records ("convolution", maps, rows, columns, above, beside, activation) and ("maximum", down, across).
LineDescription describe(const nb::list& layers, int height) {
    std::vector<LineStage> found;
    for (nb::handle each : layers) {
        const Record record(each);
        if (record.is("convolution", 6)) {
            LineStage stage{};
            stage.maps = record.at<int>(1);
            stage.rows = record.at<int>(2);
            stage.columns = record.at<int>(3);
            stage.above = record.at<int>(4);
            stage.beside = record.at<int>(5);
            stage.activation = named(ACTIVATIONS, "activation", record.at<std::string>(6));
            stage.down = stage.across = 1;
            found.push_back(stage);
        } else {
            require(record.is("maximum", 2) && !found.empty(), "layers: expected a convolution, then perhaps its maximum");
            require(!found.back().pooled(), "layers: two maxima in a row");
            found.back().down = record.at<int>(1);
            found.back().across = record.at<int>(2);
        }
    }
    return {std::move(found), height};
}

// The width of inputs (n, 1, height, w) that a network can read.
int checked_width(const LineDescription& description, const In<float>& inputs) {
    require(inputs.ndim() == 4 && inputs.shape(1) == 1 && inputs.shape(2) == std::size_t(description.network().height),
            "inputs: expected (n, 1, height, w)");
    require(inputs.shape(3) >= std::size_t(description.narrowest()) && inputs.shape(3) <= MOST_WIDTH,
            "inputs: expected a w that leaves a column");
    return int(inputs.shape(3));
}

class LineModel_ {
  public:
    LineModel_(const nb::list& layers, int height, const In<float>& parameters, const std::string& instructions)
        : model_(describe(layers, height), parameters.data(), long(parameters.size()), kernels_named(instructions)) {}

    bool forward(const In<float>& inputs, nb::ndarray<float, nb::c_contig, nb::device::cpu>& scores, int threads) const {
        const LineDescription& description = model_.description();
        const int width = checked_width(description, inputs);
        const std::size_t n = inputs.shape(0), answers = description.network().last().maps * std::size_t(description.field(width).area());
        require(scores.size() == n * answers, "scores: expected (n, maps, h, w)");
        Released released;
        return model_.forward(inputs.data(), width, long(n), scores.data(), threads);
    }

  private:
    LineModel model_;
};

class LineLearner_ {
  public:
    LineLearner_(const LineLearner_&) = delete;
    LineLearner_(const nb::list& layers, int height, const std::string& instructions, int columns, float decay, float first, float second,
                 float epsilon, float longest_step, double averaging)
        : learner_(describe(layers, height), {columns, decay, first, second, epsilon, longest_step, averaging}, kernels_named(instructions)) {}

    // A step over inputs (n, 1, height, w), of which each line has so many columns of labels, and its text is the first
    // `lengths` of a row of `texts`. Returns the mean loss.
    double step(const In<float>& inputs, const In<int>& columns, const In<int>& texts, const In<int>& lengths, float rate, int threads) {
        LineBatch batch{};
        batch.width = checked_width(learner_.description(), inputs);
        batch.count = long(inputs.shape(0));
        require(batch.count > 0 && long(columns.size()) == batch.count && long(lengths.size()) == batch.count && texts.ndim() == 2 &&
                    long(texts.shape(0)) == batch.count,
                "lines: expected columns (n,), texts (n, m) and lengths (n,) of n inputs");
        batch.images = inputs.data();
        batch.columns = columns.data();
        batch.texts = texts.data();
        batch.lengths = lengths.data();
        batch.longest = long(texts.shape(1));
        const int most = learner_.description().field(batch.width).width * learner_.columns();
        for (long n = 0; n < batch.count; ++n) {
            require(batch.columns[n] >= 1 && batch.columns[n] <= most, "columns: more than the network has, or none");
            require(batch.lengths[n] >= 0 && batch.lengths[n] <= batch.longest, "lengths: longer than the rows of texts");
            for (int l = 0; l < batch.lengths[n]; ++l) {
                const int label = batch.texts[n * batch.longest + l];
                require(label >= 0 && label < learner_.labels() - 1, "texts: a label that the network does not have");
            }
        }
        Released released;
        return learner_.step(batch, rate, threads);
    }

    // A part of the state by its name; copies.
    Out get(const std::string& part) const {
        const Floats& values = learner_.*named(LINE_PARTS, "part", part);
        return array(std::vector<float>(values.data(), values.data() + values.size()));
    }
    void set(const std::string& part, const In<float>& values) {
        Floats& to = learner_.*named(LINE_PARTS, "part", part);
        require(long(values.size()) == to.size(), "values: not as many as the network has parameters");
        std::copy(values.data(), values.data() + values.size(), to.data());
    }
    long steps() const { return learner_.steps; }
    void set_steps(long steps) { learner_.steps = steps; }

  private:
    LineLearner learner_;
};

}  // namespace

void bind_lines(nb::module_& m) {
    nb::class_<LineModel_>(m, "LineModel")
        .def(nb::init<const nb::list&, int, const In<float>&, const std::string&>(), "layers"_a, "height"_a, "parameters"_a, "instructions"_a)
        .def("forward", &LineModel_::forward, "inputs"_a, "scores"_a.noconvert(), "threads"_a);
    nb::class_<LineLearner_>(m, "LineLearner")
        .def(nb::init<const nb::list&, int, const std::string&, int, float, float, float, float, float, double>(), "layers"_a, "height"_a,
             "instructions"_a, "columns"_a, "decay"_a, "first"_a, "second"_a, "epsilon"_a, "longest_step"_a, "averaging"_a)
        .def("step", &LineLearner_::step, "inputs"_a, "columns"_a, "texts"_a, "lengths"_a, "rate"_a, "threads"_a)
        .def("get", &LineLearner_::get, "part"_a)
        .def("set", &LineLearner_::set, "part"_a, "values"_a)
        .def_prop_rw("steps", &LineLearner_::steps, &LineLearner_::set_steps);
}

}  // namespace lenet
