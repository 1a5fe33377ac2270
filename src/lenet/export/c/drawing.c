/* The twin of lenet/preprocessing/binarize.py, lenet/segmentation/components.py and glyphs.py, for a clean drawing: by
 * their names and in their order. The numbers (LENET_...) are theirs too; lenet export writes them above. */
#include "drawing.h"

enum { BOX = 20, SIZE = 28, EDGE = 2, MOST_RADIUS = BOX * LENET_FINE / 4 };
enum { LARGEST = BOX * LENET_FINE + 8 + 2 * MOST_RADIUS };

typedef struct {
    int left, top, right, bottom; /* right and bottom exclusive */
} box;

/* Floats of a picture, a row after the other. */
typedef struct {
    int width, height;
    float *at;
} picture;

typedef struct {
    int width, height;
    unsigned char *levels, *mask;
    int *labels;                      /* of components, 0 for paper; later distances */
    float *one, *other, *rows, *third; /* pictures, and what stands between two passes of a resize */
} room;

static long most(long a, long b)
{
    return a > b ? a : b;
}

static long least(long a, long b)
{
    return a < b ? a : b;
}

static int nearest(double x)
{
    /* To the nearest whole number, halves to the even one, as rint does. */
    double down = (double)(long)x - ((double)(long)x > x);
    double part = x - down;
    long whole = (long)down;
    return (int)(part > 0.5 || (part == 0.5 && whole % 2) ? whole + 1 : whole);
}

static int floor_of(double x)
{
    int whole = (int)x;
    return whole - (whole > x);
}

static float root_of(double x)
{
    double r = x > 1 ? x : 1;
    int k;
    for (k = 0; k < 60; k++)
        r = 0.5 * (r + x / r);
    return (float)r;
}

static unsigned long pixels_of(int width, int height)
{
    return (unsigned long)most((long)width * height, (long)LARGEST * LARGEST);
}

unsigned long drawing_memory(int width, int height)
{
    unsigned long n = pixels_of(width, height);
    return n * (4 * sizeof(float) + sizeof(int) + 2) + 64;
}

static room furnish(void *memory, int width, int height)
{
    unsigned long n = pixels_of(width, height);
    room own;
    own.width = width;
    own.height = height;
    own.one = (float *)memory;
    own.other = own.one + n;
    own.rows = own.other + n;
    own.third = own.rows + n;
    own.labels = (int *)(own.third + n);
    own.levels = (unsigned char *)(own.labels + n);
    own.mask = own.levels + n;
    return own;
}

/* The value that `share` per cent of counted greys do not surpass; those above `from` count. */
static double percentile(const long *counts, int from, double share)
{
    long n = 0, seen = 0, low;
    double at, below = 0;
    int grey, has = 0;
    for (grey = from; grey < 256; grey++)
        n += counts[grey];
    if (!n)
        return 0;
    at = share / 100 * (double)(n - 1);
    low = (long)at;
    for (grey = from; grey < 256; grey++) {
        seen += counts[grey];
        if (!has && seen > low) {
            below = grey;
            has = 1;
        }
        if (seen > least(low + 1, n - 1))
            return below + (at - (double)low) * (grey - below);
    }
    return below;
}

/* The grey that a large share of the pixels has, within a little; -1 if there is none. */
static int find_flat_paper(const long *counts)
{
    long sums[256], all = 0;
    int grey, near, paper = 0, first;
    for (grey = 0; grey < 256; grey++) {
        all += counts[grey];
        sums[grey] = 0;
        for (near = (int)most(0, grey - LENET_SAME_GREY); near <= least(255, grey + LENET_SAME_GREY); near++)
            sums[grey] += counts[near];
        if (sums[grey] > sums[paper])
            paper = grey;
    }
    if ((double)sums[paper] < LENET_FLAT_SHARE * (double)all)
        return -1;
    first = (int)most(0, paper - LENET_SAME_GREY);
    for (grey = near = first; near <= least(255, paper + LENET_SAME_GREY); near++)
        if (counts[near] > counts[grey])
            grey = near;
    return grey;
}

