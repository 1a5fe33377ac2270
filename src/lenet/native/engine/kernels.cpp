// The kernels of one instruction set: compiled once for each, with LENET_ISA, LENET_LANES and the compiler's flags.
#include "../reading/fields.hpp"
#include "backward.hpp"
#include "forward.hpp"
#include "line_backward.hpp"
#include "lines.hpp"
#include "network.hpp"
#include "single.hpp"
#include "steps.hpp"
#include "vector.hpp"
#include "warp.hpp"

#define LENET_TEXT(name) LENET_QUOTED(name)
#define LENET_QUOTED(name) #name

namespace lenet::LENET_ISA {

static bool forward(const Network& net, const Layout& at, const float* parameters, const float* images, Field whole, int count,
                    float* memory, float* scores) {
    V* buffers = reinterpret_cast<V*>(memory);
    const int blocks = count > LANES ? 2 : 1;
    V finite{};
    for (int b = 0; b < blocks; ++b) {
        const float* rows[LANES];
        const int here = count - b * LANES < LANES ? count - b * LANES : LANES;
        for (int n = 0; n < here; ++n) rows[n] = images + (b * LANES + n) * whole.area();
        finite += take_images(rows, here, whole, net.margin, buffers);
        convolutions<false>(net, at, parameters, buffers, buffers + b * at.total);
    }
    for (long k = 0; net.margin && k < count * whole.area(); ++k) finite[0] += images[k] * 0.0f;  // unseen, yet refused
    auto nothing = [](int, V*) {};
    if (blocks == 2)
        dense_stages<false, 2>(net, at, parameters, buffers, nothing);
    else
        dense_stages<false, 1>(net, at, parameters, buffers, nothing);
    const long answers = net.outputs * at.field[net.count].area();
    for (int b = 0; b < blocks; ++b) {
        const int here = count - b * LANES < LANES ? count - b * LANES : LANES;
        give_lanes(buffers + b * at.total + at.scores, answers, here, scores + b * LANES * answers);
    }
    return total(finite) == 0.0f;
}

// Twelve sums that only multiply and add: what the machine can do at most.
static float multiply_adds(long rounds) {
    V sums[12], a = broadcast(0.999f), b = broadcast(0.001f);
    for (int i = 0; i < 12; ++i) sums[i] = broadcast(float(i));
    for (long round = 0; round < rounds; ++round)
#pragma GCC unroll 12
        for (int i = 0; i < 12; ++i) sums[i] = sums[i] * a + b;
    V all{};
    for (int i = 0; i < 12; ++i) all += sums[i];
    return total(all);
}

extern const Kernels kernels;
const Kernels kernels = {LENET_TEXT(LENET_ISA), LANES,  forward,          packed_size, pack,      single_size, single,
                         block,                 dense_gradient, update,   online,      curvature, warp,
                         line_packed_size,      line_pack, line_size,     line,        line_back_packed_size, line_back_pack,
                         line_back_size,        line_back, line_gather,   adam,        weigh_rows,  spread, multiply_adds};

}  // namespace lenet::LENET_ISA
