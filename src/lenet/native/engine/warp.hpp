// Distortion of one network input: lenet.engine.warp is its readable twin.
#pragma once

#include "network.hpp"
#include "vector.hpp"

namespace lenet::LENET_ISA {

constexpr int FRAME = FIELD + 2;

// How much each control point of a line of five moves each pixel of a line: cubic B-splines that add up to 1.
struct Splines {
    float share[FIELD][CONTROL];

    Splines() {
        for (int x = 0; x < FIELD; ++x) {
            double sum = 0, near[CONTROL];
            for (int i = 0; i < CONTROL; ++i) {
                double d = double(x) * (CONTROL - 1) / (FIELD - 1) - i;
                d = d < 0 ? -d : d;
                double far = d < 2 ? 2 - d : 0;
                near[i] = d < 1 ? 2.0 / 3 - d * d + d * d * d / 2 : far * far * far / 6;
                sum += near[i];
            }
            for (int i = 0; i < CONTROL; ++i) share[x][i] = float(near[i] / sum);
        }
    }
};

inline int framed(int place) { return place < -1 ? 0 : place > FIELD ? FRAME - 1 : place + 1; }

// A pixel looks at its own place plus an offset: the offset alone is rounded, which keeps 1e-6 of a pixel.
inline void warp(const float* image, const float* d, float* out) {
    static const Splines splines;
    float frame[FRAME * FRAME];
    for (int k = 0; k < FRAME * FRAME; ++k) frame[k] = BACKGROUND;
    for (int y = 0; y < FIELD; ++y)
        for (int x = 0; x < FIELD; x += LANES) store(frame + (y + 1) * FRAME + 1 + x, load(image + y * FIELD + x));
    const float* elastic = d + AFFINE;
    bool bent = false;
    for (int k = 0; k < 2 * CONTROL * CONTROL; ++k) bent |= elastic[k] != 0.0f;
    const float centre = (FIELD - 1) / 2.0f;
    for (int y = 0; y < FIELD; ++y) {
        float right[FIELD], down[FIELD];
        const float v = y - centre;
        for (int x = 0; x < FIELD; ++x) {
            const float u = x - centre;
            right[x] = (d[0] - 1.0f) * u + d[1] * v + d[2];
            down[x] = d[3] * u + (d[4] - 1.0f) * v + d[5];
        }
        for (int j = 0; bent && j < CONTROL; ++j) {
            float pull_right = 0, pull_down = 0;
            for (int i = 0; i < CONTROL; ++i) {
                pull_right += splines.share[y][i] * elastic[i * CONTROL + j];
                pull_down += splines.share[y][i] * elastic[(CONTROL + i) * CONTROL + j];
            }
            for (int x = 0; x < FIELD; ++x) {
                right[x] += splines.share[x][j] * pull_right;
                down[x] += splines.share[x][j] * pull_down;
            }
        }
        for (int x = 0; x < FIELD; ++x) {
            // Beyond 100 pixels all is background; this also keeps the conversion to int defined.
            const float r = right[x] > -100.0f ? (right[x] < 100.0f ? right[x] : 100.0f) : -100.0f;
            const float b = down[x] > -100.0f ? (down[x] < 100.0f ? down[x] : 100.0f) : -100.0f;
            const int left = int(r + 128.0f) - 128, top = int(b + 128.0f) - 128;  // floor
            const float right_share = r - left, bottom_share = b - top;
            const float* upper = frame + framed(y + top) * FRAME;
            const float* lower = frame + framed(y + top + 1) * FRAME;
            const int from = framed(x + left), to = framed(x + left + 1);
            const float above = upper[from] + right_share * (upper[to] - upper[from]);
            const float below = lower[from] + right_share * (lower[to] - lower[from]);
            out[y * FIELD + x] = above + bottom_share * (below - above);
        }
    }
}

}  // namespace lenet::LENET_ISA