/* Label the ink that hangs together, corners included, from 1 on; `stack` has room for every pixel. Returns how many. */
static int label(const room *own, int *stack)
{
    const int width = own->width, height = own->height;
    int count = 0, place, x, y;
    for (place = 0; place < width * height; place++)
        own->labels[place] = 0;
    for (place = 0; place < width * height; place++) {
        long open = 0;
        if (!own->mask[place] || own->labels[place])
            continue;
        count++;
        stack[open++] = place;
        own->labels[place] = count;
        while (open) {
            const int here = stack[--open];
            for (y = (int)most(0, here / width - 1); y <= least(height - 1, here / width + 1); y++)
                for (x = (int)most(0, here % width - 1); x <= least(width - 1, here % width + 1); x++)
                    if (own->mask[y * width + x] && !own->labels[y * width + x]) {
                        own->labels[y * width + x] = count;
                        stack[open++] = y * width + x;
                    }
        }
    }
    return count;
}

/* Find the ink: its levels, where strokes are (`mask`), their components (`labels`). Returns how many. */
static int find_ink(const room *own, const unsigned char *page)
{
    const int width = own->width, height = own->height;
    const long size = (long)width * height;
    long counts[256] = {0}, stood[2][256] = {{0}}, place, kept[256] = {0};
    double cubes[2] = {0, 0}, squares = 0, full, weak, strong, usual;
    int step = (int)root_of((double)size / LENET_SAMPLES), x, y, paper, sign, all, label_count, k, any = 0;
    step = step < 1 ? 1 : step;
    for (y = 0; y < height; y += step)
        for (x = 0; x < width; x += step)
            counts[page[(long)y * width + x]]++;
    paper = find_flat_paper(counts);
    if (paper < 0)
        return 0;
    /* Some of the pixels tell, or all where none of those is ink. */
    for (all = 0; all < 2 && !any; all++) {
        const int by = all ? 1 : step;
        for (k = 0; k < 256; k++)
            stood[0][k] = stood[1][k] = 0;
        for (y = 0; y < height; y += by)
            for (x = 0; x < width; x += by) {
                const int far = page[(long)y * width + x] - paper;
                if (far > LENET_LEAST_CONTRAST)
                    stood[1][far]++, any = 1;
                if (-far > LENET_LEAST_CONTRAST)
                    stood[0][-far]++, any = 1;
            }
    }
    if (!any)
        return 0;
    for (sign = 0; sign < 2; sign++)
        for (k = 0; k < 256; k++)
            cubes[sign] += (double)stood[sign][k] * k * k * k;
    sign = cubes[1] > cubes[0];
    for (k = 0; k < 256; k++)
        squares += (double)stood[sign][k] * k * k;
    full = cubes[sign] / squares;
    weak = LENET_WEAK * full > LENET_WEAK_SIGMAS * LENET_LEAST_NOISE ? LENET_WEAK * full : LENET_WEAK_SIGMAS * LENET_LEAST_NOISE;
    strong = LENET_STRONG * full > LENET_LEAST_CONTRAST ? LENET_STRONG * full : LENET_LEAST_CONTRAST;
    for (place = 0; place < size; place++) {
        const int far = sign ? page[place] - paper : paper - page[place];
        own->levels[place] = (unsigned char)(far > 0 ? far : 0);
        own->mask[place] = far > weak;
    }
    label_count = label(own, (int *)own->third);
    /* Weak ink stays where it hangs together with strong ink. */
    {
        unsigned char *strongly = (unsigned char *)own->third;
        for (k = 0; k <= label_count; k++)
            strongly[k] = 0;
        for (place = 0; place < size; place++)
            if (own->levels[place] > strong)
                strongly[own->labels[place]] = 1;
        strongly[0] = 0;
        for (place = 0; place < size; place++)
            if (own->mask[place] && !strongly[own->labels[place]]) {
                own->mask[place] = 0;
                own->labels[place] = 0;
            }
    }
    for (place = 0; place < size; place++)
        if (own->mask[place])
            kept[own->levels[place]]++;
    usual = percentile(kept, 0, LENET_FULL);
    full = percentile(kept, 0, LENET_DARKEST) > LENET_PALE_PRINT * usual ? percentile(kept, 0, LENET_DARKEST) : usual;
    full = full > LENET_LEAST_CONTRAST ? full : LENET_LEAST_CONTRAST;
    for (place = 0; place < size; place++) {
        const int ink = nearest((float)own->levels[place] * (float)(255 / full));
        own->levels[place] = (unsigned char)(ink > 255 ? 255 : ink);
    }
    return label_count;
}

