// A network as the kernels see it: the layer records of lenet.network.spec, a convolution and what follows it at a time.
// Plain data and no library code: this header is compiled once per instruction set.
#pragma once

#include "../reading/disc.hpp"

// What stands in a namespace that all instruction sets share is always inlined: no copy for the linker to choose.
#define LENET_INLINE __attribute__((always_inline)) inline
// A loop that needs all registers stands in a function of its own.
#define LENET_APART __attribute__((noinline))

namespace lenet {

constexpr int FIELD = 32;            // section II.B: the input is 32x32
constexpr int KERNEL = 5;            // every convolution that has several positions is 5x5
constexpr int MOST_STAGES = 8;
constexpr int MOST_MAPS = 128;       // also the most outputs
constexpr int MOST_LINE_STAGES = 16, MOST_LINE_MAPS = 1024;  // of a network that reads lines
constexpr int MOST_LANES = 16;       // of any instruction set
constexpr int AFFINE = 6;            // of a distortion: (a, b, c, d, e, f), from the centre of the field
constexpr int CONTROL = 5;           // and the displacements of 5x5 control points, x first, then y
constexpr int DISTORTION = AFFINE + 2 * CONTROL * CONTROL;
constexpr float BACKGROUND = -0.1f;  // what lies outside the field

enum class Activation { none, squash, relu, sigmoid };
enum class Pooling { none, trainable, average, max };

// A convolution with its activation and, unless `dense`, the 2x2 subsampling that follows it.
struct Stage {
    int maps_in, maps, size;
    int own_maps;  // LeNet-4 subsamples each map twice: here it is computed twice, with the same weights
    bool dense;  // one position on a 32x32 field, no subsampling
    Activation activation;
    Pooling pooling;
    Activation pooled_activation;
    int rows_in, columns_in;     // the input on a 32x32 field
    const unsigned char* table;  // maps x maps_in, 1 where there is a kernel; null for all
    // Where its tensors begin among the parameters; the last two only for trainable subsampling.
    long weight, bias, coefficient, pooled_bias;

    LENET_INLINE int rows() const { return rows_in - size + 1; }
    LENET_INLINE int columns() const { return columns_in - size + 1; }
    LENET_INLINE long inputs() const { return long(maps_in) * size * size; }  // of one output: the length of a row of weights
    LENET_INLINE int own(int map) const { return map % own_maps; }
    LENET_INLINE bool plain() const { return !table && maps == own_maps; }  // neighbouring maps have neighbouring weights
    LENET_INLINE bool connected(int map, int map_in) const { return !table || table[own(map) * maps_in + map_in]; }
    LENET_INLINE long kernel(int map, int map_in) const { return weight + (long(own(map)) * maps_in + map_in) * size * size; }
};

struct Network {
    Stage stages[MOST_STAGES];
    int count;
    int margin;          // of the field, never seen
    int outputs;
    const float* codes;  // outputs x maps of the last stage, each +1 or -1; null if the last stage gives the scores
    long parameters;

    LENET_INLINE const Stage& last() const { return stages[count - 1]; }
};

// The field's size and the sizes that follow from it; wider fields give a map of scores.
struct Field {
    int height, width;

    LENET_INLINE Field inside(int margin) const { return {height - 2 * margin, width - 2 * margin}; }
    LENET_INLINE Field convolved(const Stage& s) const { return {height - s.size + 1, width - s.size + 1}; }
    LENET_INLINE Field after(const Stage& s) const {
        Field f = convolved(s);
        return s.dense ? f : Field{f.height / 2, f.width / 2};
    }
    LENET_INLINE long area() const { return long(height) * width; }
};

// Where each buffer of a forward pass begins, in values per image. `sums` hold the activations of a convolution
// before its subsampling and exist only if they are kept, for a backward pass or to be shown.
struct Layout {
    long input[MOST_STAGES + 1];  // of each stage; then the output of the last
    long sums[MOST_STAGES];
    long scores, total;
    bool kept;
    long spare;  // two lines of three maps of sums, or one position's input to a dense stage
    Field field[MOST_STAGES + 1];  // of each stage's input; then of the last output

