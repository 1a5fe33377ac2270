// The bindings of the stages of reading: they check shapes, release the GIL and call.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "../engine/bindings.hpp"
#include "../engine/names.hpp"
#include "../engine/network.hpp"
#include "alignments.hpp"
#include "glyphs.hpp"
#include "graph.hpp"
#include "ink.hpp"
#include "lattice.hpp"
#include "rules.hpp"

using namespace nanobind::literals;

namespace lenet {

namespace {

constexpr std::size_t MOST_SIDE = 1 << 20;
constexpr double MOST_SLANT = 4;

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

// Arcs as arrays (arcs,), each from a node to a larger one.
class Arcs {
  public:
    Arcs(std::size_t nodes, const In<int>& sources, const In<int>& targets, const In<int>& labels, const In<double>& penalties)
        : graph_{nodes, sources.size(), sources.data(), targets.data(), labels.data(), penalties.data()} {
        const std::size_t n = graph_.arcs;
        require(nodes > 0 && targets.size() == n && labels.size() == n && penalties.size() == n,
                "graph: expected a node or more, and as many sources as targets, labels and penalties");
        for (std::size_t k = 0; k < n; ++k) {
            require(0 <= graph_.sources[k] && graph_.sources[k] < graph_.targets[k] && std::size_t(graph_.targets[k]) < nodes,
                    "graph: an arc that leads to no larger node");
            require(graph_.labels[k] >= EPSILON && graph_.labels[k] < 256, "graph: a label that there is not");
        }
    }
    const Graph* operator->() const { return &graph_; }
    const Graph& operator*() const { return graph_; }