/* How far a disc reaches across, so many rows from its middle. */
static int reach_of(int radius, int away)
{
    return nearest(radius * (double)root_of(((double)radius * radius - (double)away * away) / ((double)radius * radius)));
}

/* Mark the components that are large enough, or near enough to the largest, to be part of one digit. Returns the box. */
static box drop_specks(const room *own, int count)
{
    const int width = own->width, height = own->height;
    box *boxes = (box *)own->one, whole, large;
    int *dark = (int *)own->other, k, x, y, largest = 0, seen = 0;
    whole.left = width, whole.top = height, whole.right = whole.bottom = 0;
    for (k = 0; k <= count; k++) {
        boxes[k] = whole;
        dark[k] = 0;
    }
    for (y = 0; y < height; y++)
        for (x = 0; x < width; x++) {
            const int own_label = own->labels[(long)y * width + x];
            box *around = boxes + own_label;
            if (!own_label)
                continue;
            around->left = (int)least(around->left, x), around->right = (int)most(around->right, x + 1);
            around->top = (int)least(around->top, y), around->bottom = (int)most(around->bottom, y + 1);
            dark[own_label] += own->levels[(long)y * width + x] > LENET_DARK;
        }
    for (k = 1; k <= count; k++) {
        seen += boxes[k].bottom > 0;
        if (dark[k] > dark[largest] || !largest)
            largest = k;
    }
    if (!largest)
        return whole;
    large = boxes[largest];
    for (k = 1; k <= count; k++) {
        const box each = boxes[k];
        const long across = most(each.left - large.right, large.left - each.right);
        const long down = most(each.top - large.bottom, large.top - each.bottom);
        const double reach = LENET_NEAR * (double)most(large.right - large.left, large.bottom - large.top);
        double share = ((double)most(across, down) <= reach ? LENET_NEAR_SPECK : LENET_SPECK) * dark[largest];
        if (seen == 1 || share < LENET_FEWEST)
            share = LENET_FEWEST;
        if (!each.bottom || dark[k] < share) {
            boxes[k].bottom = 0;
            continue;
        }
        whole.left = (int)least(whole.left, each.left), whole.right = (int)most(whole.right, each.right);
        whole.top = (int)least(whole.top, each.top), whole.bottom = (int)most(whole.bottom, each.bottom);
    }
    for (y = 0; y < height; y++)
        for (x = 0; x < width; x++) {
            const long place = (long)y * width + x;
            own->mask[place] = own->labels[place] && boxes[own->labels[place]].bottom;
        }
    return whole;
}

