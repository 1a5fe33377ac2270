/* Pictures of floats, resized as OpenCV resizes them: the networks learned from such glyphs. Behind drawing_ink.c. */

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