    Layout(const Network& net, Field whole, bool keep);
};

enum class LossKind { cross_entropy, mean_squared_error, distance, discriminative };

// The loss of one pattern on the scores; see lenet.engine.gradients, its readable twin.
struct Loss {
    LossKind kind;
    float smoothing;  // of cross-entropy's targets
    float junk;       // j of equation 9: the penalty of the "rubbish" class
    float unit;       // what the scores are multiplied by first: 1, or 1/2 for half squares
};

// One pattern for each replica of a group, which learn by the paper's recipe.
struct OnlineStep {
    const float* images[MOST_LANES];  // 32x32
    const float* distortions[MOST_LANES];  // or null
    int labels[MOST_LANES];
    float rate;
};

// What the blocks of one mini-batch share. A block is as many images as a vector has lanes.
struct Batch {
    const Network* net;
    const Layout* layout;
    Loss loss;
    const float* parameters;
    const float* inputs;         // the training set, 32x32 each
    const unsigned char* labels;
    const int* order;            // rows of the training set, of this mini-batch
    const float* distortions;    // of each image of this mini-batch, or null
    const float* targets;        // the probabilities wanted of each image of this mini-batch, or null: by its label
    int count;                   // images in it
    long first;                  // the place of its first image in the pass: what dropout is drawn from
    unsigned long noise;         // seeds dropout
    const float* dropout;        // of each stage: the share of the outputs that is dropped
    // For each dense stage, image-major and padded to whole vectors: its inputs and the gradient of its sums.
    float* dense_inputs[MOST_STAGES];
    float* dense_gradients[MOST_STAGES];
    long inputs_stride[MOST_STAGES], gradients_stride[MOST_STAGES];
    float* gradients;            // for each block, `shared` values: the gradient of everything before the dense stages
    long shared;
    double* losses;              // of each block
    int* errors;
};

// How a step changes parameters from their gradient: SGD with momentum, weight decay and a running average.
struct Rule {
    float rate, momentum, decay, share;  // share: of the way that the average moves; negative: no average
    bool nesterov;
};

// How a step changes parameters by AdamW: decay taken off the weights, the gradient's mean and mean square corrected for
// their start, and a running average of the parameters, which moves this share of the way.
struct Adam {
    float rate, decay, first, second, first_seen, second_seen, epsilon, scale, share;
};

// A network that reads a line as a whole: convolutions of any kernel with padding, each with a maximum over a window of
// `down` by `across` sums behind it, or 1 by 1.
struct LineStage {
    int maps_in, maps, rows, columns, above, beside;
    Activation activation;
    int down, across;
    long weight, bias;  // where its tensors begin among the parameters

    LENET_INLINE long inputs() const { return long(maps_in) * rows * columns; }
    LENET_INLINE bool pooled() const { return down * across > 1; }
};

struct LineField {
    int height, width;

    LENET_INLINE LineField convolved(const LineStage& s) const {
        return {height + 2 * s.above - s.rows + 1, width + 2 * s.beside - s.columns + 1};
    }
    LENET_INLINE LineField after(const LineStage& s) const {
        const LineField f = convolved(s);
        return {f.height / s.down, f.width / s.across};
    }
    LENET_INLINE long area() const { return long(height) * width; }
};

struct LineNetwork {
    LineStage stages[MOST_LINE_STAGES];
    int count, height;
    long parameters;

    LENET_INLINE const LineStage& last() const { return stages[count - 1]; }
};

// The kernels of one instruction set.
struct Kernels {
    const char* name;
    int lanes;
    // Scores of up to 2 * `lanes` images -> (count, outputs, h, w). False if an input is not finite.
    bool (*forward)(const Network&, const Layout&, const float* parameters, const float* images, Field whole, int count,
                    float* buffers, float* scores);
    // The same for one image, with maps in the lanes and weights packed for it.
    long (*packed_size)(const Network&);
    void (*pack)(const Network&, const float* parameters, float* packed);
    long (*single_size)(const Network&, Field whole);
    bool (*single)(const Network&, const float* packed, const float* image, Field whole, float* buffers, float* scores);
    // Forward and backward for block `block` of a mini-batch.
    void (*block)(const Batch&, int block, float* buffers);
    // The gradient of rows `first` to `last` of a dense stage's weights and biases, from the whole mini-batch.
    void (*dense_gradient)(const Batch&, int stage, int first, int last, float* gradient);
    void (*update)(const Rule&, long count, const float* gradient, float* parameters, float* velocity, float* average);
    // A step of a group of replicas, whose parameters and scales are a vector each: the loss and the wrong answer of
    // each lane are added to the sums.
    void (*online)(const Network&, const Layout&, const Loss&, const OnlineStep&, float* parameters, const float* scales,
                   float* buffers, double* losses, int* errors);
    // Adds one pattern's Gauss-Newton diagonal to `curvature`.
    void (*curvature)(const Network&, const Layout&, const Loss&, const OnlineStep&, float* parameters, float* curvature,
                      float* buffers);
    void (*warp)(const float* image, const float* distortion, float* warped);
    // A line network, for one line: its weights packed, the size of its buffers, its scores. What is kept there is for a
    // pass back, which adds to the gradient, in the order of the packed weights, from that of the scores.
    long (*line_packed_size)(const LineNetwork&);
    void (*line_pack)(const LineNetwork&, const float* parameters, float* packed);
    long (*line_size)(const LineNetwork&, int width, bool keep);
    bool (*line)(const LineNetwork&, const float* packed, const float* image, int width, bool keep, float* buffers, float* scores);
    long (*line_back_packed_size)(const LineNetwork&);
    void (*line_back_pack)(const LineNetwork&, const float* parameters, float* packed);
    long (*line_back_size)(const LineNetwork&, int width);
    void (*line_back)(const LineNetwork&, const float* packed, int width, const float* kept, const float* d_scores, float* buffers,
                      float* gradient);
    void (*line_gather)(const LineNetwork&, int stage, const float* packed_gradient, float* gradient);
    void (*adam)(const Adam&, long count, const float* gradient, float* parameters, float* mean, float* square, float* average);
    // Weighed sums of rows of floats, `stride` apart.
    void (*weigh_rows)(const float* rows, long stride, int many, const float* weights, int width, float* out);
    // The largest (`broader`) or least level in a disc around each pixel of a padded field.
    void (*spread)(const Disc&, bool broader, const unsigned char* padded, Fine field, unsigned char* scratch, unsigned char* out);
    float (*multiply_adds)(long rounds);  // 2 * 12 * lanes * rounds floating-point operations
};

}  // namespace lenet
