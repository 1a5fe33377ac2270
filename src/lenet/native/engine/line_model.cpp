#include "line_model.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "threads.hpp"

namespace lenet {

namespace {

// No kernel, padding or window has a side longer than this.
constexpr int LONGEST_SIDE = 32;

void check(const LineStage& s) {
    const auto within = [](int value, int least, int most) { return value >= least && value <= most; };
    if (!within(s.maps, 1, MOST_LINE_MAPS)) throw std::invalid_argument("a layer with no maps, or too many");
    if (!within(s.rows, 1, LONGEST_SIDE) || !within(s.columns, 1, LONGEST_SIDE)) throw std::invalid_argument("a kernel of no size, or too large");
    if (!within(s.above, 0, s.rows) || !within(s.beside, 0, s.columns)) throw std::invalid_argument("padding below 0, or more than the kernel");
    if (!within(s.down, 1, LONGEST_SIDE) || !within(s.across, 1, LONGEST_SIDE)) throw std::invalid_argument("a window of no size, or too large");
}

}  // namespace

LineDescription::LineDescription(std::vector<LineStage> stages, int height) {
    if (stages.empty() || stages.size() > std::size_t(MOST_LINE_STAGES)) throw std::invalid_argument("no layers, or too many");
    if (height < 1 || height > FIELD * LONGEST_SIDE) throw std::invalid_argument("a line of no height, or too high");
    network_.height = height;
    int maps = 1;
    for (LineStage s : stages) {
        check(s);
        s.maps_in = maps;
        s.weight = network_.parameters;
        s.bias = s.weight + s.maps * s.inputs();
        network_.parameters = s.bias + s.maps;
        maps = s.maps;
        network_.stages[network_.count++] = s;
    }
    if (field(1 << 20).height < 1) throw std::invalid_argument("layers that leave nothing of a line's height");
    while (field(narrowest_).width < 1) ++narrowest_;
}

LineField LineDescription::field(int width) const {
    LineField f{network_.height, width};
    for (int s = 0; s < network_.count; ++s) {
        f = f.after(network_.stages[s]);
        if (f.height < 1 || f.width < 1) return {0, 0};
    }
    return f;
}

LineModel::LineModel(const LineDescription& description, const float* parameters, long count, const Kernels& kernels)
    : description_(description), kernels_(kernels) {
    const LineNetwork& net = description_.network();
    if (count != net.parameters) throw std::invalid_argument("parameters: not as many as the network has");
    packed_ = Floats(kernels_.line_packed_size(net), Use::hot);
    kernels_.line_pack(net, parameters, packed_.data());
}

bool LineModel::forward(const float* images, int width, long count, float* scores, int threads) const {
    const LineNetwork& net = description_.network();
    const long image = long(net.height) * width, answers = net.last().maps * description_.field(width).area();
    std::atomic<long> next{0};
    std::atomic<bool> finite{true};
    on_threads(int(std::max<long>(1, std::min<long>(threads, count))), [&](Barrier&) {
        float* buffers = thread_buffer(kernels_.line_size(net, width, false));
        for (long n; (n = next++) < count;)
            if (!kernels_.line(net, packed_.data(), images + n * image, width, false, buffers, scores + n * answers)) finite = false;
    });
    return finite;
}

}  // namespace lenet