/* Cut out the ink of the digit, 0 to 1, with its soft edge and without its neighbours' ink, to `out`. */
static picture crop(const room *own, box whole, float *out)
{
    const int width = own->width, height = own->height;
    box area, sure;
    picture ink;
    int x, y, away, at;
    area.left = (int)most(0, whole.left - EDGE), area.right = (int)least(width, whole.right + EDGE);
    area.top = (int)most(0, whole.top - EDGE), area.bottom = (int)least(height, whole.bottom + EDGE);
    sure.left = area.right, sure.right = 0, sure.top = area.bottom, sure.bottom = 0;
    ink.width = area.right - area.left;
    ink.at = out;
    for (y = area.top; y < area.bottom; y++)
        for (x = area.left; x < area.right; x++) {
            const long place = (long)y * width + x;
            int near = 0;
            for (away = -EDGE; away <= EDGE && !near; away++) {
                const int far = reach_of(EDGE, away < 0 ? -away : away);
                if (y + away < 0 || y + away >= height)
                    continue;
                for (at = (int)most(0, x - far); at <= least(width - 1, x + far); at++)
                    near |= own->mask[(long)(y + away) * width + at];
            }
            out[(long)(y - area.top) * ink.width + x - area.left] = near ? (float)own->levels[place] / 255.0f : 0.0f;
            if (near && own->levels[place]) {
                sure.left = (int)least(sure.left, x), sure.right = (int)most(sure.right, x + 1);
                sure.top = (int)least(sure.top, y), sure.bottom = (int)most(sure.bottom, y + 1);
            }
        }
    if (!sure.bottom) {
        ink.width = ink.height = 1;
        out[0] = 0;
        return ink;
    }
    ink.height = sure.bottom - sure.top;
    for (y = 0; y < ink.height; y++)
        for (x = 0; x < sure.right - sure.left; x++)
            out[(long)y * (sure.right - sure.left) + x] = out[(long)(y + sure.top - area.top) * ink.width + x + sure.left - area.left];
    ink.width = sure.right - sure.left;
    return ink;
}

/* What one pixel takes of a row or a column: some neighbours from a first one on, each times its weight. */
typedef struct {
    int first, many;
    float weights[4];
    float inner; /* of all but the first and the last, where there are more than four */
} taps;

static taps cubic(int place, int from, double scale)
{
    const float A = -0.75f, at = (float)((place + 0.5) * scale - 0.5);
    const int first = floor_of(at);
    const float x = at - (float)first, y = 1 - x;
    float own[4];
    taps found = {0, 0, {0}, 0};
    int k;
    own[0] = ((A * (x + 1) - 5 * A) * (x + 1) + 8 * A) * (x + 1) - 4 * A;
    own[1] = ((A + 2) * x - (A + 3)) * x * x + 1;
    own[2] = ((A + 2) * y - (A + 3)) * y * y + 1;
    own[3] = 1 - own[0] - own[1] - own[2];
    found.first = (int)most(0, least(from - 1, first - 1));
    found.many = (int)most(0, least(from - 1, first + 2)) - found.first + 1;
    for (k = 0; k < 4; k++)
        found.weights[(int)most(0, least(from - 1, first - 1 + k)) - found.first] += own[k];
    return found;
}

static taps linear(int place, int from, double scale)
{
    taps found = {0, 1, {0}, 0};
    float part;
    found.first = floor_of(place * scale);
    part = (float)((place + 1) - (found.first + 1) / scale);
    part = part <= 0 ? 0.0f : part - (float)floor_of(part);
    if (found.first >= from - 1)
        found.first = from - 1, part = 0;
    found.weights[0] = 1 - part;
    if (part > 0)
        found.weights[1] = part, found.many = 2;
    return found;
}

static taps area(int place, int from, double scale)
{
    const double edge = 1e-3, begin = place * scale, end = begin + scale;
    const double whole = scale < from - begin ? scale : from - begin;
    const int past = (int)least(floor_of(end), from - 1), ceiling = floor_of(begin) + (floor_of(begin) < begin);
    const int first = (int)least(ceiling, past), before = first - begin > edge, behind = end - past > edge;
    double rest = end - past < 1 ? end - past : 1;
    taps found = {0, 0, {0}, 0};
    rest = rest < whole ? rest : whole;
    found.first = before ? first - 1 : first;
    found.many = before + (past - first) + behind;
    found.inner = (float)(1 / whole);
    found.weights[0] = before ? (float)((first - begin) / whole) : found.inner;
    found.weights[1] = behind ? (float)(rest / whole) : found.inner;
    if (!before && past == first)
        found.weights[0] = found.weights[1];
    return found;
}

