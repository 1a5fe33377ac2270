#include "network.hpp"

namespace lenet {

Layout::Layout(const Network& net, Field whole, bool keep) : kept(keep) {
    long at = 0;
    field[0] = whole.inside(net.margin);
    for (int s = 0; s < net.count; ++s) {
        const Stage& stage = net.stages[s];
        input[s] = at;
        at += stage.maps_in * field[s].area();
        sums[s] = at;
        if (keep && !stage.dense) at += stage.maps * field[s].convolved(stage).area();
        field[s + 1] = field[s].after(stage);
    }
    input[net.count] = scores = at;
    at += net.last().maps * field[net.count].area();
    if (net.codes) {
        scores = at;
        at += net.outputs * field[net.count].area();
    }
    spare = at;
    long longest = 0;
    for (int s = 0; s < net.count; ++s) {
        const long needed = net.stages[s].dense ? net.stages[s].inputs() : 6L * field[s].convolved(net.stages[s]).width;
        if (needed > longest) longest = needed;
    }
    total = at + longest;
}

}  // namespace lenet
