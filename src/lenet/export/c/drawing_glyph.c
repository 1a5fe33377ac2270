/* The twin of lenet/segmentation/glyphs.py: ink as MNIST would have made it. Behind drawing_resize.c. */

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
