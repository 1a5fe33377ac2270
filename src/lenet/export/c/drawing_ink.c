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