  private:
    Graph graph_;
};

std::pair<double, std::vector<int>> viterbi_(std::size_t nodes, const In<int>& sources, const In<int>& targets, const In<int>& labels,
                                             const In<double>& penalties) {
    const Arcs graph(nodes, sources, targets, labels, penalties);
    Released released;
    return viterbi(*graph);
}

Array<double> forward_(std::size_t nodes, const In<int>& sources, const In<int>& targets, const In<int>& labels, const In<double>& penalties) {
    const Arcs graph(nodes, sources, targets, labels, penalties);
    std::vector<double> total;
    {
        Released released;
        total = forward(*graph);
    }
    return give(std::move(total), {nodes});
}

std::pair<double, Array<double>> posteriors_(std::size_t nodes, const In<int>& sources, const In<int>& targets, const In<int>& labels,
                                             const In<double>& penalties) {
    const Arcs graph(nodes, sources, targets, labels, penalties);
    std::pair<double, std::vector<double>> found;
    {
        Released released;
        found = posteriors(*graph);
    }
    return {found.first, give(std::move(found.second), {graph->arcs})};
}

double text_penalty_(std::size_t nodes, const In<int>& sources, const In<int>& targets, const In<int>& labels, const In<double>& penalties,
                     const Text& text) {
    const Arcs graph(nodes, sources, targets, labels, penalties);
    Released released;
    return text_penalty(*graph, text);
}

std::vector<std::pair<Text, double>> rank_texts_(std::size_t nodes, const In<int>& sources, const In<int>& targets, const In<int>& labels,
                                                 const In<double>& penalties, std::size_t followed, double unlikely) {
    const Arcs graph(nodes, sources, targets, labels, penalties);
    require(followed > 0, "followed: expected one text or more");
    int most = 0;
    for (std::size_t k = 0; k < graph->arcs; ++k) most = std::max(most, graph->labels[k]);
    std::vector<std::pair<Text, double>> found;
    Released released;
    for (Ranked& each : rank_texts(*graph, std::size_t(most) + 1, followed, unlikely)) found.emplace_back(std::move(each.text), each.cost);
    return found;
}

// The glyphs (m, 28, 28) of arcs (m, 2), runs of pieces, of boxes (m, 4), each with strokes broader by so many pixels (m,).
Array<std::uint8_t> make_glyphs_(const std::string& instructions, const In<std::uint8_t>& levels, const In<int>& pieces, double clear,
                                 const In<int>& arcs, const In<int>& boxes, const In<double>& broader) {
    require(levels.ndim() == 2 && pieces.ndim() == 2 && levels.shape(0) == pieces.shape(0) && levels.shape(1) == pieces.shape(1),
            "levels and pieces: expected (h, w) of both");
    require(levels.shape(0) < MOST_SIDE && levels.shape(1) < MOST_SIDE, "levels: a page with a longer side than any");
    const std::size_t m = broader.size();
    require(arcs.size() == 2 * m && boxes.size() == 4 * m, "arcs, boxes and broader: expected (m, 2), (m, 4) and (m,)");
    const InkPage page{levels.data(), pieces.data(), int(levels.shape(0)), int(levels.shape(1)), clear};
    for (std::size_t k = 0; k < m; ++k) {
        const int* box = boxes.data() + 4 * k;
        require(0 <= box[0] && box[0] < box[2] && box[2] <= page.width && 0 <= box[1] && box[1] < box[3] && box[3] <= page.height,
                "boxes: one without pixels, or beyond the page");
    }
    const Kernels& kernels = kernels_named(instructions);
    std::vector<std::uint8_t> glyphs(m * 28 * 28);
    {
        Released released;
        for (std::size_t k = 0; k < m; ++k) {
            const int *arc = arcs.data() + 2 * k, *box = boxes.data() + 4 * k;
            make_glyph(kernels, crop(page, arc[0], arc[1], {box[0], box[1], box[2], box[3]}), broader.data()[k], glyphs.data() + k * 28 * 28);
        }
    }
    return give(std::move(glyphs), {m, 28, 28});
}

// A line's components, by labels (n,) and boxes (n, 4), in a map of labels (h, w).
void check_line(const In<int>& labels, const In<int>& own, const In<int>& boxes) {
    require(labels.ndim() == 2 && labels.shape(0) < MOST_SIDE && labels.shape(1) < MOST_SIDE, "levels, labels and pieces: expected (h, w) of all");
    require(boxes.size() == 4 * own.size(), "labels and boxes of a line: expected (n,) and (n, 4)");
    for (std::size_t k = 0; k < own.size(); ++k) {
        const int* box = boxes.data() + 4 * k;
        require(0 <= box[0] && box[0] < box[2] && std::size_t(box[2]) <= labels.shape(1) && 0 <= box[1] && box[1] < box[3] &&
                    std::size_t(box[3]) <= labels.shape(0),
                "boxes: one without pixels, or beyond the page");
    }
}

// The likeliest of `slants` for the line that these components are.
double estimate_slant_(const In<int>& labels, const In<int>& own, const In<int>& boxes, const std::vector<double>& slants, double column, int samples) {
    check_line(labels, own, boxes);
    require(column >= 1 && samples > 0, "column and samples: expected 1 or more");
    for (const double slant : slants) require(std::abs(slant) <= MOST_SLANT, "slants: more slanted than any");
    Released released;
    return estimate_slant({nullptr, labels.data(), labels.shape(1), own.data(), boxes.data(), own.size()}, slants, column, samples);
}

// Pieces of a line's components, numbered from `first` on into the map `pieces`; how many there are, and the runs of the
// first `most` of them: arcs (m, 2), boxes (m, 4), shapes (m, 9). `line` has its height, slant, middle and rise.
std::tuple<int, Array<int>, Array<int>, Array<float>> cut_line_(const In<std::uint8_t>& levels, const In<int>& labels, const In<int>& own,
                                                                const In<int>& boxes, const std::tuple<double, double, double, double>& line,
                                                                int first, int most, nb::ndarray<int, nb::c_contig, nb::device::cpu>& pieces) {
    require(levels.ndim() == 2 && labels.ndim() == 2 && pieces.ndim() == 2, "levels, labels and pieces: expected (h, w) of all");
    for (std::size_t side = 0; side < 2; ++side) {
        require(levels.shape(side) == labels.shape(side) && levels.shape(side) == pieces.shape(side) && levels.shape(side) < MOST_SIDE,
                "levels, labels and pieces: expected (h, w) of all");
    }
    check_line(labels, own, boxes);
    const auto [height, slant, middle, rise] = line;
    require(height >= 1 && height < double(MOST_SIDE) && std::abs(slant) <= MOST_SLANT, "line: lower than a pixel, or more slanted than any");
    Runs runs;
    {
        Released released;
        const LineInk ink{levels.data(), labels.data(), levels.shape(1), own.data(), boxes.data(), own.size()};
        runs = cut_line(ink, {height, slant, middle, rise}, first, most, pieces.data());
    }
    const std::size_t m = runs.arcs.size() / 2;
    return {runs.pieces, give(std::move(runs.arcs), {m, 2}), give(std::move(runs.boxes), {m, 4}), give(std::move(runs.shapes), {m, SHAPES})};
}

// Levels and strokes (h, w) of the ink of a page, its noise and its edge, how uneven the light is, its sign, and if that
// is ambiguous; a sign of 0 says that there is none.
std::tuple<Array<std::uint8_t>, Array<std::uint8_t>, double, double, double, int, bool> find_ink_(const std::string& instructions,
                                                                                                  const In<std::uint8_t>& grey, bool inverted) {
    require(grey.ndim() == 2 && grey.size() > 0 && grey.shape(0) < MOST_SIDE && grey.shape(1) < MOST_SIDE, "grey: expected (h, w)");
    const Kernels& kernels = kernels_named(instructions);
    FoundInk found;
    {
        Released released;
        found = find_ink(kernels, grey.data(), int(grey.shape(0)), int(grey.shape(1)), inverted);
    }
    if (!found.sign) found.levels.assign(grey.size(), 0), found.strokes.assign(grey.size(), 0);
    const std::size_t height = grey.shape(0), width = grey.shape(1);
    return {give(std::move(found.levels), {height, width}), give(std::move(found.strokes), {height, width}), found.noise, found.edge,
            found.spread, found.sign, found.ambiguous};
}

// The strokes (h, w) of a page, 0 and 1.
Strokes strokes_of(const In<bool>& strokes) {
    require(strokes.ndim() == 2 && strokes.size() > 0 && strokes.shape(0) < MOST_SIDE && strokes.shape(1) < MOST_SIDE, "strokes: expected (h, w)");
    return {reinterpret_cast<const std::uint8_t*>(strokes.data()), int(strokes.shape(0)), int(strokes.shape(1))};
}

// Nearly level lines: the first row of each and its ink (rows, w).
std::vector<std::pair<int, Array<std::uint8_t>>> find_rules_(const In<bool>& strokes, int slimmest) {
    const Strokes page = strokes_of(strokes);
    require(slimmest > 0, "slimmest: expected a number above 0");
    std::vector<RuleInk> found;
    {
        Released released;
        found = find_rules(page, slimmest);
    }
    std::vector<std::pair<int, Array<std::uint8_t>>> given;
    for (RuleInk& rule : found) given.emplace_back(rule.top, give(std::move(rule.ink), {std::size_t(rule.height), std::size_t(page.width)}));
    return given;
}

// How far ink goes on from `count` columns of a line, from `first` on; `line` has its slope, height and thickness.
Array<std::int64_t> follow_side_(const In<bool>& strokes, const std::tuple<double, double, double>& line, int way, int first, int count, int steps) {
    const Strokes page = strokes_of(strokes);
    require(way == 1 || way == -1, "way: expected 1 or -1");
    require(count > 0 && count < int(MOST_SIDE) && steps > 0 && steps < int(MOST_SIDE), "count and steps: expected 1 or more");
    const auto [slope, height, thickness] = line;
    require(std::abs(slope) <= MOST_SLANT && std::abs(height) < double(MOST_SIDE) && std::abs(thickness) < double(MOST_SIDE), "line: far from the page");
    std::vector<std::int64_t> runs;
    {
        Released released;
        runs = follow_side(page, {slope, height, thickness}, way, first, count, steps);
    }
    return give(std::move(runs), {std::size_t(count)});
}

}  // namespace

void bind_reading(nb::module_& m) {
    m.def("find_texts", &find_texts_, "log_probs"_a, "width"_a, "transitions"_a.none(), "accepting"_a.none());
    m.def("score_texts", &score_texts_, "log_probs"_a, "texts"_a);
    m.def("place_labels", &place_labels_, "log_probs"_a, "text"_a);
    m.def("viterbi", &viterbi_, "nodes"_a, "sources"_a, "targets"_a, "labels"_a, "penalties"_a);
    m.def("forward", &forward_, "nodes"_a, "sources"_a, "targets"_a, "labels"_a, "penalties"_a);
    m.def("posteriors", &posteriors_, "nodes"_a, "sources"_a, "targets"_a, "labels"_a, "penalties"_a);
    m.def("text_penalty", &text_penalty_, "nodes"_a, "sources"_a, "targets"_a, "labels"_a, "penalties"_a, "text"_a);
    m.def("cut_line", &cut_line_, "levels"_a, "labels"_a, "own"_a, "boxes"_a, "line"_a, "first"_a, "most"_a, "pieces"_a.noconvert());
    m.def("find_ink", &find_ink_, "instructions"_a, "grey"_a, "inverted"_a);
    m.def("find_rules", &find_rules_, "strokes"_a, "slimmest"_a);
    m.def("follow_side", &follow_side_, "strokes"_a, "line"_a, "way"_a, "first"_a, "count"_a, "steps"_a);
    m.def("estimate_slant", &estimate_slant_, "labels"_a, "own"_a, "boxes"_a, "slants"_a, "column"_a, "samples"_a);
    m.def("make_glyphs", &make_glyphs_, "instructions"_a, "levels"_a, "pieces"_a, "clear"_a, "arcs"_a, "boxes"_a, "broader"_a);
    m.def("rank_texts", &rank_texts_, "nodes"_a, "sources"_a, "targets"_a, "labels"_a, "penalties"_a, "followed"_a, "unlikely"_a);
}

}  // namespace lenet
