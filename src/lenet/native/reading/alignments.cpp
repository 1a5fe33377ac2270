// Sums are of probabilities, scaled column by column to a largest of 1: the twin adds logarithms, which cost ten times
// as much. What is less likely than the least double beside the likeliest of its column counts as impossible.
#include "alignments.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lenet {

namespace {

constexpr double INF = std::numeric_limits<double>::infinity();
// A label that is less likely in a column than this, as a logarithm, does not go on any text.
constexpr double UNLIKELY = -9.0;
// A column that says nothing but with this logarithm at most adds no text.
constexpr double SILENT = -1e-4;

// A text with the probability of its alignments that end with nothing, and of those that end with its last label.
struct Followed {
    int text;
    double apart, going;

    double every() const { return apart + going; }
};

bool likelier(const Followed& one, const Followed& other) { return one.every() > other.every(); }

// The texts that a column leads to, in the order in which they were found.
class Found {
  public:
    Followed& operator[](int text) {
        if (places_.size() <= std::size_t(text)) places_.resize(2 * std::size_t(text) + 64, {-1, 0});
        auto& [column, place] = places_[std::size_t(text)];
        if (column != column_) {
            column = column_, place = entries.size();
            entries.push_back({text, 0.0, 0.0});
        }
        return entries[place];
    }
    void begin(long column) {
        entries.clear();
        column_ = column;
    }

    std::vector<Followed> entries;

  private:
    long column_ = -1;
    std::vector<std::pair<long, std::size_t>> places_;
};

void scale(std::vector<Followed>& beam) {
    double most = 0;
    for (const Followed& each : beam) most = std::max(most, each.every());
    if (most <= 0) return;
    for (Followed& each : beam) {
        each.apart /= most;
        each.going /= most;
    }
}

}  // namespace

std::vector<Text> find_texts(const Columns& line, std::size_t width, const Automaton* allowed) {
    Texts texts(line.nothing(), allowed);
    std::vector<Followed> beam{{0, 1.0, 0.0}};
    Found found;
    std::vector<int> said;
    std::vector<double> now(line.labels);
    for (std::size_t column = 0; column < line.columns; ++column) {
        const double* costs = line[column];
        std::transform(costs, costs + line.labels, now.begin(), [](double cost) { return std::exp(cost); });
        const double silent = now[line.nothing()];
        if (costs[line.nothing()] > SILENT) {
            for (Followed& each : beam) each = {each.text, each.every() * silent, 0.0};
            continue;
        }
        said.clear();
        for (std::size_t label = 0; label < line.nothing(); ++label)
            if (costs[label] > UNLIKELY) said.push_back(int(label));
        found.begin(long(column));
        for (const Followed& each : beam) {
            const double every = each.every();
            const int last = texts.last(each.text);
            Followed& own = found[each.text];
            own.apart += every * silent;
            if (last >= 0) own.going += each.going * now[std::size_t(last)];
            for (const int label : said) {
                const double way = (last == label ? each.apart : every) * now[std::size_t(label)];
                const int longer = texts.longer(each.text, label);
                if (longer >= 0 && way > 0) found[longer].going += way;
            }
        }
        std::stable_sort(found.entries.begin(), found.entries.end(), likelier);
        found.entries.resize(std::min(width, found.entries.size()));
        beam.swap(found.entries);
        scale(beam);
    }
    std::stable_sort(beam.begin(), beam.end(), likelier);
    std::vector<Text> spelled;
    for (const Followed& each : beam)
        if (texts.complete(each.text)) spelled.push_back(texts.spell(each.text));
    return spelled;
}

std::vector<double> score_texts(const Columns& line, const std::vector<Text>& texts) {
    std::vector<double> probs(line.columns * line.labels), scores;
    for (std::size_t k = 0; k < probs.size(); ++k) probs[k] = std::exp(line.log_probs[k]);
    std::vector<double> sums, before;
    std::vector<std::size_t> labels;
    for (const Text& text : texts) {
        // States: nothing before, between and behind the labels.
        const std::size_t states = 2 * text.size() + 1;
        labels.assign(states, line.nothing());
        for (std::size_t l = 0; l < text.size(); ++l) labels[2 * l + 1] = std::size_t(text[l]);
        sums.assign(states, 0.0);
        double scaled = 0.0;
        for (std::size_t column = 0; column < line.columns; ++column) {
            const double* now = probs.data() + column * line.labels;
            before = sums;
            double most = 0.0;
            for (std::size_t s = 0; s < states; ++s) {
                double sum = column ? before[s] : s < 2 ? 1.0 : 0.0;
                if (column && s > 0) sum += before[s - 1];
                if (column && s > 1 && s % 2 && labels[s] != labels[s - 2]) sum += before[s - 2];
                sums[s] = sum * now[labels[s]];
                most = std::max(most, sums[s]);
            }
            if (most <= 0) break;
            for (double& sum : sums) sum /= most;
            scaled += std::log(most);
        }
        const double last = sums[states - 1] + (states > 1 ? sums[states - 2] : 0.0);
        scores.push_back(last > 0 ? scaled + std::log(last) : -INF);
    }
    return scores;
}

std::vector<Span> place_labels(const Columns& line, const Text& text) {
    std::size_t needed = text.size();
    for (std::size_t l = 1; l < text.size(); ++l) needed += text[l] == text[l - 1];
    if (needed > line.columns) return {};
    const std::size_t states = 2 * text.size() + 1;
    const auto label = [&](std::size_t s) { return s % 2 ? std::size_t(text[s / 2]) : line.nothing(); };
    std::vector<double> best(states, -INF), before;
    std::vector<signed char> came(line.columns * states, 0);
    for (std::size_t s = 0; s < std::min(states, std::size_t(2)); ++s) best[s] = line[0][label(s)];
    for (std::size_t column = 1; column < line.columns; ++column) {
        before = best;
        for (std::size_t s = 0; s < states; ++s) {
            double most = before[s];
            signed char way = 0;
            if (s > 0 && before[s - 1] > most) most = before[s - 1], way = 1;
            if (s > 1 && s % 2 && label(s) != label(s - 2) && before[s - 2] > most) most = before[s - 2], way = 2;
            best[s] = most + line[column][label(s)];
            came[column * states + s] = way;
        }
    }
    std::size_t state = states - 1;
    if (!text.empty() && best[state - 1] >= best[state]) --state;
    std::vector<Span> spans(text.size(), Span{int(line.columns), 0});
    for (std::size_t column = line.columns; column-- > 0;) {
        if (state % 2) {
            Span& span = spans[state / 2];
            span = {std::min(span.first, int(column)), std::max(span.past, int(column) + 1)};
        }
        state -= std::size_t(came[column * states + state]);
    }
    return spans;
}

}  // namespace lenet
