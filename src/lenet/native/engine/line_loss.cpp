#include "line_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lenet {

namespace {

constexpr double NEVER = -std::numeric_limits<double>::infinity();

// The logarithm of the sum of three probabilities given by theirs.
double add(double a, double b, double c) {
    const double most = std::max(a, std::max(b, c));
    if (most == NEVER) return NEVER;
    return most + std::log(std::exp(a - most) + std::exp(b - most) + std::exp(c - most));
}

}  // namespace

double line_loss(const LineScores& line, int columns, const int* text, int count, float weight, float* d_scores, Alignments& room) {
    const int k = line.labels, nothing = k - 1, states = 2 * count + 1;
    std::fill(d_scores, d_scores + long(line.places) * line.columns * k, 0.0f);
    if (columns < 1) return 0;
    room.log_probs.resize(long(columns) * k);
    room.forward.assign(long(columns) * states, NEVER);
    room.backward.assign(long(columns) * states, NEVER);
    for (int t = 0; t < columns; ++t) {
        double* log_probs = room.log_probs.data() + long(t) * k;
        double most = NEVER, sum = 0;
        for (int label = 0; label < k; ++label) most = std::max(most, log_probs[label] = line.scores[line.at(t, label)]);
        for (int label = 0; label < k; ++label) sum += std::exp(log_probs[label] - most);
        const double total = most + std::log(sum);
        for (int label = 0; label < k; ++label) log_probs[label] -= total;
    }
    // Nothing stands before, between and behind labels; between two that differ it may be left out.
    const auto label = [&](int s) { return s % 2 ? text[s / 2] : nothing; };
    const auto skips = [&](int s) { return s % 2 && s > 1 && text[s / 2] != text[s / 2 - 1]; };
    const auto said = [&](int t, int s) { return room.log_probs[long(t) * k + label(s)]; };
    double* forward = room.forward.data();
    double* backward = room.backward.data();
    for (int s = 0; s < std::min(2, states); ++s) forward[s] = said(0, s);
    for (int t = 1; t < columns; ++t) {
        const double* before = forward + long(t - 1) * states;
        double* now = forward + long(t) * states;
        for (int s = 0; s < std::min(states, 2 * t + 2); ++s)
            now[s] = add(before[s], s > 0 ? before[s - 1] : NEVER, skips(s) ? before[s - 2] : NEVER) + said(t, s);
    }
    const double* last = forward + long(columns - 1) * states;
    const double all = add(last[states - 1], states > 1 ? last[states - 2] : NEVER, NEVER);
    if (!(all > NEVER)) return 0;
    for (int s = std::max(0, states - 2); s < states; ++s) backward[long(columns - 1) * states + s] = 0;
    for (int t = columns - 2; t >= 0; --t) {
        const double* after = backward + long(t + 1) * states;
        double* now = backward + long(t) * states;
        const auto ways = [&](int s) { return s < states ? after[s] + said(t + 1, s) : NEVER; };
        for (int s = std::max(0, states - 2 * (columns - t)); s < states; ++s)
            now[s] = add(ways(s), ways(s + 1), s + 2 < states && skips(s + 2) ? ways(s + 2) : NEVER);
    }
    const double scale = weight / (count + 1);
    for (int t = 0; t < columns; ++t) {
        for (int l = 0; l < k; ++l) d_scores[line.at(t, l)] = float(scale * std::exp(room.log_probs[long(t) * k + l]));
        for (int s = 0; s < states; ++s) {
            const double share = forward[long(t) * states + s] + backward[long(t) * states + s] - all;
            if (share > NEVER) d_scores[line.at(t, label(s))] -= float(scale * std::exp(share));
        }
    }
    return -all / (count + 1);
}

}  // namespace lenet
