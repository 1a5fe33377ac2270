#include "rules.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>

#include "parameters.hpp"

namespace lenet {

namespace {

int rounded(double value) { return int(std::nearbyint(value)); }

// Columns of a row, the last one past.
struct Run {
    int first, past;
};

// The runs of a row of a mask.
void read_runs(const std::uint8_t* row, int width, std::vector<Run>& runs) {
    runs.clear();
    for (int x = 0; x < width;) {
        x = int(std::find(row + x, row + width, 1) - row);
        if (x == width) break;
        const int past = int(std::find(row + x, row + width, 0) - row);
        runs.push_back({x, past});
        x = past;
    }
}

// The ink that goes straight across for so many pixels; it may lean by two pixels on the way, and go on beyond the page.
std::vector<std::uint8_t> find_runs_across(const Strokes& strokes, int run) {
    const int height = strokes.height, width = strokes.width, before = run / 2, behind = run - 1 - before;
    std::vector<std::uint8_t> found(std::size_t(height) * std::size_t(width), 0), thick(static_cast<std::size_t>(width));
    std::vector<Run> runs;
    for (int y = 0; y < height; ++y) {
        const std::uint8_t *here = strokes.row(y), *above = strokes.row(std::max(0, y - 1)), *below = strokes.row(std::min(height - 1, y + 1));
        for (int x = 0; x < width; ++x) thick[std::size_t(x)] = here[x] | above[x] | below[x];
        read_runs(thick.data(), width, runs);
        std::uint8_t* out = found.data() + std::size_t(y) * std::size_t(width);
        for (const Run& each : runs) {
            // Middles of windows that are all ink; a window may reach beyond the page from ink at its edge.
            const int least = each.first == 0 ? 0 : each.first + before, most = each.past == width ? width - 1 : each.past - 1 - behind;
            if (least > most) continue;
            const int first = std::max(0, least - behind), past = std::min(width, most + before + 1);
            std::copy(here + first, here + past, out + first);
        }
    }
    return found;
}

struct Pixel {
    int y, x;
};

// Runs that hang together when they are made a little longer and higher, by the pixels of each such piece in order.
std::vector<std::vector<Pixel>> join_runs(const std::vector<std::uint8_t>& mask, int height, int width) {
    const int longer = 1 + rounded(RULE.gap * width / 2);
    std::vector<std::vector<Run>> runs(static_cast<std::size_t>(height)), joined(runs.size());
    for (int y = 0; y < height; ++y) read_runs(mask.data() + std::size_t(y) * std::size_t(width), width, runs[std::size_t(y)]);
    std::vector<int> owner;  // of each joined run, another one of its piece: the first of all in the end
    std::vector<std::size_t> begins(runs.size() + 1, 0);
    std::vector<Run> all;
    const auto find = [&owner](int each) {
        while (owner[std::size_t(each)] != each) each = owner[std::size_t(each)] = owner[std::size_t(owner[std::size_t(each)])];
        return each;
    };
    for (int y = 0; y < height; ++y) {
        all.clear();
        for (int near = std::max(0, y - 1); near <= std::min(height - 1, y + 1); ++near)
            for (const Run& each : runs[std::size_t(near)]) all.push_back({std::max(0, each.first - longer), std::min(width, each.past + longer)});
        std::sort(all.begin(), all.end(), [](const Run& one, const Run& other) { return one.first < other.first; });
        std::vector<Run>& own = joined[std::size_t(y)];
        for (const Run& each : all) {
            if (!own.empty() && each.first <= own.back().past)
                own.back().past = std::max(own.back().past, each.past);
            else
                own.push_back(each);
        }
        begins[std::size_t(y) + 1] = begins[std::size_t(y)] + own.size();
        for (std::size_t k = 0; k < own.size(); ++k) owner.push_back(int(begins[std::size_t(y)] + k));
        if (!y) continue;
        const std::vector<Run>& above = joined[std::size_t(y) - 1];
        for (std::size_t k = 0, over = 0; k < own.size(); ++k) {
            while (over < above.size() && above[over].past < own[k].first) ++over;
            for (std::size_t other = over; other < above.size() && above[other].first <= own[k].past; ++other) {
                const int one = find(int(begins[std::size_t(y) - 1] + other)), two = find(int(begins[std::size_t(y)] + k));
                owner[std::size_t(std::max(one, two))] = std::min(one, two);
            }
        }
    }
    std::vector<int> places(owner.size(), -1);
    std::vector<std::vector<Pixel>> pieces;
    for (int y = 0; y < height; ++y) {
        std::size_t k = 0;
        for (const Run& each : runs[std::size_t(y)]) {
            while (joined[std::size_t(y)][k].past <= each.first) ++k;
            int& place = places[std::size_t(find(int(begins[std::size_t(y)] + k)))];
            if (place < 0) place = int(pieces.size()), pieces.emplace_back();
            for (int x = each.first; x < each.past; ++x) pieces[std::size_t(place)].push_back({y, x});
        }
    }
    return pieces;
}

// Whether pixels cover enough of the page's width, with hardly a gap.
bool is_long(const std::vector<Pixel>& own, int width) {
    const int longer = 1 + rounded(RULE.gap * width / 2);
    std::vector<bool> covered(std::size_t(width), false);
    int first = width, last = -1;
    for (const Pixel& each : own) covered[std::size_t(each.x)] = true, first = std::min(first, each.x), last = std::max(last, each.x);
    if (std::min(width, last + 1 + longer) - std::max(0, first - longer) < RULE.least_share * width) return false;
    return double(std::count(covered.begin(), covered.end(), true)) >= (1 - RULE.most_gaps) * (last + 1 - first);
}

struct Line {
    double slope, height;

