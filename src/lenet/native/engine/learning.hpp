// Training: mini-batches of one network, images in the lanes; or on-line learning of many, replicas in the lanes.
#pragma once

#include <memory>
#include <vector>

#include "model.hpp"
#include "network.hpp"

namespace lenet {

// The patterns to learn, as they are in the caller's arrays.
struct Patterns {
    const float* inputs;          // (n, 32, 32)
    const unsigned char* labels;  // (n,)
};

// What is seen in some steps: the sum of the losses and the wrong answers.
struct Counts {
    double loss = 0;
    long errors = 0;
};

struct BatchSettings {
    Loss loss;
    int batch;
    float momentum, decay;
    bool nesterov;
    double averaging;            // decay of the running average per step; 0: none
    std::vector<float> dropout;  // of each stage: the share of the outputs that is dropped
};

// One network, mini-batches. The same bits for any number of threads.
class BatchLearner {
  public:
    BatchLearner(std::shared_ptr<const Description> description, const Kernels& kernels, const BatchSettings& settings);

    // Steps over `count` presentations; order, distortions (or null) and targets (or null) begin at the first of them,
    // rates (one per step) likewise. `first` is the place of the first presentation in the pass.
    Counts run(const Patterns& patterns, const int* order, const float* distortions, const float* targets, const float* rates,
               long count, long first, unsigned long noise, int threads);

    Floats parameters, velocity, average, gradient;
    long steps = 0;

  private:
    struct Range {  // of parameters that one thread updates, with the rows of a dense stage they belong to, or stage -1
        int stage, first_row, last_row;
    };
    void update(const Rule& rule, long first, long last, bool decayed);
    void finish(const Batch& batch, const Range& range, const Rule& rule, int blocks);

    std::shared_ptr<const Description> description_;
    const Kernels& kernels_;
    BatchSettings settings_;
    Layout layout_;
    long shared_;
    std::vector<Range> ranges_;
    std::vector<Floats> dense_;
    Floats block_gradients_;
};

// Any number of replicas, one pattern each at a time: the recipe of 1998.
class OnlineLearner {
  public:
    OnlineLearner(std::shared_ptr<const Description> description, const Kernels& kernels, const Loss& loss, int replicas);

    // `orders` and `distortions` (or null) have a row of `count` for each replica; rates are common.
    std::vector<Counts> run(const Patterns& patterns, const int* orders, const float* distortions, const float* rates, long count,
                            int threads);
    // Set each parameter's scale to 1 / (mu + h), h the mean curvature over `count` patterns for each replica.
    void estimate(const Patterns& patterns, const int* orders, long count, float mu, int threads);

    // Copy a replica's parameters or scales out of, or into, its lane.
    void give(bool scales, int replica, float* values) const;
    void take(bool scales, int replica, const float* values);

    const int replicas;

  private:
    struct Group {
        Floats parameters, scales;
    };
    OnlineStep step(int group, const Patterns& patterns, const int* orders, const float* distortions, long count, long at) const;

    // 0 for a parameter that is not there, for value `k` of a group.
    float present(long k) const;

    std::shared_ptr<const Description> description_;
    const Kernels& kernels_;
    Loss loss_;
    Layout layout_;
    std::vector<Group> groups_;
};

}  // namespace lenet