enum { CUBIC, LINEAR, AREA };

/* Resize along one side: `step` is from one value to the next of a line, `next` from one line to the next. */
static void resize_lines(const float *from, int length, int lines, int step, int next, int to, int to_step, int to_next, double scale, int how,
                         float *out)
{
    int place, line, k;
    for (place = 0; place < to; place++) {
        const taps own = how == CUBIC ? cubic(place, length, scale) : how == LINEAR ? linear(place, length, scale) : area(place, length, scale);
        for (line = 0; line < lines; line++) {
            const float *in = from + (long)line * next + (long)own.first * step;
            float sum = 0;
            for (k = 0; k < own.many; k++) {
                const float weight = how != AREA ? own.weights[k] : k == 0 ? own.weights[0] : k == own.many - 1 ? own.weights[1] : own.inner;
                sum += in[(long)k * step] * weight;
            }
            out[(long)line * to_next + (long)place * to_step] = sum;
        }
    }
}

/* Resize to (width, height): averaged when it shrinks, bicubic when it grows, the same when it fits. */
static picture resize(picture ink, int width, int height, double across, double down, float *rows, float *out)
{
    const int shrinks = (long)width * height < (long)ink.width * ink.height;
    const int how = !shrinks ? CUBIC : width <= ink.width && height <= ink.height ? AREA : LINEAR;
    picture found;
    long k;
    if (width == ink.width && height == ink.height)
        return ink;
    found.width = width, found.height = height, found.at = out;
    if (how == CUBIC) {
        resize_lines(ink.at, ink.width, ink.height, 1, ink.width, width, 1, width, across, how, rows);
        resize_lines(rows, ink.height, width, width, 1, height, width, 1, down, how, out);
        for (k = 0; k < (long)width * height; k++)
            out[k] = out[k] < 0 ? 0 : out[k] > 1 ? 1 : out[k];
    } else {
        resize_lines(ink.at, ink.height, ink.width, ink.width, 1, height, ink.width, 1, down, how, rows);
        resize_lines(rows, ink.width, height, 1, ink.width, width, 1, width, across, how, out);
    }
    return found;
}

static picture fit(picture ink, int width, int height, float *rows, float *out)
{
    return resize(ink, width, height, (double)ink.width / width, (double)ink.height / height, rows, out);
}

/* The mean width of the strokes: across a stroke of width w the distance to its edge is w / 4 on average. */
static double measure_stroke_width(const room *own, picture ink, int height)
{
    /* Steps of a distance, as OpenCV's 5x5 mask has them: straight, aslant, a knight's; in parts of 65,536. */
    const int straight = 65536, aslant = 91750, knight = 143976, far = 1 << 29;
    double enlarged = (double)(LENET_FINE * BOX) / height, sum = 0;
    const double room_for = root_of((double)LENET_MOST_ENLARGED / ((double)ink.width * ink.height));
    int *distance = own->labels, x, y, stride;
    long n = 0;
    enlarged = enlarged < room_for ? enlarged : room_for;
    if (enlarged > 1)
        ink = resize(ink, nearest(ink.width * enlarged), nearest(ink.height * enlarged), 1 / enlarged, 1 / enlarged, own->rows, own->other);
    else
        enlarged = 1;
    stride = ink.width + 4;
#define AT(y, x) distance[(long)((y) + 2) * stride + (x) + 2]
    for (y = -2; y < ink.height + 2; y++)
        for (x = -2; x < ink.width + 2; x++) {
            const int inside = y >= 0 && y < ink.height && x >= 0 && x < ink.width;
            AT(y, x) = inside && ink.at[(long)y * ink.width + x] > LENET_HALF ? far : 0;
        }
    for (y = 0; y < ink.height; y++)
        for (x = 0; x < ink.width; x++)
            if (AT(y, x)) {
                long here = far;
                here = least(here, AT(y - 2, x - 1) + knight), here = least(here, AT(y - 2, x + 1) + knight);
                here = least(here, AT(y - 1, x - 2) + knight), here = least(here, AT(y - 1, x - 1) + aslant);
                here = least(here, AT(y - 1, x) + straight), here = least(here, AT(y - 1, x + 1) + aslant);
                here = least(here, AT(y - 1, x + 2) + knight), here = least(here, AT(y, x - 1) + straight);
                AT(y, x) = (int)here;
            }
    for (y = ink.height - 1; y >= 0; y--)
        for (x = ink.width - 1; x >= 0; x--)
            if (AT(y, x)) {
                long here = AT(y, x);
                here = least(here, AT(y + 2, x + 1) + knight), here = least(here, AT(y + 2, x - 1) + knight);
                here = least(here, AT(y + 1, x + 2) + knight), here = least(here, AT(y + 1, x + 1) + aslant);
                here = least(here, AT(y + 1, x) + straight), here = least(here, AT(y + 1, x - 1) + aslant);
                here = least(here, AT(y + 1, x - 2) + knight), here = least(here, AT(y, x + 1) + straight);
                AT(y, x) = (int)here;
                sum += (double)here / 65536;
                n++;
            }
#undef AT
    return n ? 4 * (sum / (double)n - 0.5) / enlarged : 0.0;
}

