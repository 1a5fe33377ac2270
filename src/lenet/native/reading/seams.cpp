#include "seams.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>

#include "parameters.hpp"

namespace lenet {

namespace {

struct Upright {
    int rows, columns;
    std::vector<float> ink;

    float* row(int y) { return ink.data() + std::size_t(y) * std::size_t(columns); }
    const float* row(int y) const { return ink.data() + std::size_t(y) * std::size_t(columns); }
};

// How much of a box's width is its slant's.
double measure_lean(double slant, int height, int width) { return std::min(std::abs(slant) * height, SEAM.most_lean * width); }

// A piece's own ink, 0 to 1, with its upright strokes upright, `scale` times as large.
Upright make_upright(const Part& part, double slant, double scale) {
    const int height = part.height, width = part.width;
    const double lean = std::abs(slant) * height;
    const int rows = std::max(8, int(std::nearbyint(height * scale))), columns = int(std::nearbyint((width + lean) * scale));
    Upright found{rows, columns, std::vector<float>(std::size_t(rows) * std::size_t(columns))};
    const auto ink = [&](int y, int x) { return y < 0 || y >= height || x < 0 || x >= width || !part.own(y, x) ? 0.0f : float(part.level(y, x)) / 255.0f; };
    for (int r = 0; r < rows; ++r) {
        // Upright strokes stand upright: page column = upright column + shift(row).
        const double shift = slant * (height / 2.0 - (r + 0.5) / scale);
        const float down = float((r + 0.5) / scale - 0.5);
        const int y = int(std::floor(down));
        const float below = down - float(y), above = 1 - below;
        float* row = found.row(r);
        for (int c = 0; c < columns; ++c) {
            const float at = float(((c + 0.5) / scale - lean / 2) + shift - 0.5);
            const int x = int(std::floor(at));
            if (x < -1 || x >= width) continue;
            const float right = at - float(x), left = 1 - right;
            row[c] = ink(y, x) * (above * left) + ink(y, x + 1) * (above * right) + ink(y + 1, x) * (below * left) + ink(y + 1, x + 1) * (below * right);
        }
    }
    return found;
}

// What a seam pays at each pixel: its ink, and a share for paper that ink encloses.
Upright price(const Upright& upright) {
    const int rows = upright.rows, columns = upright.columns, stride = columns + 2;
    // Paper that hangs together with the outside, by a margin of one pixel.
    std::vector<signed char> paper(std::size_t(rows + 2) * std::size_t(stride), 1);
    for (int y = 0; y < rows; ++y)
        for (int x = 0; x < columns; ++x) paper[std::size_t(y + 1) * std::size_t(stride) + std::size_t(x + 1)] = upright.row(y)[x] < float(SEAM.paper);
    std::vector<int> open{0};
    paper[0] = 0;
    while (!open.empty()) {
        const int place = open.back(), y = place / stride, x = place % stride;
        open.pop_back();
        const auto visit = [&](bool inside, int next) {
            if (inside && paper[std::size_t(next)]) {
                paper[std::size_t(next)] = 0;
                open.push_back(next);
            }
        };
        visit(y > 0, place - stride);
        visit(y < rows + 1, place + stride);
        visit(x > 0, place - 1);
        visit(x < stride - 1, place + 1);
    }
    Upright prices = upright;
    for (int y = 0; y < rows; ++y)
        for (int x = 0; x < columns; ++x) prices.row(y)[x] += float(SEAM.hole) * float(paper[std::size_t(y + 1) * std::size_t(stride) + std::size_t(x + 1)]);
    return prices;
}

struct Path {
    std::vector<int> columns;  // of each row
    float cost;
};

// For every second column its best seam near it: dynamic programming from the top, in a band.
std::vector<Path> trace_seams(const Upright& upright) {
    const Upright prices = price(upright);
    const int reach = std::max(2, int(std::nearbyint(SEAM.stray * SEAM.height))), band = 2 * reach + 1, rows = upright.rows;
    std::vector<Path> paths;
    std::vector<double> cost(std::size_t(band) + 2), best(cost.size());
    std::vector<signed char> steps(std::size_t(rows) * std::size_t(band));
    for (int start = 1; start < upright.columns - 1; start += 2) {
        const auto paid = [&](int row, int place) {
            const int x = start + place - reach;
            return x < 0 || x >= upright.columns ? 0.0 : double(prices.row(row)[x]);
        };
        // A place on each side of the band that no seam goes through.
        cost.front() = cost.back() = std::numeric_limits<double>::infinity();
        for (int place = 0; place < band; ++place) cost[std::size_t(place) + 1] = paid(0, place) + SEAM.astray * std::abs(place - reach);
        for (int row = 1; row < rows; ++row) {
            best = cost;
            for (int place = 0; place < band; ++place) {
                const std::size_t here = std::size_t(place) + 1;
                const double straight = cost[here], right = cost[here - 1] + SEAM.aside, left = cost[here + 1] + SEAM.aside;
                const double least = std::min(std::min(straight, right), left);
                steps[std::size_t(row) * std::size_t(band) + std::size_t(place)] = least == straight ? 0 : least == right ? 1 : -1;
                best[here] = least + paid(row, place) + SEAM.astray * std::abs(place - reach);
            }
            cost.swap(best);
        }
        int place = int(std::min_element(cost.begin() + 1, cost.end() - 1) - cost.begin()) - 1;
        Path path{std::vector<int>(std::size_t(rows)), float(cost[std::size_t(place) + 1])};
        for (int row = rows - 1; row >= 0; --row) {
            path.columns[std::size_t(row)] = start + place - reach;
            if (row) place -= steps[std::size_t(row) * std::size_t(band) + std::size_t(place)];
        }
        paths.push_back(std::move(path));
    }
    return paths;
}

// The seams that cost least and leave ink between them, at most so many, from left to right.
std::vector<const Path*> choose_seams(const std::vector<Path>& paths, const Upright& upright, int most) {
    // Ink on the left of each seam: what a row has before the seam's column.
    std::vector<double> left(paths.size(), 0.0);
    std::vector<float> before(std::size_t(upright.columns) + 1);
    double every = 0;
    for (int y = 0; y < upright.rows; ++y) {
        const float* row = upright.row(y);
        for (int x = 0; x < upright.columns; ++x) before[std::size_t(x) + 1] = before[std::size_t(x)] + row[x];
        every += double(before.back());
        for (std::size_t k = 0; k < paths.size(); ++k) left[k] += double(before[std::size_t(std::clamp(paths[k].columns[std::size_t(y)], 0, upright.columns))]);
    }
    std::vector<std::size_t> order(paths.size()), chosen;
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) { return paths[one].cost < paths[other].cost; });
    std::vector<double> taken{0.0, every};
    for (const std::size_t k : order) {
        if (int(chosen.size()) == most || paths[k].cost > float(SEAM.dearest * SEAM.height)) break;
        if (std::all_of(taken.begin(), taken.end(), [&](double other) { return std::abs(left[k] - other) >= SEAM.least_ink * SEAM.height * SEAM.height; })) {
            taken.push_back(left[k]);
            chosen.push_back(k);
        }
    }
    std::sort(chosen.begin(), chosen.end());
    std::stable_sort(chosen.begin(), chosen.end(), [&](std::size_t one, std::size_t other) { return left[one] < left[other]; });
    std::vector<const Path*> found;
    for (const std::size_t k : chosen) found.push_back(&paths[k]);
    return found;
}

}  // namespace

