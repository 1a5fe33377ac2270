// The bindings of the stages of reading: they check shapes, release the GIL and call.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "../engine/bindings.hpp"
#include "alignments.hpp"

using namespace nanobind::literals;

namespace lenet {

namespace {

template <class T>
using Array = nb::ndarray<T, nb::numpy>;

// A new NumPy array of this shape that owns a copy of `values`.
template <class T>
Array<T> give(std::vector<T> values, std::initializer_list<std::size_t> shape) {
    auto* owned = new std::vector<T>(std::move(values));
    nb::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<T>*>(p); });
    return Array<T>(owned->data(), shape, owner);
}

Columns columns_of(const In<double>& log_probs) {
    require(log_probs.ndim() == 2 && log_probs.shape(0) > 0 && log_probs.shape(1) > 1 && log_probs.shape(1) < 256,
            "log_probs: expected (columns, labels), some columns and fewer than 256 labels");
    return {log_probs.data(), log_probs.shape(0), log_probs.shape(1)};
}

void check_text(const Columns& line, const Text& text) {
    for (const int label : text) require(label >= 0 && std::size_t(label) < line.nothing(), "texts: a label that no column has");
}

std::vector<Text> find_texts_(const In<double>& log_probs, std::size_t width, const std::optional<In<int>>& transitions,
                              const std::optional<In<bool>>& accepting) {
    const Columns line = columns_of(log_probs);
    require(width > 0, "width: expected one text or more");
    require(transitions.has_value() == accepting.has_value(), "transitions and accepting: expected both or none");
    Automaton allowed{};
    if (transitions) {
        require(transitions->ndim() == 2 && accepting->ndim() == 1 && accepting->shape(0) == transitions->shape(0) && accepting->shape(0) > 0,
                "transitions and accepting: expected (states, symbols) and (states,)");
        allowed = {transitions->data(), accepting->data(), transitions->shape(0), transitions->shape(1)};
        for (std::size_t k = 0; k < transitions->size(); ++k)
            require(transitions->data()[k] < long(allowed.states), "transitions: a state that there is not");
    }
    Released released;
    return find_texts(line, width, transitions ? &allowed : nullptr);
}

Array<double> score_texts_(const In<double>& log_probs, const std::vector<Text>& texts) {
    const Columns line = columns_of(log_probs);
    for (const Text& text : texts) check_text(line, text);
    std::vector<double> scores;
    {
        Released released;
        scores = score_texts(line, texts);
    }
    return give(std::move(scores), {texts.size()});
}

Array<int> place_labels_(const In<double>& log_probs, const Text& text) {
    const Columns line = columns_of(log_probs);
    check_text(line, text);
    std::vector<Span> spans;
    {
        Released released;
        spans = place_labels(line, text);
    }
    require(spans.size() == text.size(), "text: longer than the columns have room for");
    std::vector<int> sides;
    for (const Span& span : spans) sides.insert(sides.end(), {span.first, span.past});
    return give(std::move(sides), {text.size(), 2});
}

}  // namespace

void bind_reading(nb::module_& m) {
    m.def("find_texts", &find_texts_, "log_probs"_a, "width"_a, "transitions"_a.none(), "accepting"_a.none());
    m.def("score_texts", &score_texts_, "log_probs"_a, "texts"_a);
    m.def("place_labels", &place_labels_, "log_probs"_a, "text"_a);
}

}  // namespace lenet