/* By how many of its pixels to broaden ink so high, if MNIST's strokes are hardly so thin or so thick. */
static double choose_broadening(double width, int height)
{
    const double scale = (double)BOX / height;
    if (LENET_THINNEST <= width * scale && width * scale <= LENET_THICKEST)
        return 0;
    return (width * scale < LENET_THINNEST ? LENET_THIN_TARGET : LENET_THICK_TARGET) / scale - width;
}

static int side_of(double length)
{
    return (int)most(1, nearest(length));
}

/* The strokes of fine ink, in levels, broader or narrower by a disc; the ink grows on each side. */
static picture spread(const room *own, picture fine, int broader, int radius)
{
    const int grown = broader ? radius : 0, width = fine.width + 2 * grown, height = fine.height + 2 * grown;
    const unsigned char *from = own->levels;
    picture found;
    int x, y, away, at;
    found.width = width, found.height = height, found.at = own->third;
    for (y = 0; y < height; y++)
        for (x = 0; x < width; x++) {
            int value = broader ? 0 : 255;
            for (away = -radius; away <= radius; away++) {
                const int row = y - grown + away, far = reach_of(radius, away < 0 ? -away : away);
                for (at = x - grown - far; at <= x - grown + far; at++) {
                    const int inside = row >= 0 && row < fine.height && at >= 0 && at < fine.width;
                    const int level = inside ? from[(long)row * fine.width + at] : 0;
                    value = (int)(broader ? most(value, level) : least(value, level));
                }
            }
            found.at[(long)y * width + x] = (float)value;
        }
    return found;
}

