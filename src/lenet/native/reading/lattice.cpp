#include "lattice.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "parameters.hpp"
#include "seams.hpp"

namespace lenet {

namespace {

// A piece: its box, its columns when upright (left, right), its ink in pixels, what its right cut costs, and which
// component of the line it is cut from.
struct Piece {
    std::int32_t box[4];
    double left, right;
    int ink;
    double cut;
    std::size_t component;
};

struct Pixel {
    std::int32_t y, x;
};

// Pixels of one component between two of its cuts, and where their middle is when the line is upright.
struct Share {
    double middle;
    std::vector<Pixel> pixels;
    double cut;
    std::size_t component;
};

void share_out(const LineInk& ink, const TextLine& line, std::size_t component, std::vector<Share>& shares) {
    const std::int32_t *box = ink.boxes + 4 * component, label = ink.own[component];
    const std::size_t corner = std::size_t(box[1]) * ink.width + std::size_t(box[0]);
    const Part part{ink.levels + corner, ink.labels + corner, ink.width, box[3] - box[1], box[2] - box[0], label};
    const std::vector<Seam> cuts = find_seams(part, line.slant, line.height);
    std::vector<Share> own(cuts.size() + 1);
    for (int y = 0; y < part.height; ++y) {
        for (int x = 0; x < part.width; ++x) {
            if (!part.own(y, x)) continue;
            std::size_t number = 0;
            for (const Seam& cut : cuts) number += x + 0.5 > double(cut.columns[std::size_t(y)]);
            own[number].pixels.push_back({box[1] + y, box[0] + x});
        }
    }
    for (std::size_t number = 0; number < own.size(); ++number) {
        Share& share = own[number];
        if (share.pixels.empty()) continue;
        double rows = 0, columns = 0;
        for (const Pixel& each : share.pixels) rows += each.y, columns += each.x;
        const double n = double(share.pixels.size());
        share.middle = columns / n + line.slant * (rows / n - line.middle);
        share.cut = number < cuts.size() ? cuts[number].cost : 0.0;
        share.component = component;
        shares.push_back(std::move(share));
    }
}

Piece take_piece(const Share& share, const TextLine& line) {
    Piece piece{{INT32_MAX, INT32_MAX, 0, 0}, HUGE_VAL, -HUGE_VAL, int(share.pixels.size()), share.cut, share.component};
    for (const Pixel& each : share.pixels) {
        piece.box[0] = std::min(piece.box[0], each.x), piece.box[1] = std::min(piece.box[1], each.y);
        piece.box[2] = std::max(piece.box[2], each.x + 1), piece.box[3] = std::max(piece.box[3], each.y + 1);
        const double upright = each.x + 0.5 + line.slant * (each.y + 0.5 - line.middle);
        piece.left = std::min(piece.left, upright - 0.5), piece.right = std::max(piece.right, upright + 0.5);
    }
    return piece;
}

// Where the run of pieces that begins with each one ends if it is a whole component, or 0.
std::vector<std::size_t> find_whole(const std::vector<Piece>& found, std::size_t components) {
    std::vector<std::size_t> counts(components), ends(found.size());
    for (const Piece& piece : found) ++counts[piece.component];
    for (std::size_t first = 0, past = 0; first < found.size(); first = past) {
        while (past < found.size() && found[past].component == found[first].component) ++past;
        if (past - first == counts[found[first].component]) ends[first] = past;
    }
    return ends;
}

// The runs of a line's pieces that begin with one and may be a digit. A component that is whole is one at any width.
void propose_runs(const std::vector<Piece>& found, std::size_t first, std::size_t whole, const TextLine& line, int number, Runs& runs) {
    std::int32_t x0 = found[first].box[0], y0 = found[first].box[1], x1 = found[first].box[2], y1 = found[first].box[3];
    double left = found[first].left, right = found[first].right, inside = 0, gap = 0;
    long ink = 0;
    const std::size_t most = std::min(found.size(), first + std::size_t(LATTICE.most_pieces));
    bool narrow = true;
    for (std::size_t past = first + 1; past <= std::max(whole, most); ++past) {
        const Piece& piece = found[past - 1];
        x0 = std::min(x0, piece.box[0]), y0 = std::min(y0, piece.box[1]), x1 = std::max(x1, piece.box[2]), y1 = std::max(y1, piece.box[3]);
        gap = std::max(gap, piece.left - right);
        left = std::min(left, piece.left), right = std::max(right, piece.right);
        if (past > first + 1) {
            inside += found[past - 2].cut;
            narrow = narrow && right - left <= (gap <= LATTICE.gap * line.height ? LATTICE.widest : LATTICE.widest_with_gap) * line.height;
        }
        ink += piece.ink;
        if (past != whole && !(narrow && past <= most)) {
            if (past > whole) return;
            continue;
        }
        const double middle = line.middle + line.rise * ((left + right) / 2);
        const double shape[SHAPES] = {(y1 - y0) / line.height,
                                      (right - left) / line.height,
                                      ((y0 + y1) / 2.0 - middle) / line.height,
                                      double(ink) / (line.height * line.height),
                                      first ? found[first - 1].cut : 0.0,
                                      piece.cut,
                                      inside,
                                      gap / line.height,
                                      double(past - first)};
        runs.arcs.insert(runs.arcs.end(), {number + int(first), number + int(past)});
        runs.boxes.insert(runs.boxes.end(), {x0, y0, x1, y1});
        for (const double each : shape) runs.shapes.push_back(float(each));
    }
}

}  // namespace

double estimate_slant(const LineInk& ink, const std::vector<double>& slants, double column, int samples) {
    std::vector<double> x, y, upright;
    for (std::size_t k = 0; k < ink.count; ++k) {
        const std::int32_t* box = ink.boxes + 4 * k;
        std::vector<Pixel> own;
        for (std::int32_t row = box[1]; row < box[3]; ++row)
            for (std::int32_t place = box[0]; place < box[2]; ++place)
                if (ink.labels[std::size_t(row) * ink.width + std::size_t(place)] == ink.own[k]) own.push_back({row, place});
        const std::size_t step = std::max(std::size_t(1), own.size() * ink.count / std::size_t(samples));
        for (std::size_t p = 0; p < own.size(); p += step) x.push_back(own[p].x), y.push_back(own[p].y);
    }
    if (x.empty()) return 0;
    double middle = 0, best = 0, sharpest = -1;
    for (const double each : y) middle += each;
    middle /= double(y.size());
    std::vector<long> counts;
    for (const double slant : slants) {
        upright.clear();
        for (std::size_t p = 0; p < x.size(); ++p) upright.push_back((x[p] + slant * (y[p] - middle)) / column);
        const auto [low, high] = std::minmax_element(upright.begin(), upright.end());
        const double lowest = *low;
        counts.assign(std::size_t(*high - lowest) + 1, 0);
        for (const double each : upright) ++counts[std::size_t(each - lowest)];
        double sharpness = 0;
        for (const long count : counts) sharpness += double(count) * double(count);
        // Upright by default: a slant must pay.
        sharpness /= 1 + TEXT_LINE.upright * std::abs(slant);
        if (sharpness > sharpest) sharpest = sharpness, best = slant;
    }
    return best;
}

Runs cut_line(const LineInk& ink, const TextLine& line, int first, int most, std::int32_t* pieces) {
    std::vector<Share> shares;
    for (std::size_t k = 0; k < ink.count; ++k) share_out(ink, line, k, shares);
    std::stable_sort(shares.begin(), shares.end(), [](const Share& one, const Share& other) { return one.middle < other.middle; });
    Runs runs;
    runs.pieces = int(shares.size());
    std::vector<Piece> found;
    for (int k = 0; k < runs.pieces && k < most; ++k) {
        for (const Pixel& each : shares[std::size_t(k)].pixels) pieces[std::size_t(each.y) * ink.width + std::size_t(each.x)] = first + k;
        found.push_back(take_piece(shares[std::size_t(k)], line));
    }
    const std::vector<std::size_t> wholes = find_whole(found, ink.count);
    for (std::size_t begin = 0; begin < found.size(); ++begin) propose_runs(found, begin, wholes[begin], line, first, runs);
    return runs;
}

}  // namespace lenet
