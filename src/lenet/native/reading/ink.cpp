#include "ink.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "masks.hpp"
#include "parameters.hpp"
#include "picture.hpp"

namespace lenet {

namespace {

// How far outside a stroke its soft edge may reach, in pixels; how far apart slopes are taken.
constexpr int EDGE = 2, FAR[] = {1, 4, 16};
// A window with less paper than this share has nothing to say of the light.
constexpr float NOTHING = 1e-3f;

using Floats = std::vector<float>;

double percentile(Floats values, double share) {
    const double at = share / 100 * double(values.size() - 1);
    const std::size_t low = std::size_t(at), high = std::min(low + 1, values.size() - 1);
    std::nth_element(values.begin(), values.begin() + std::ptrdiff_t(low), values.end());
    const double below = double(values[low]);
    const double above = high == low ? below : double(*std::min_element(values.begin() + std::ptrdiff_t(high), values.end()));
    return below + (at - double(low)) * (above - below);
}

// Which values of an array are taken, row by row: no two rows at the same columns, so that no squares come between.
std::size_t choose_stride(int height, int width) {
    std::size_t stride = std::max(std::size_t(1), std::size_t(double(height) * width / INK.samples));
    while (std::gcd(stride, std::size_t(width)) > 1) ++stride;
    return stride;
}

// Every k-th row and column.
Grey thin(const Grey& from, int step) {
    if (step == 1) return from;
    Grey few((from.height + step - 1) / step, (from.width + step - 1) / step);
    for (int y = 0; y < few.height; ++y)
        for (int x = 0; x < few.width; ++x) few.row(y)[x] = from.row(y * step)[x * step];
    return few;
}

Floats sample(const Grey& from) {
    const std::size_t stride = choose_stride(from.height, from.width);
    Floats some;
    for (std::size_t k = 0; k < from.size(); k += stride) some.push_back(from.begin()[k]);
    return some;
}

// The mask of Immerkaer (1996), 1 -2 1 down and across, is zero on any plane and has gain 6 on white noise; the median
// ignores strokes.
double estimate_noise(const Grey& grey) {
    if (std::min(grey.height, grey.width) < 3) return 0;
    const std::size_t width = std::size_t(grey.width - 2), inside = std::size_t(grey.height - 2) * width;
    const std::size_t stride = choose_stride(grey.height - 2, grey.width - 2);
    Floats found;
    for (std::size_t k = 0; k < inside; k += stride) {
        const int y = int(k / width), x = int(k % width);
        const float *above = grey.row(y), *here = grey.row(y + 1), *below = grey.row(y + 2);
        const auto down = [&](int column) { return above[column] - 2 * here[column] + below[column]; };
        found.push_back(std::abs(down(x) - 2 * down(x + 1) + down(x + 2)));
    }
    return percentile(std::move(found), 50) / (0.6745 * 6);
}

// Where a place beyond an edge is found inside: mirrored with the edge twice (`twice`) or once.
int mirror(int place, int size, bool twice) {
    if (size == 1) return 0;
    while (place < 0 || place >= size) place = place < 0 ? -place - (twice ? 1 : 0) : 2 * size - place - (twice ? 1 : 2);
    return place;
}

// Gaussian blur, as wide as OpenCV makes it for floats.
Grey blur(const Kernels& kernels, const Grey& from, double sigma, bool twice) {
    const int many = int(std::nearbyint(sigma * 8 + 1)) | 1, reach = many / 2;
    std::vector<double> bell;
    double sum = 0;
    for (int k = -reach; k <= reach; ++k) sum += bell.emplace_back(std::exp(-double(k) * k / (2 * sigma * sigma)));
    Floats weights;
    for (const double each : bell) weights.push_back(float(each / sum));
    Grey padded(1, from.width + 2 * reach), across(from.height + 2 * reach, from.width), found(from.height, from.width);
    for (int y = -reach; y < from.height + reach; ++y) {
        float* out = across.row(y + reach);
        const int inside = mirror(y, from.height, twice);
        if (inside != y) continue;
        for (int x = -reach; x < 0; ++x) padded.begin()[x + reach] = from.row(y)[mirror(x, from.width, twice)];
        std::copy_n(from.row(y), from.width, padded.begin() + reach);
        for (int x = from.width; x < from.width + reach; ++x) padded.begin()[x + reach] = from.row(y)[mirror(x, from.width, twice)];
        // A vector's lanes behind the row are the next one's, which is written after it.
        kernels.weigh_rows(padded.begin(), 1, many, weights.data(), from.width, out);
    }
    for (int y = -reach; y < from.height + reach; ++y)
        if (const int inside = mirror(y, from.height, twice); inside != y) std::copy_n(across.row(inside + reach), from.width, across.row(y + reach));
    for (int y = 0; y < from.height; ++y) kernels.weigh_rows(across.row(y), from.width, many, weights.data(), from.width, found.row(y));
    return found;
}

// The level that a large share of a drawn page's pixels has, if there is one; else -1.
double find_flat_paper(const std::uint8_t* grey, int height, int width) {
    const std::size_t size = std::size_t(height) * std::size_t(width), stride = choose_stride(height, width);
    long counts[256] = {}, every = 0, most = -1;
    for (std::size_t k = 0; k < size; k += stride) ++counts[grey[k]], ++every;
    int paper = 0;
    for (int level = 0; level < 256; ++level) {
        long around = 0;
        for (int near = std::max(0, level - INK.same_grey); near <= std::min(255, level + INK.same_grey); ++near) around += counts[near];
        if (around > most) most = around, paper = level;
    }
    if (double(most) < INK.flat_share * double(every)) return -1;
    const int first = std::max(0, paper - INK.same_grey), past = std::min(256, paper + INK.same_grey + 1);
    return double(std::max_element(counts + first, counts + past) - counts);
}

// Average a page down to the size of the light's.
Grey shrink(const Kernels& kernels, const Grey& grey, const Mask* paper = nullptr) {
    const double factor = double(std::max(grey.height, grey.width)) / INK.light_size;
    const int step = std::max(1, int(factor / 3));
    Grey few = thin(grey, step);
    if (paper)
        for (int y = 0; y < few.height; ++y)
            for (int x = 0; x < few.width; ++x)
                few.row(y)[x] *= float((*paper)[std::size_t(y) * std::size_t(step) * std::size_t(grey.width) + std::size_t(x) * std::size_t(step)]);
    if (factor <= 1) return few;
    const auto side = [factor](int length) { return std::max(1, int(std::nearbyint(length / factor))); };
    return average(kernels, few, side(grey.width), side(grey.height));
}

// The least-squares solution of a symmetric system of three: what its small eigenvalues say nothing of stays 0 (Jacobi).
void solve(double a[3][3], const double b[3], double x[3]) {
    double v[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
    for (int sweep = 0; sweep < 30; ++sweep) {
        for (int p = 0; p < 2; ++p) {
            for (int q = p + 1; q < 3; ++q) {
                if (a[p][q] == 0) continue;
                const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
                const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1)), c = 1 / std::sqrt(t * t + 1), s = t * c;
                for (int k = 0; k < 3; ++k) {
                    const double one = a[k][p], other = a[k][q];
                    a[k][p] = c * one - s * other, a[k][q] = s * one + c * other;
                }
                for (int k = 0; k < 3; ++k) {
                    const double one = a[p][k], other = a[q][k];
                    a[p][k] = c * one - s * other, a[q][k] = s * one + c * other;
                }
                for (int k = 0; k < 3; ++k) {
                    const double one = v[k][p], other = v[k][q];
                    v[k][p] = c * one - s * other, v[k][q] = s * one + c * other;
                }
            }
        }
    }
    const double most = std::max({std::abs(a[0][0]), std::abs(a[1][1]), std::abs(a[2][2])});
    x[0] = x[1] = x[2] = 0;
    for (int k = 0; k < 3; ++k) {
        if (std::abs(a[k][k]) <= 3 * 2.22e-16 * most) continue;
        const double share = (v[0][k] * b[0] + v[1][k] * b[1] + v[2][k] * b[2]) / a[k][k];
        for (int row = 0; row < 3; ++row) x[row] += share * v[row][k];
    }
}

// Fit a plane to the paper by repeated weighting that ignores ink (Tukey's biweight).
Grey fit_plane(const Kernels& kernels, const Grey& grey) {
    const Grey small = shrink(kernels, grey);
    double plane[3] = {percentile({small.begin(), small.end()}, 50), 0, 0};
    Floats apart(small.size());
    for (int round = 0; round < INK.plane_rounds; ++round) {
        const auto residual = [&](int y, int x) {
            return double(small.row(y)[x]) - (plane[0] + plane[1] * ((x + 0.5) / small.width) + plane[2] * ((y + 0.5) / small.height));
        };
        for (int y = 0; y < small.height; ++y)
            for (int x = 0; x < small.width; ++x) apart[std::size_t(y) * std::size_t(small.width) + std::size_t(x)] = float(std::abs(residual(y, x)));
        const double scale = std::max(INK.least_contrast / INK.scale_sigmas, 1.4826 * percentile(apart, 50) * INK.scale_sigmas);
        double a[3][3] = {}, b[3] = {}, found[3];
        int weighed = 0;
        for (int y = 0; y < small.height; ++y) {
            for (int x = 0; x < small.width; ++x) {
                const double r = residual(y, x) / scale, inside = std::max(1 - r * r, 0.0), weight = inside * inside;
                if (weight == 0) continue;
                ++weighed;
                const double terms[3] = {1, (x + 0.5) / small.width, (y + 0.5) / small.height}, value = double(small.row(y)[x]);
                for (int i = 0; i < 3; ++i) {
                    b[i] += weight * terms[i] * value;
                    for (int j = 0; j < 3; ++j) a[i][j] += weight * terms[i] * terms[j];
                }
            }
        }
        if (weighed < 3) break;
        solve(a, b, found);
        double moved = 0;
        for (int k = 0; k < 3; ++k) moved = std::max(moved, std::abs(found[k] - plane[k])), plane[k] = found[k];
        if (moved < INK.same_light) break;
    }
    Grey light(grey.height, grey.width);
    for (int y = 0; y < grey.height; ++y)
        for (int x = 0; x < grey.width; ++x) light.row(y)[x] = float(plane[0] + plane[1] * ((x + 0.5) / grey.width) + plane[2] * ((y + 0.5) / grey.height));
    return light;
}

// What is left of the light between the strokes, averaged over a wide window, at the light's size.
Grey estimate_slow_light(const Kernels& kernels, const Grey& residual, const Mask& strong) {
    Mask paper = grow(strong, residual.height, residual.width, EDGE + 1);
    for (std::uint8_t& each : paper) each = !each;
    const Grey whole(residual.height, residual.width, 1.0f);
    const Grey known = shrink(kernels, whole, &paper), residue = shrink(kernels, residual, &paper);
    const double sigma = INK.light_window * std::max(known.height, known.width);
    const Grey weight = blur(kernels, known, sigma, true);
    Grey total = blur(kernels, residue, sigma, true);
    for (std::size_t k = 0; k < total.size(); ++k) {
        const float own = weight.begin()[k];
        total.begin()[k] = own > NOTHING ? total.begin()[k] / own : 0.0f;
    }
    return total;
}

double least_contrast(double noise) { return std::max(INK.least_contrast, INK.least_sigmas * noise); }

struct Polarity {
    int sign;
    bool ambiguous;
};

// The sign of the ink in a page without its light: the side of the paper that stands out more strongly.
Polarity find_polarity(const Grey& residual, double noise) {
    const float least = float(least_contrast(noise));
    const auto ask = [least](const float* begin, const float* end) {
        double dark = 0, light = 0;
        for (const float* each = begin; each != end; ++each) {
            const double value = double(*each);
            if (-*each > least) dark -= value * value * value;
            if (*each > least) light += value * value * value;
        }
        if (dark == 0 && light == 0) return Polarity{0, false};
        return Polarity{light > dark ? 1 : -1, std::min(dark, light) > INK.doubtful * std::max(dark, light)};
    };
    const Floats some = sample(residual);
    const Polarity found = ask(some.data(), some.data() + some.size());
    return found.sign || some.size() == residual.size() ? found : ask(residual.begin(), residual.end());
}

struct Thresholded {
    Mask weak, strong;
};

// Ink of a sign in a page without its light: where it may be, and where it surely is.
Thresholded threshold_ink(const Grey& residual, double noise, int sign, bool flat) {
    const double least = least_contrast(noise);
    const float side = float(sign);
    Floats some = sample(residual);
    for (float& each : some) each *= side;
    const auto stand_out = [&](const float* begin, const float* end, float times) {
        double cubes = 0, squares = 0;
        for (const float* each = begin; each != end; ++each) {
            const float value = *each * times;
            if (value > float(least)) cubes += double(value) * double(value) * double(value), squares += double(value) * double(value);
        }
        return squares > 0 ? cubes / squares : 0.0;
    };
    double full = stand_out(some.data(), some.data() + some.size(), 1.0f);
    if (full == 0 && some.size() < residual.size()) full = stand_out(residual.begin(), residual.end(), side);
    double weak = INK.weak * full;
    // A pattern printed on the paper must not hang on to the strokes.
    if (!flat) weak = std::min(std::max(INK.over_pattern * percentile(std::move(some), INK.pattern), weak), INK.weakest * full);
    const float may = float(std::max(weak, INK.weak_sigmas * noise)), surely = float(std::max(INK.strong * full, least));
    Thresholded found{Mask(residual.size()), Mask(residual.size())};
    for (std::size_t k = 0; k < residual.size(); ++k) {
        const float value = residual.begin()[k] * side;
        found.weak[k] = value > may;
        found.strong[k] = value > surely;
    }
    return found;
}

bool any(const Mask& mask) {
    return std::any_of(mask.begin(), mask.end(), [](std::uint8_t each) { return each; });
}

// How many pixels a stroke's steepest edge needs for `full` contrast, in the best quarter of rows.
double measure_edge(const Grey& grey, const Mask& strokes, double full) {
    const int step = std::max(1, int(grey.size() / INK.samples));
    double edge = 0;
    for (const int far : FAR) {
        Floats slopes;
        for (int y = 0; y < grey.height; y += step) {
            const float* row = grey.row(y);
            const std::uint8_t* inked = strokes.data() + std::size_t(y) * std::size_t(grey.width);
            float most = -1;
            for (int x = far; x < grey.width; ++x)
                if (inked[x]) most = std::max(most, std::abs(row[x] - row[x - far]));
            if (most >= 0) slopes.push_back(most);
        }
        if (!slopes.empty()) edge = std::max(edge, full * far / std::max(1.0, percentile(std::move(slopes), INK.full)));
        if (edge < 3 * far) break;
    }
    return edge;
}

Grey subtract(const Grey& one, const Grey& other) {
    Grey found(one.height, one.width);
    std::transform(one.begin(), one.end(), other.begin(), found.begin(), [](float a, float b) { return a - b; });
    return found;
}

}  // namespace

