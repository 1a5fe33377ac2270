#include "glyphs.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "masks.hpp"
#include "parameters.hpp"

namespace lenet {

namespace {

constexpr int DIGIT_BOX = 20, GLYPH_SIZE = 28;
constexpr double CENTRE_INDEX = 14;
// How far outside a stroke its soft edge may reach, in pixels.
constexpr int EDGE = 2;

// Levels of 0 to 255, in rows that are `stride` apart; a thread keeps them for the next glyph.
struct Levels {
    int height, width, stride;
    const std::uint8_t* begin;

    const std::uint8_t* row(int y) const { return begin + std::size_t(y) * std::size_t(stride); }
};

// The strokes of fine ink broader (the ink grows by the radius on each side) or narrower, by a disc.
Levels spread(const Kernels& kernels, const Grey& fine, bool broader, int radius) {
    const int margin = broader ? 2 * radius : radius, grown = broader ? radius : 0;
    const int bytes = 4 * kernels.lanes, height = fine.height + 2 * grown, width = fine.width + 2 * grown;
    const int stride = (width + 2 * radius + bytes - 1) / bytes * bytes + bytes;
    thread_local std::vector<std::uint8_t> padded, scratch, out;
    padded.assign(std::size_t(height + 2 * radius) * std::size_t(stride) + 2 * std::size_t(bytes), 0);
    scratch.assign(2 * std::size_t(stride) + 6 * std::size_t(bytes), 0);
    out.resize(std::size_t(height) * std::size_t(stride));
    std::uint8_t* begin = padded.data() + bytes;
    // A loop over bytes has its bounds in variables of its own: a byte that is written may lie anywhere.
    for (int y = 0, wide = fine.width; y < fine.height; ++y) {
        const float* __restrict from = fine.row(y);
        std::uint8_t* __restrict to = begin + std::size_t(y + margin) * std::size_t(stride) + margin;
        for (int x = 0; x < wide; ++x) to[x] = std::uint8_t(int(from[x] * 255.0f + 0.5f));
    }
    kernels.spread(make_disc(radius), broader, begin, {height, width, stride}, scratch.data(), out.data());
    return {height, width, stride, out.data()};
}

// The box of the levels above a limit; without height if there are none.
Box find_box(const Levels& levels, std::uint8_t limit) {
    const int width = levels.width;
    thread_local Mask columns;
    columns.assign(std::size_t(width), 0);
    std::uint8_t* __restrict column = columns.data();
    Box found{0, levels.height, width, 0};
    for (int y = 0; y < levels.height; ++y) {
        const std::uint8_t* __restrict row = levels.row(y);
        std::uint8_t most = 0;
        for (int x = 0; x < width; ++x) {
            column[x] = std::max(column[x], row[x]);
            most = std::max(most, row[x]);
        }
        if (most > limit) found.top = std::min(found.top, y), found.bottom = y + 1;
    }
    while (found.left < found.right && column[found.left] <= limit) ++found.left;
    while (found.right > found.left && column[found.right - 1] <= limit) --found.right;
    return found;
}

// Levels in a box as ink, 0 to 1.
Grey cut(const Levels& levels, const Box& box) {
    Grey ink(box.bottom - box.top, box.right - box.left);
    for (int y = 0, width = ink.width; y < ink.height; ++y) {
        const std::uint8_t* __restrict from = levels.row(box.top + y) + box.left;
        float* __restrict to = ink.row(y);
        for (int x = 0; x < width; ++x) to[x] = float(from[x]) / 255.0f;
    }
    return ink;
}

int side(double length) { return std::max(1, int(std::nearbyint(length))); }

// Scale ink to a longer side of 20; strokes are made broader or narrower at 8 times that size.
Grey scale(const Kernels& kernels, const Grey& ink, double broader) {
    const double factor = double(DIGIT_BOX) / std::max(ink.height, ink.width);
    const int width = side(ink.width * factor), height = side(ink.height * factor);
    if (broader == 0 || std::min(width, height) < 3) return resize(kernels, ink, width, height);
    const Grey fine = resize(kernels, ink, width * GLYPH.fine, height * GLYPH.fine);
    const int most = GLYPH.fine * DIGIT_BOX / 4, radius = std::clamp(int(std::nearbyint(std::abs(broader) * factor / 2 * GLYPH.fine)), 1, most);
    const Levels levels = spread(kernels, fine, broader > 0, radius);
    const Box traced = find_box(levels, std::uint8_t(GLYPH.trace * 255));
    if (!traced.bottom) return resize(kernels, ink, width, height);
    const Grey changed = cut(levels, traced);
    const double again = double(DIGIT_BOX) / std::max(changed.height, changed.width);
    return resize(kernels, changed, side(changed.width * again), side(changed.height * again));
}

// Scale the levels of ink that is paler than any in MNIST, as thin strokes become when they shrink.
void darken(Grey& ink) {
    const float floor = float(GLYPH.trace * double(*std::max_element(ink.begin(), ink.end())));
    std::vector<float> inked;
    for (const float value : ink)
        if (value > floor) inked.push_back(value);
    if (inked.empty()) return;
    const auto upper = inked.begin() + std::ptrdiff_t(INK.full / 100 * double(inked.size() - 1));
    std::nth_element(inked.begin(), upper, inked.end());
    if (double(*upper) >= GLYPH.palest) return;
    const float times = float(1 / double(*upper));
    for (float& value : ink) value = std::clamp(value * times, 0.0f, 1.0f);
}

// Put ink, at most 28 a side, into a 28x28 field with its centre of mass nearest to index 14.
void place_glyph(const Grey& ink, std::uint8_t* glyph) {
    double mass = 0, across = 0, down = 0;
    for (int y = 0; y < ink.height; ++y) {
        double sum = 0;
        for (int x = 0; x < ink.width; ++x) {
            const double value = double(ink.row(y)[x]);
            sum += value;
            across += value * x;
        }
        mass += sum;
        down += sum * y;
    }
    if (mass == 0) mass = 1;
    const auto begin = [&](double moment, int size) { return std::min(std::max(int(std::nearbyint(CENTRE_INDEX - moment / mass)), 0), GLYPH_SIZE - size); };
    const int top = begin(down, ink.height), left = begin(across, ink.width);
    std::memset(glyph, 0, GLYPH_SIZE * GLYPH_SIZE);
    for (int y = 0; y < ink.height; ++y)
        for (int x = 0; x < ink.width; ++x) glyph[(top + y) * GLYPH_SIZE + left + x] = std::uint8_t(std::lrint(ink.row(y)[x] * 255));
}

}  // namespace

Grey crop(const InkPage& page, int first, int past, const Box& box) {
    static const Disc disc = make_disc(EDGE);
    const Box area{std::max(0, box.left - EDGE), std::max(0, box.top - EDGE), std::min(page.width, box.right + EDGE),
                   std::min(page.height, box.bottom + EDGE)};
    const int height = area.bottom - area.top, width = area.right - area.left;
    // Which pixels are the pieces' own, with a margin; and the same reaching so far across.
    const int stride = width + 2 * EDGE;
    thread_local Mask masks[EDGE + 1], around;
    for (auto& mask : masks) mask.assign(std::size_t(height + 2 * EDGE) * std::size_t(stride), 0);
    const auto row = [stride](Mask& mask, int y) { return mask.data() + std::size_t(y + EDGE) * std::size_t(stride) + EDGE; };
    const auto place = [&](int y) { return std::size_t(area.top + y) * std::size_t(page.width) + std::size_t(area.left); };
    for (int y = 0; y < height; ++y) {
        const std::int32_t* pieces = page.pieces + place(y);
        std::uint8_t* own = row(masks[0], y);
        for (int x = 0; x < width; ++x) own[x] = pieces[x] >= first && pieces[x] < past;
        for (int reach = 1; reach <= EDGE; ++reach) {
            const std::uint8_t* less = row(masks[reach - 1], y);
            std::uint8_t* more = row(masks[reach], y);
            for (int x = 0; x < width; ++x) more[x] = less[x - 1] | less[x] | less[x + 1];
        }
    }
    thread_local Mask inked, sure;
    inked.resize(std::size_t(height) * std::size_t(width));
    sure.resize(inked.size());
    around.resize(std::size_t(width));
    const std::uint8_t clear = std::uint8_t(std::clamp(page.clear, 0.0, 255.0));
    for (int y = 0; y < height; ++y) {
        std::uint8_t* __restrict near = around.data();
        std::copy_n(row(masks[disc.reach[0]], y), width, near);
        for (int away = 1; away <= EDGE; ++away) {
            const std::uint8_t *above = row(masks[disc.reach[away]], y - away), *below = row(masks[disc.reach[away]], y + away);
            for (int x = 0; x < width; ++x) near[x] |= above[x] | below[x];
        }
        const std::uint8_t *__restrict own = row(masks[0], y), *__restrict levels = page.levels + place(y);
        const std::int32_t* __restrict pieces = page.pieces + place(y);
        std::uint8_t *__restrict here = inked.data() + std::size_t(y) * std::size_t(width), *__restrict clearly = sure.data() + std::size_t(y) * std::size_t(width);
        for (int x = 0; x < width; ++x) {
            const std::uint8_t reached = near[x] & std::uint8_t(own[x] | std::uint8_t(pieces[x] == 0));
            here[x] = std::uint8_t(levels[x] * reached);
            clearly[x] = std::uint8_t(here[x] * std::uint8_t(own[x] | std::uint8_t(levels[x] > clear)));
        }
    }
    const Box traced = find_box({height, width, width, sure.data()}, 0);
    return traced.bottom ? cut({height, width, width, inked.data()}, traced) : Grey(1, 1, 0.0f);  // so faint that it rounds to paper
}

void make_glyph(const Kernels& kernels, const Grey& ink, double broader, std::uint8_t* glyph) {
    // Ink that fits the box already was made for it, and is left as it is.
    if (std::max(ink.height, ink.width) == DIGIT_BOX) return place_glyph(ink, glyph);
    Grey scaled = scale(kernels, ink, broader);
    darken(scaled);
    place_glyph(scaled, glyph);
}

}  // namespace lenet