std::vector<Seam> find_seams(const Part& part, double slant, double line_height) {
    const int height = part.height, width = part.width;
    const double scale = SEAM.height / line_height, upright_width = width - measure_lean(slant, height, width);
    if (upright_width < SEAM.narrow * line_height || height < WRITING.least_side) return {};
    const Upright upright = make_upright(part, slant, scale);
    const std::vector<Path> paths = trace_seams(upright);
    const int most = int(SEAM.cuts * upright_width / line_height) + 1;
    const double left = -std::abs(slant) * height / 2;
    std::vector<Seam> found;
    for (const Path* path : choose_seams(paths, upright, most)) {
        Seam seam{std::vector<float>(std::size_t(height)), double(path->cost) / SEAM.height};
        for (int y = 0; y < height; ++y) {
            const double at = std::clamp((y + 0.5) * scale - 0.5, 0.0, double(upright.rows - 1));
            const std::size_t row = std::min(std::size_t(at), std::size_t(upright.rows - 1)), next = std::min(row + 1, std::size_t(upright.rows - 1));
            const double column = path->columns[row] + (at - double(row)) * (path->columns[next] - path->columns[row]);
            seam.columns[std::size_t(y)] = float((column + 0.5) / scale + left + slant * (height / 2.0 - y - 0.5));
        }
        found.push_back(std::move(seam));
    }
    return found;
}

}  // namespace lenet