FoundInk find_ink(const Kernels& kernels, const std::uint8_t* given, int height, int width, bool inverted) {
    Grey grey(height, width);
    std::copy_n(given, grey.size(), grey.begin());
    const double noise = estimate_noise(grey);
    // Blurred only as much as noise asks for.
    const bool noisy = noise >= INK.same_light;
    const Grey smooth = noisy ? blur(kernels, grey, 1.0, false) : grey;
    const double left = noisy ? noise * 0.2821 : std::max(noise, INK.same_light), level = find_flat_paper(given, height, width);
    const bool flat = level >= 0;
    Grey light = flat ? Grey(height, width, float(level)) : fit_plane(kernels, smooth);
    Grey residual = subtract(smooth, light);
    const Polarity polarity = find_polarity(residual, left);
    FoundInk found;
    if (!polarity.sign) return found;
    const int sign = inverted ? -polarity.sign : polarity.sign;
    Thresholded inked = threshold_ink(residual, left, sign, flat);
    // Look again with the light taken from between the strokes, which follows shadows that a plane cannot.
    for (int round = 0; (!flat || std::min(height, width) > INK.small) && round < INK.rounds; ++round) {
        const Grey slow = estimate_slow_light(kernels, residual, inked.strong);
        if (std::none_of(slow.begin(), slow.end(), [](float each) { return std::abs(each) >= float(INK.same_light); })) break;
        Grey local = interpolate(kernels, slow, width, height);
        std::transform(local.begin(), local.end(), light.begin(), local.begin(), [](float a, float b) { return a + b; });
        Grey beyond = subtract(smooth, local);
        if (!polarity.ambiguous && find_polarity(beyond, left).sign != sign) break;
        Thresholded again = threshold_ink(beyond, left, sign, flat);
        if (!any(again.strong)) break;
        light = std::move(local), residual = std::move(beyond), inked = std::move(again);
    }
    Mask strokes = keep_connected(inked.weak, inked.strong, height, width);
    if (!any(strokes)) return found;
    Floats out;
    for (std::size_t k = 0; k < strokes.size(); ++k)
        if (strokes[k]) out.push_back(residual.begin()[k] * float(sign));
    const double usual = percentile(out, INK.full), dark = percentile(std::move(out), INK.darkest);
    const double full = std::max(INK.least_contrast, dark > INK.pale_print * usual ? dark : usual);
    found.levels.assign(strokes.size(), 0);
    const Mask near = grow(strokes, height, width, EDGE);
    const float times = float(sign * 255 / full);
    for (std::size_t k = 0; k < near.size(); ++k)
        if (near[k]) found.levels[k] = std::uint8_t(std::lrint(std::clamp((grey.begin()[k] - light.begin()[k]) * times, 0.0f, 255.0f)));
    const Floats some = sample(light);
    found.spread = percentile(some, 99) - percentile(some, 1);
    found.edge = measure_edge(grey, strokes, full);
    found.noise = noise * 255 / full;
    found.sign = sign;
    found.ambiguous = polarity.ambiguous;
    found.strokes = std::move(strokes);
    return found;
}

}  // namespace lenet