    double at(int x) const { return slope * x + height; }
};

// The nearly level line that goes through most pixels (Hough).
Line fit_most(const std::vector<Pixel>& own, int first, int last) {
    const std::size_t step = std::max(std::size_t(1), own.size() / RULE.samples);
    // Between two slopes the ends of the line move by two pixels.
    const int slopes = 3 + int(RULE.steepest * (last - first) / 2) / 2 * 2;
    Line best{0, 0};
    int most = 0;
    std::vector<int> heights, counts;
    for (int k = 0; k < slopes; ++k) {
        const double slope = k == slopes - 1 ? RULE.steepest : k * (2 * RULE.steepest / (slopes - 1)) - RULE.steepest;
        heights.clear();
        for (std::size_t p = 0; p < own.size(); p += step) heights.push_back(rounded(own[p].y - slope * own[p].x));
        const auto [low, high] = std::minmax_element(heights.begin(), heights.end());
        const int lowest = *low;
        counts.assign(std::size_t(*high - lowest) + 1, 0);
        for (const int height : heights) ++counts[std::size_t(height - lowest)];
        const auto top = std::max_element(counts.begin(), counts.end());
        if (*top > most) most = *top, best = {slope, double(top - counts.begin() + lowest)};
    }
    return best;
}

struct Across {
    std::vector<double> middles;
    std::vector<int> thickness;  // 0: no ink
};

// The middle and thickness of the ink at a line's height in each column, `reach` off at most.
Across measure_across(const Strokes& strokes, int first, int last, const Line& line, int reach) {
    Across found;
    for (int x = first; x <= last; ++x) {
        const int row = rounded(line.at(x));
        const auto inked = [&](int y) { return y >= 0 && y < strokes.height && strokes.row(y)[x]; };
        int up = 0, down = 0;
        while (up <= reach && inked(row - up)) ++up;
        while (down <= reach && inked(row + down)) ++down;
        found.middles.push_back(row + (down - up) / 2.0);
        found.thickness.push_back(up ? up + down - 1 : 0);
    }
    return found;
}

double median(std::vector<int> values) {
    const auto middle = values.begin() + std::ptrdiff_t(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return values.size() % 2 ? *middle : (*middle + *std::max_element(values.begin(), middle)) / 2.0;
}

Line fit_line(const std::vector<int>& x, const std::vector<double>& y) {
    const double n = double(x.size()), across = std::accumulate(x.begin(), x.end(), 0.0) / n, down = std::accumulate(y.begin(), y.end(), 0.0) / n;
    double both = 0, squares = 0;
    for (std::size_t k = 0; k < x.size(); ++k) both += (x[k] - across) * (y[k] - down), squares += (x[k] - across) * (x[k] - across);
    const double slope = squares > 0 ? both / squares : 0.0;
    return {slope, down - slope * across};
}

// The ink along the straight line that most pixels lie on. Writing that stands on a line or lies in it makes it thicker
// there, and only there.
std::optional<RuleInk> fit_straight(const std::vector<Pixel>& own, const Strokes& strokes, int slimmest) {
    int first = strokes.width, last = -1;
    for (const Pixel& each : own) first = std::min(first, each.x), last = std::max(last, each.x);
    const int columns = last - first + 1, most = std::min(columns / slimmest + 2, RULE.thickest);
    Line line = fit_most(own, first, last);
    Across seen;
    std::vector<int> bare;
    std::vector<double> middles;
    double usual = 0;
    int inked = 0;
    for (int fit = 0; fit < INK.rounds; ++fit) {
        seen = measure_across(strokes, first, last, line, most);
        std::vector<int> thick;
        for (const int each : seen.thickness)
            if (each) thick.push_back(each);
        inked = int(thick.size());
        if (inked < RULE.least_share * columns) return {};
        usual = median(std::move(thick));
        bare.clear(), middles.clear();
        for (int k = 0; k < columns; ++k) {
            const int thickness = seen.thickness[std::size_t(k)];
            if (thickness && thickness <= RULE.thicker * usual) bare.push_back(first + k), middles.push_back(seen.middles[std::size_t(k)]);
        }
        line = fit_line(bare, middles);
        if (std::abs(line.slope) > RULE.steepest) return {};
    }
    const double stray = std::max(RULE.stray, RULE.stray_share * usual);
    for (std::size_t k = 0; k < bare.size(); ++k)
        if (std::abs(middles[k] - line.at(bare[k])) > stray) return {};
    if (inked < std::max((1 - RULE.most_gaps) * columns, slimmest * usual)) return {};
    const double reach = usual / 2 + RULE.ragged, low = std::min(line.at(first), line.at(last)), high = std::max(line.at(first), line.at(last));
    const int top = std::max(0, int(low - reach)), foot = std::min(strokes.height, int(high + reach) + 2);
    RuleInk rule{top, std::max(0, foot - top), {}};
    rule.ink.assign(std::size_t(rule.height) * std::size_t(strokes.width), 0);
    int from = rule.height, to = -1;
    for (int y = 0; y < rule.height; ++y) {
        std::uint8_t* row = rule.ink.data() + std::size_t(y) * std::size_t(strokes.width);
        for (int x = first; x <= last; ++x) {
            if (!strokes.row(top + y)[x] || std::abs(top + y - line.at(x)) > reach) continue;
            row[x] = 1;
            from = std::min(from, y), to = y;
        }
    }
    if (to < 0) return {};
    rule.ink.erase(rule.ink.begin() + std::ptrdiff_t(to + 1) * strokes.width, rule.ink.end());
    rule.ink.erase(rule.ink.begin(), rule.ink.begin() + std::ptrdiff_t(from) * strokes.width);
    rule.top += from;
    rule.height = to + 1 - from;
    return rule;
}

}  // namespace

std::vector<RuleInk> find_rules(const Strokes& strokes, int slimmest) {
    const int height = strokes.height, width = strokes.width;
    if (width < 2 * RULE.run) return {};
    std::vector<std::uint8_t> runs = find_runs_across(strokes, std::max(RULE.run, rounded(RULE.run_share * width)));
    std::vector<RuleInk> found;
    // Writing may hang lines together: look again without those that were found.
    for (int round = 0; round < RULE.rounds; ++round) {
        const std::size_t before = found.size();
        for (const std::vector<Pixel>& own : join_runs(runs, height, width))
            if (is_long(own, width))
                if (std::optional<RuleInk> rule = fit_straight(own, strokes, slimmest)) found.push_back(std::move(*rule));
        if (found.size() == before) break;
        for (std::size_t k = before; k < found.size(); ++k) {
            for (int y = 0; y < found[k].height; ++y) {
                const std::uint8_t* ink = found[k].ink.data() + std::size_t(y) * std::size_t(width);
                for (int to = std::max(0, found[k].top + y - 1); to <= std::min(height - 1, found[k].top + y + 1); ++to) {
                    std::uint8_t* row = runs.data() + std::size_t(to) * std::size_t(width);
                    for (int x = 0; x < width; ++x) row[x] = std::uint8_t(row[x] & ~ink[x]);
                }
            }
        }
    }
    return found;
}

std::vector<std::int64_t> follow_side(const Strokes& strokes, const RuledLine& line, int way, int first, int count, int steps) {
    const std::size_t n = std::size_t(count), rows = std::size_t(steps);
    std::vector<std::uint8_t> ink(n * rows, 0), grown(ink.size()), whole(ink.size());
    for (std::size_t r = 0; r < rows; ++r) {
        const double away = line.thickness / 2 + double(r + 1);
        for (std::size_t c = 0; c < n; ++c) {
            // Half a pixel is always rounded up: rounded to even, every other row would be left out.
            const double column = double(first) + double(c);
            const int y = int(std::floor(line.slope * column + line.height + way * away + 0.5)), x = int(std::floor(column - way * line.slope * away + 0.5));
            ink[r * n + c] = y >= 0 && y < strokes.height && x >= 0 && x < strokes.width && strokes.row(y)[x];
        }
    }
    // A pixel to the side, or one that is missing, is no end.
    for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t above = r ? r - 1 : r, below = std::min(r + 1, rows - 1);
        for (std::size_t c = 0; c < n; ++c) grown[r * n + c] = ink[above * n + c] | ink[r * n + c] | ink[below * n + c];
    }
    for (std::size_t r = 0; r < rows; ++r) {
        const std::size_t above = r ? r - 1 : r, below = std::min(r + 1, rows - 1);
        for (std::size_t c = 0; c < n; ++c) whole[r * n + c] = grown[above * n + c] & grown[r * n + c] & grown[below * n + c];
    }
    std::vector<std::int64_t> runs(n, 0);
    for (std::size_t c = 0; c < n; ++c) {
        const std::size_t left = c ? c - 1 : c, right = std::min(c + 1, n - 1);
        std::size_t r = 0;
        while (r < rows && (whole[r * n + left] | whole[r * n + c] | whole[r * n + right])) ++r;
        runs[c] = std::int64_t(r);
    }
    return runs;
}

}  // namespace lenet
