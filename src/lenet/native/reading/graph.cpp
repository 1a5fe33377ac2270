#include "graph.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace lenet {

namespace {

constexpr double INF = std::numeric_limits<double>::infinity();

// The penalty of two ways together.
double log_add(double one, double other) {
    const double least = std::min(one, other);
    return least == INF ? INF : least - std::log1p(std::exp(-std::abs(one - other)));
}

// The arcs in the order of the nodes that they lead to, or from, and where each node's begin.
struct Order {
    std::vector<int> arcs;
    std::vector<std::size_t> bounds;

    Order(const Graph& graph, const int* ends) : arcs(graph.arcs), bounds(graph.nodes + 1, 0) {
        for (std::size_t arc = 0; arc < graph.arcs; ++arc) ++bounds[std::size_t(ends[arc]) + 1];
        std::partial_sum(bounds.begin(), bounds.end(), bounds.begin());
        std::vector<std::size_t> next(bounds.begin(), bounds.end() - 1);
        for (std::size_t arc = 0; arc < graph.arcs; ++arc) arcs[next[std::size_t(ends[arc])]++] = int(arc);
    }
};

// Minus the log of the sum over the ways to a node: by arcs that each cost a penalty beyond what `total` has at `from`.
double sum_ways(const Graph& graph, const Order& order, std::size_t node, const int* from, const std::vector<double>& total) {
    double least = INF;
    const auto cost = [&](std::size_t place) {
        const std::size_t arc = std::size_t(order.arcs[place]);
        return graph.penalties[arc] + total[std::size_t(from[arc])];
    };
    for (std::size_t place = order.bounds[node]; place < order.bounds[node + 1]; ++place) least = std::min(least, cost(place));
    if (least == INF) return INF;
    double sum = 0;
    for (std::size_t place = order.bounds[node]; place < order.bounds[node + 1]; ++place) sum += std::exp(least - cost(place));
    return least - std::log(sum);
}

std::vector<double> backward(const Graph& graph) {
    const Order order(graph, graph.sources);
    std::vector<double> total(graph.nodes, INF);
    total.back() = 0;
    for (std::size_t node = graph.nodes - 1; node-- > 0;) total[node] = sum_ways(graph, order, node, graph.targets, total);
    return total;
}

}  // namespace

std::pair<double, std::vector<int>> viterbi(const Graph& graph) {
    const Order order(graph, graph.targets);
    std::vector<double> best(graph.nodes, INF);
    std::vector<int> came(graph.nodes, -1);
    best[0] = 0;
    for (std::size_t node = 1; node < graph.nodes; ++node) {
        for (std::size_t place = order.bounds[node]; place < order.bounds[node + 1]; ++place) {
            const std::size_t arc = std::size_t(order.arcs[place]);
            const double total = best[std::size_t(graph.sources[arc])] + graph.penalties[arc];
            if (total < best[node]) best[node] = total, came[node] = int(arc);
        }
    }
    std::vector<int> path;
    for (std::size_t node = graph.nodes - 1; node && came[node] >= 0; node = std::size_t(graph.sources[path.back()])) path.push_back(came[node]);
    std::reverse(path.begin(), path.end());
    return {best.back(), path};
}

std::vector<double> forward(const Graph& graph) {
    const Order order(graph, graph.targets);
    std::vector<double> total(graph.nodes, INF);
    total[0] = 0;
    for (std::size_t node = 1; node < graph.nodes; ++node) total[node] = sum_ways(graph, order, node, graph.sources, total);
    return total;
}

std::pair<double, std::vector<double>> posteriors(const Graph& graph) {
    const std::vector<double> before = forward(graph), after = backward(graph);
    const double total = before.back();
    std::vector<double> shares(graph.arcs, 0.0);
    if (std::isfinite(total))
        for (std::size_t arc = 0; arc < graph.arcs; ++arc)
            shares[arc] = std::exp(total - before[std::size_t(graph.sources[arc])] - graph.penalties[arc] - after[std::size_t(graph.targets[arc])]);
    return {total, std::move(shares)};
}

double text_penalty(const Graph& graph, const Text& text) {
    const Order order(graph, graph.targets);
    const std::size_t length = text.size() + 1;
    // A row for each node: the penalty of the paths to it that say the first 0, 1, ... labels.
    std::vector<double> sums(graph.nodes * length, INF);
    sums[0] = 0;
    for (std::size_t node = 1; node < graph.nodes; ++node) {
        double* here = sums.data() + node * length;
        for (std::size_t place = order.bounds[node]; place < order.bounds[node + 1]; ++place) {
            const std::size_t arc = std::size_t(order.arcs[place]);
            const double* before = sums.data() + std::size_t(graph.sources[arc]) * length;
            const int label = graph.labels[arc];
            for (std::size_t said = label == EPSILON ? 0 : 1; said < length; ++said) {
                const double way = before[label == EPSILON ? said : said - 1];
                if (way != INF && (label == EPSILON || text[said - 1] == label)) here[said] = log_add(here[said], way + graph.penalties[arc]);
            }
        }
    }
    return sums.back();
}

std::vector<Ranked> rank_texts(const Graph& graph, std::size_t labels, std::size_t followed, double unlikely) {
    const Order order(graph, graph.targets);
    const std::vector<double> best = forward(graph);
    struct Followed {
        int text;
        double cost;
    };
    Texts texts(labels);
    std::vector<std::vector<Followed>> beams(graph.nodes);
    beams[0].push_back({0, 0.0});
    // Where a text stands in the beam of the node that is being filled.
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (std::size_t node = 1; node < graph.nodes; ++node) {
        std::vector<Followed>& found = beams[node];
        for (std::size_t place = order.bounds[node]; place < order.bounds[node + 1]; ++place) {
            const std::size_t arc = std::size_t(order.arcs[place]), source = std::size_t(graph.sources[arc]);
            if (!(best[source] + graph.penalties[arc] <= best[node] + unlikely)) continue;
            for (const Followed& each : beams[source]) {
                const int longer = graph.labels[arc] == EPSILON ? each.text : texts.longer(each.text, graph.labels[arc]);
                const double cost = each.cost + graph.penalties[arc];
                if (places.size() <= std::size_t(longer)) places.resize(2 * std::size_t(longer) + 64, {0, 0});
                auto& [where, row] = places[std::size_t(longer)];
                if (where == node) {
                    found[row].cost = log_add(found[row].cost, cost);
                } else {
                    where = node, row = found.size();
                    found.push_back({longer, cost});
                }
            }
        }
        std::stable_sort(found.begin(), found.end(), [](const Followed& one, const Followed& other) { return one.cost < other.cost; });
        if (found.size() > followed) found.resize(followed);
    }
    std::vector<Ranked> ranked;
    for (const Followed& each : beams.back()) ranked.push_back({texts.spell(each.text), each.cost});
    return ranked;
}

}  // namespace lenet
