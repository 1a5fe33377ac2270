/* What the page's WebAssembly is made of, behind drawing.c and the layers of the C export: a network as data, run and
 * trained. Values, weights and gradients are floats at places that whoever calls gives; nothing is allocated here. */

enum { CONVOLUTION, TRAINABLE, AVERAGE, MAX, CODES };
enum { NONE, RELU, SQUASH, SIGMOID };

/* A layer: what it is, the maps that it takes, (maps_in, high, wide), and makes, (maps, ...), its kernel's side; where its
 * weights, its biases and its values stand, in floats from the start of each buffer; which maps feed which (maps_in for
 * each map, -1: all), as bytes from `masks` on. */
typedef struct {
    int kind, maps_in, high, wide, maps, size, activation, weights, bias, in, out, mask;
} layer;

static int values_of(const layer *own)
{
    const int smaller = own->kind == CONVOLUTION ? own->size - 1 : 0;
    if (own->kind == CODES)
        return own->maps;
    if (own->kind == CONVOLUTION)
        return own->maps * (own->high - smaller) * (own->wide - smaller);
    return own->maps * (own->high / 2) * (own->wide / 2);
}

/* Run `count` layers on the values that stand at the first one's input. */
void network_run(const layer *layers, int count, const float *parameters, float *values)
{
    int k;
    for (k = 0; k < count; k++) {
        const layer *own = layers + k;
        const float *in = values + own->in, *weights = parameters + own->weights, *bias = parameters + own->bias;
        float *out = values + own->out;
        if (own->kind == CONVOLUTION)
            convolution(in, own->maps_in, own->high, own->wide, weights, bias, own->maps, own->size, out);
        else if (own->kind == TRAINABLE)
            trainable(in, own->maps_in, own->high, own->wide, weights, bias, own->maps, out);
        else if (own->kind == AVERAGE)
            average(in, own->maps_in, own->high, own->wide, own->maps, out);
        else if (own->kind == MAX)
            max(in, own->maps_in, own->high, own->wide, own->maps, out);
        else
            distances(in, own->maps_in, weights, own->maps, out);
        if (own->activation == RELU)
            relu(out, values_of(own));
        else if (own->activation == SQUASH)
            squash(out, values_of(own));
        else if (own->activation == SIGMOID)
            sigmoid(out, values_of(own));
    }
}

/* Softmax and cross-entropy: slopes of the loss in the scores; returns the loss. */
static float cross_entropy(const float *scores, int count, int label, float *slopes)
{
    float top = scores[0], sum = 0;
    int k;
    for (k = 1; k < count; k++)
        top = scores[k] > top ? scores[k] : top;
    for (k = 0; k < count; k++)
        sum += slopes[k] = exponential(scores[k] - top);
    for (k = 0; k < count; k++)
        slopes[k] = slopes[k] / sum - (k == label ? 1.0f : 0.0f);
    return logarithm(sum) - (scores[label] - top);
}

static void back_convolution(const layer *own, const float *in, const float *weights, const unsigned char *mask, const float *slopes,
                             float *back, float *weights_back, float *bias_back)
{
    const int size = own->size, high = own->high - size + 1, wide = own->wide - size + 1;
    int m, i, y, x, r, c;
    for (m = 0; m < own->maps; m++)
        for (y = 0; y < high; y++)
            for (x = 0; x < wide; x++) {
                const float slope = slopes[(m * high + y) * wide + x];
                if (slope == 0)
                    continue;
                bias_back[m] += slope;
                for (i = 0; i < own->maps_in; i++) {
                    const int kernel = (m * own->maps_in + i) * size * size;
                    if (mask && !mask[m * own->maps_in + i])
                        continue;
                    for (r = 0; r < size; r++)
                        for (c = 0; c < size; c++) {
                            const int place = (i * own->high + y + r) * own->wide + x + c;
                            weights_back[kernel + r * size + c] += slope * in[place];
                            back[place] += slope * weights[kernel + r * size + c];
                        }
                }
            }
}

static void back_four(const layer *own, const float *in, const float *out, const float *weights, const float *slopes, float *back,
                      float *weights_back, float *bias_back)
{
    const int high = own->high / 2, wide = own->wide / 2;
    int m, y, x, k;
    for (m = 0; m < own->maps; m++)
        for (y = 0; y < high; y++)
            for (x = 0; x < wide; x++) {
                const int at = (m * high + y) * wide + x, corner = ((m % own->maps_in) * own->high + 2 * y) * own->wide + 2 * x;
                const float slope = slopes[at];
                for (k = 0; k < 4; k++) {
                    const int place = corner + (k / 2) * own->wide + k % 2;
                    if (own->kind == TRAINABLE) {
                        weights_back[m] += slope * in[place];
                        back[place] += slope * weights[m];
                    } else if (own->kind == AVERAGE) {
                        back[place] += 0.25f * slope;
                    } else if (in[place] == out[at]) {
                        back[place] += slope;
                        break;
                    }
                }
                if (own->kind == TRAINABLE)
                    bias_back[m] += slope;
            }
}

/* Add the gradient of one pattern's loss to `gradient`, which is laid out as `parameters` are; returns the loss. What
 * `network_run` left in `values` is used; `slopes` is as large as `values`, and written over. */
float network_back(const layer *layers, int count, const float *parameters, const unsigned char *masks, const float *values, int label,
                   float *slopes, float *gradient)
{
    const layer *last = layers + count - 1;
    const float loss = cross_entropy(values + last->out, last->maps, label, slopes + last->out);
    int k, j;
    for (k = count - 1; k >= 0; k--) {
        const layer *own = layers + k;
        const float *in = values + own->in, *out = values + own->out, *weights = parameters + own->weights;
        const int n = values_of(own), n_in = own->maps_in * own->high * own->wide;
        float *slope = slopes + own->out, *back = slopes + own->in;
        for (j = 0; j < n; j++) {
            if (own->activation == RELU)
                slope[j] = out[j] > 0 ? slope[j] : 0;
            else if (own->activation == SQUASH)
                slope[j] *= 1.7159f * 0.66666667f * (1 - out[j] * out[j] / (1.7159f * 1.7159f));
            else if (own->activation == SIGMOID)
                slope[j] *= out[j] * (1 - out[j]);
        }
        for (j = 0; j < n_in; j++)
            back[j] = 0;
        if (own->kind == CODES) {
            int m;
            for (m = 0; m < own->maps; m++)
                for (j = 0; j < own->maps_in; j++)
                    back[j] -= 2 * slope[m] * (in[j] - weights[m * own->maps_in + j]);
        } else if (own->kind == CONVOLUTION) {
            back_convolution(own, in, weights, own->mask < 0 ? 0 : masks + own->mask, slope, back, gradient + own->weights, gradient + own->bias);
        } else {
            back_four(own, in, out, weights, slope, back, gradient + own->weights, gradient + own->bias);
        }
    }
    return loss;
}

/* One step down the gradient, with momentum; the gradient is set to 0 for the next batch. */
void network_step(float *parameters, float *gradient, float *velocity, int count, float rate, float momentum)
{
    int k;
    for (k = 0; k < count; k++) {
        velocity[k] = momentum * velocity[k] - rate * gradient[k];
        parameters[k] += velocity[k];
        gradient[k] = 0;
    }
}
