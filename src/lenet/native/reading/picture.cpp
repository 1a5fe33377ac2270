#include "picture.hpp"

#include <algorithm>
#include <cmath>

namespace lenet {

namespace {

// A thread keeps so many buffers, of so many values together at most.
constexpr std::size_t MOST_KEPT = 12, MOST_VALUES = 12 << 20;
thread_local std::vector<std::vector<float>> kept;

// What each pixel of the result takes of the source: some neighbours from a first one on, each times its weight.
class Taps {
  public:
    explicit Taps(int count) { begins_.reserve(std::size_t(count) + 1), firsts_.reserve(std::size_t(count)); }

    void begin(int first) {
        begins_.push_back(weights_.size());
        firsts_.push_back(first);
    }
    void add(float weight) { weights_.push_back(weight); }

    int count() const { return int(firsts_.size()); }
    int first(int place) const { return firsts_[std::size_t(place)]; }
    const float* weights(int place) const { return weights_.data() + begins_[std::size_t(place)]; }
    int many(int place) const {
        const std::size_t next = std::size_t(place) + 1;
        return int((next < begins_.size() ? begins_[next] : weights_.size()) - begins_[next - 1]);
    }

  private:
    std::vector<std::size_t> begins_;
    std::vector<int> firsts_;
    std::vector<float> weights_;
};

// Each pixel takes what it covers of the source: OpenCV's INTER_AREA for sides that shrink.
Taps cover(int from, int to) {
    const double scale = double(from) / to, edge = 1e-3;
    Taps taps(to);
    for (int place = 0; place < to; ++place) {
        const double begin = place * scale, end = begin + scale, whole = std::min(scale, from - begin);
        const int past = std::min(int(std::floor(end)), from - 1), first = std::min(int(std::ceil(begin)), past);
        const bool before = first - begin > edge;
        taps.begin(before ? first - 1 : first);
        if (before) taps.add(float((first - begin) / whole));
        for (int k = first; k < past; ++k) taps.add(float(1 / whole));
        if (end - past > edge) taps.add(float(std::min(std::min(end - past, 1.0), whole) / whole));
    }
    return taps;
}

// Two neighbours by how much of each is covered: INTER_AREA where one side grows.
Taps cover_little(int from, int to) {
    const double scale = double(from) / to;
    Taps taps(to);
    for (int place = 0; place < to; ++place) {
        int first = int(std::floor(place * scale));
        float part = float((place + 1) - (first + 1) / scale);
        part = part <= 0 ? 0.0f : part - std::floor(part);
        if (first >= from - 1) first = from - 1, part = 0;
        taps.begin(first);
        taps.add(1 - part);
        if (part > 0) taps.add(part);
    }
    return taps;
}

// Two neighbours by how near they are; beyond the edge all is as the edge is.
Taps fit_lines(int from, int to) {
    const double scale = double(from) / to;
    Taps taps(to);
    for (int place = 0; place < to; ++place) {
        const float at = float((place + 0.5) * scale - 0.5);
        const int first = std::clamp(int(std::floor(at)), 0, from - 1);
        const float part = first == from - 1 ? 0.0f : std::max(0.0f, at - float(first));
        taps.begin(first);
        taps.add(1 - part);
        if (part > 0) taps.add(part);
    }
    return taps;
}

// Four neighbours on a cubic with a slope of -3/4 at 1; beyond the edge all is as the edge is.
Taps fit_cubic(int from, int to) {
    constexpr float A = -0.75f;
    const double scale = double(from) / to;
    Taps taps(to);
    for (int place = 0; place < to; ++place) {
        const float at = float((place + 0.5) * scale - 0.5);
        const int first = int(std::floor(at));
        const float x = at - float(first), y = 1 - x;
        float weights[4] = {((A * (x + 1) - 5 * A) * (x + 1) + 8 * A) * (x + 1) - 4 * A, ((A + 2) * x - (A + 3)) * x * x + 1,
                            ((A + 2) * y - (A + 3)) * y * y + 1, 0};
        weights[3] = 1 - weights[0] - weights[1] - weights[2];
        const int begin = std::clamp(first - 1, 0, from - 1), end = std::clamp(first + 2, 0, from - 1);
        taps.begin(begin);
        float own[4] = {};
        for (int k = 0; k < 4; ++k) own[std::clamp(first - 1 + k, 0, from - 1) - begin] += weights[k];
        for (int k = 0; k <= end - begin; ++k) taps.add(own[k]);
    }
    return taps;
}

Grey take_down(const Kernels& kernels, const Grey& from, const Taps& taps) {
    Grey found(taps.count(), from.width);
    for (int y = 0; y < found.height; ++y)
        kernels.weigh_rows(from.row(taps.first(y)), from.width, taps.many(y), taps.weights(y), from.width, found.row(y));
    return found;
}

Grey transpose(const Grey& from) {
    Grey found(from.width, from.height);
    for (int y = 0; y < from.height; ++y)
        for (int x = 0; x < from.width; ++x) found.row(x)[y] = from.row(y)[x];
    return found;
}

Grey take_across(const Kernels& kernels, const Grey& from, const Taps& taps) { return transpose(take_down(kernels, transpose(from), taps)); }

}  // namespace

std::vector<float> take_floats(std::size_t size) {
    std::size_t best = kept.size();
    for (std::size_t k = 0; k < kept.size(); ++k)
        if (kept[k].size() >= size && (best == kept.size() || kept[k].size() < kept[best].size())) best = k;
    if (best == kept.size()) return std::vector<float>(size);
    std::swap(kept[best], kept.back());
    std::vector<float> buffer = std::move(kept.back());
    kept.pop_back();
    return buffer;
}

void give_floats(std::vector<float> buffer) {
    std::size_t values = buffer.size();
    for (const auto& each : kept) values += each.size();
    if (!buffer.empty() && kept.size() < MOST_KEPT && values <= MOST_VALUES) kept.push_back(std::move(buffer));
}

Grey resize(const Kernels& kernels, const Grey& from, int width, int height) {
    if (from.width == width && from.height == height) return from;
    if (std::size_t(width) * std::size_t(height) < from.size()) {
        if (width <= from.width && height <= from.height) return average(kernels, from, width, height);
        return take_across(kernels, take_down(kernels, from, cover_little(from.height, height)), cover_little(from.width, width));
    }
    Grey found = take_down(kernels, take_across(kernels, from, fit_cubic(from.width, width)), fit_cubic(from.height, height));
    for (float& value : found) value = std::clamp(value, 0.0f, 1.0f);
    return found;
}

Grey average(const Kernels& kernels, const Grey& from, int width, int height) {
    return take_across(kernels, take_down(kernels, from, cover(from.height, height)), cover(from.width, width));
}

Grey interpolate(const Kernels& kernels, const Grey& from, int width, int height) {
    return take_down(kernels, take_across(kernels, from, fit_lines(from.width, width)), fit_lines(from.height, height));
}

}  // namespace lenet