/* Scale ink to a longer side of 20; strokes are made broader or narrower at 8 times that size. */
static picture scale_ink(const room *own, picture ink, double broader)
{
    const double scale = (double)BOX / (double)most(ink.width, ink.height);
    const int width = side_of(ink.width * scale), height = side_of(ink.height * scale);
    const int limit = (int)(LENET_TRACE * 255);
    picture fine, wide;
    box traced;
    int radius, x, y;
    double again, by;
    if (broader == 0 || least(width, height) < 3)
        return fit(ink, width, height, own->rows, own->other);
    fine = fit(ink, width * LENET_FINE, height * LENET_FINE, own->rows, own->other);
    for (x = 0; x < fine.width * fine.height; x++)
        own->levels[x] = (unsigned char)(int)(fine.at[x] * 255.0f + 0.5f);
    by = broader < 0 ? -broader : broader;
    radius = (int)most(1, least(MOST_RADIUS, nearest(by * scale / 2 * LENET_FINE)));
    wide = spread(own, fine, broader > 0, radius);
    traced.left = wide.width, traced.top = wide.height, traced.right = traced.bottom = 0;
    for (y = 0; y < wide.height; y++)
        for (x = 0; x < wide.width; x++)
            if (wide.at[(long)y * wide.width + x] > (float)limit) {
                traced.left = (int)least(traced.left, x), traced.right = (int)most(traced.right, x + 1);
                traced.top = (int)least(traced.top, y), traced.bottom = y + 1;
            }
    if (!traced.bottom)
        return fit(ink, width, height, own->rows, own->other);
    fine.width = traced.right - traced.left, fine.height = traced.bottom - traced.top, fine.at = own->other;
    for (y = 0; y < fine.height; y++)
        for (x = 0; x < fine.width; x++)
            fine.at[(long)y * fine.width + x] = wide.at[(long)(y + traced.top) * wide.width + x + traced.left] / 255.0f;
    again = (double)BOX / (double)most(fine.width, fine.height);
    return fit(fine, side_of(fine.width * again), side_of(fine.height * again), own->rows, own->third);
}

/* Scale the levels of ink that is paler than any in MNIST, as thin strokes become when they shrink. */
static void darken(picture ink)
{
    const int n = ink.width * ink.height;
    float top = 0, sorted[SIZE * SIZE], level;
    int k, j, inked = 0;
    for (k = 0; k < n; k++)
        top = ink.at[k] > top ? ink.at[k] : top;
    for (k = 0; k < n && inked < SIZE * SIZE; k++) {
        const float value = ink.at[k];
        if (value <= (float)(LENET_INKED * (double)top))
            continue;
        for (j = inked++; j > 0 && sorted[j - 1] > value; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = value;
    }
    if (!inked)
        return;
    level = sorted[(int)(LENET_UPPER * (inked - 1))];
    if ((double)level >= LENET_PALEST)
        return;
    for (k = 0; k < n; k++) {
        const float value = ink.at[k] * (float)(1 / (double)level);
        ink.at[k] = value > 1 ? 1 : value;
    }
}

/* Put ink, at most 28 a side, into a field of 28x28 with its centre of mass nearest to index 14. */
static void place_glyph(picture ink, unsigned char *glyph)
{
    double mass = 0, across = 0, down = 0;
    int x, y, top, left;
    for (y = 0; y < ink.height; y++)
        for (x = 0; x < ink.width; x++) {
            const double value = ink.at[y * ink.width + x];
            mass += value, across += value * x, down += value * y;
        }
    mass = mass == 0 ? 1 : mass;
    top = (int)least(most(nearest(14 - down / mass), 0), SIZE - ink.height);
    left = (int)least(most(nearest(14 - across / mass), 0), SIZE - ink.width);
    for (y = 0; y < ink.height; y++)
        for (x = 0; x < ink.width; x++)
            glyph[(top + y) * SIZE + left + x] = (unsigned char)nearest(ink.at[y * ink.width + x] * 255);
}

int drawing_glyph(void *memory, const unsigned char *page, int width, int height, unsigned char *glyph)
{
    const room own = furnish(memory, width, height);
    picture ink;
    box whole;
    int k, count, high;
    for (k = 0; k < SIZE * SIZE; k++)
        glyph[k] = 0;
    count = find_ink(&own, page);
    if (!count)
        return 0;
    whole = drop_specks(&own, count);
    high = (int)most(whole.right - whole.left, whole.bottom - whole.top);
    if (!whole.bottom || high < LENET_LEAST_SIDE)
        return 0;
    ink = crop(&own, whole, own.one);
    if (most(ink.width, ink.height) != BOX) {
        ink = scale_ink(&own, ink, choose_broadening(measure_stroke_width(&own, ink, high), high));
        darken(ink);
    }
    place_glyph(ink, glyph);
    return 1;
}
