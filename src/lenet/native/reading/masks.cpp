#include "masks.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace lenet {

Disc make_disc(int radius) {
    Disc disc{radius, {}};
    for (int away = 0; away <= radius; ++away)
        disc.reach[away] = int(std::nearbyint(radius * std::sqrt((double(radius) * radius - double(away) * away) / (double(radius) * radius))));
    return disc;
}

Mask grow(const Mask& mask, int height, int width, int radius) {
    const Disc disc = make_disc(radius);
    const std::size_t w = std::size_t(width);
    Mask grown(mask.size(), 0);
    // A row and the same reaching so far across, with a margin on both sides.
    std::vector<Mask> reached(std::size_t(radius) + 1, Mask(w + 2, 0));
    for (int y = 0; y < height; ++y) {
        const std::uint8_t* row = mask.data() + std::size_t(y) * w;
        if (std::none_of(row, row + width, [](std::uint8_t each) { return each; })) continue;
        std::copy_n(row, width, reached[0].data() + 1);
        for (std::size_t reach = 1; reach < reached.size(); ++reach) {
            const std::uint8_t* less = reached[reach - 1].data() + 1;
            std::uint8_t* more = reached[reach].data() + 1;
            for (int x = 0; x < width; ++x) more[x] = less[x - 1] | less[x] | less[x + 1];
        }
        for (int to = std::max(0, y - radius); to <= std::min(height - 1, y + radius); ++to) {
            const std::uint8_t* from = reached[std::size_t(disc.reach[std::abs(to - y)])].data() + 1;
            std::uint8_t* here = grown.data() + std::size_t(to) * w;
            for (int x = 0; x < width; ++x) here[x] |= from[x];
        }
    }
    return grown;
}

Mask keep_connected(const Mask& weak, const Mask& strong, int height, int width) {
    Mask kept(weak.size(), 0);
    std::vector<std::size_t> open;
    const auto visit = [&](std::size_t place) {
        if (weak[place] && !kept[place]) {
            kept[place] = 1;
            open.push_back(place);
        }
    };
    for (std::size_t place = 0; place < strong.size(); ++place)
        if (strong[place]) visit(place);
    const std::size_t w = std::size_t(width);
    while (!open.empty()) {
        const std::size_t place = open.back();
        open.pop_back();
        const int x = int(place % w), y = int(place / w);
        for (int down = std::max(0, y - 1); down <= std::min(height - 1, y + 1); ++down)
            for (int across = std::max(0, x - 1); across <= std::min(width - 1, x + 1); ++across) visit(std::size_t(down) * w + std::size_t(across));
    }
    return kept;
}

}  // namespace lenet
