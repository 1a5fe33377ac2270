// A network with its parameters, ready to score; and the sets of kernels that this machine can run.
#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "network.hpp"

namespace lenet {

// The instruction sets that this build has and this machine runs, the best first.
std::vector<const Kernels*> available();
const Kernels& kernels_named(const std::string& name);  // throws std::invalid_argument

// Floats on a boundary of 64 bytes, all zero at first. `Hot` ones ask for a large page: what is used over and over then
// fits the second cache whichever small pages the system would have given.
enum class Use { plain, hot };

class Floats {
  public:
    Floats() = default;
    explicit Floats(long size, Use use = Use::plain);
    float* data() const { return data_.get(); }
    float& operator[](long k) const { return data_.get()[k]; }
    long size() const { return size_; }

  private:
    struct Free {
        void operator()(float* p) const { std::free(p); }
    };
    std::unique_ptr<float, Free> data_;
    long size_ = 0;
};

// Room of this thread for at least `size` floats, kept for the next call.
float* thread_buffer(long size);

// The records of a network, owning what they point to. Throws std::invalid_argument for a network that the kernels
// cannot run.
struct Description {
    Network network{};
    std::vector<std::vector<unsigned char>> tables;
    std::vector<float> codes;
    // Of each parameter: 0 where the table of a dense stage leaves a kernel out. Dense stages compute with all of them,
    // absent ones are zero and stay so. Empty if no dense stage has a table.
    std::vector<float> present;

    Description() = default;
    Description(const Description&) = delete;

    void convolution(int maps, int size, Activation activation, std::vector<unsigned char> table);
    void subsampling(Pooling pooling, Activation activation, int copies);
    void match(int outputs, std::vector<float> codes);
    void finish(int margin);
};

class Model {
  public:
    Model(std::shared_ptr<const Description> description, const float* parameters, const Kernels& kernels);

    // Score `count` images of `field` -> (count, outputs, h, w). False if an input is NaN or infinite.
    bool forward(const float* images, Field field, long count, float* scores, int threads) const;

    // Every layer's output on 32x32 fields, in order, each (count, maps, h, w).
    std::vector<std::vector<float>> activations(const float* images, long count) const;

    const Network& network() const { return description_->network; }

  private:
    std::shared_ptr<const Description> description_;
    const Kernels& kernels_;
    Floats parameters_, packed_;
};

}  // namespace lenet
