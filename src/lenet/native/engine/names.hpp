// The words by which Python means an enumerator or a part of a learner: matched by name, never by position.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

#include "learning.hpp"
#include "line_learning.hpp"
#include "model.hpp"
#include "network.hpp"

namespace lenet {

template <class T>
struct Named {
    const char* name;
    T value;
};

constexpr Named<Activation> ACTIVATIONS[] = {
    {"none", Activation::none}, {"squash", Activation::squash}, {"relu", Activation::relu}, {"sigmoid", Activation::sigmoid}};
constexpr Named<Pooling> POOLINGS[] = {{"trainable", Pooling::trainable}, {"average", Pooling::average}, {"max", Pooling::max}};
constexpr Named<LossKind> LOSSES[] = {{"cross-entropy", LossKind::cross_entropy},
                                      {"mean squared error", LossKind::mean_squared_error},
                                      {"distance", LossKind::distance},
                                      {"discriminative", LossKind::discriminative}};
constexpr Named<Floats BatchLearner::*> BATCH_PARTS[] = {{"parameters", &BatchLearner::parameters},
                                                         {"velocity", &BatchLearner::velocity},
                                                         {"average", &BatchLearner::average},
                                                         {"gradient", &BatchLearner::gradient}};
constexpr Named<Floats LineLearner::*> LINE_PARTS[] = {{"parameters", &LineLearner::parameters},
                                                       {"mean", &LineLearner::mean},
                                                       {"square", &LineLearner::square},
                                                       {"average", &LineLearner::average},
                                                       {"gradient", &LineLearner::gradient}};
constexpr Named<bool> ONLINE_PARTS[] = {{"parameters", false}, {"scales", true}};  // whether they are the scales

template <class T, std::size_t N>
std::vector<std::string> names(const Named<T> (&all)[N]) {
    std::vector<std::string> found;
    for (const Named<T>& each : all) found.emplace_back(each.name);
    return found;
}

// What `name` means. Throws std::invalid_argument, which is ValueError in Python, for a name that is not there.
template <class T, std::size_t N>
T named(const Named<T> (&all)[N], const char* what, const std::string& name) {
    std::string expected;
    for (const Named<T>& each : all) {
        if (name == each.name) return each.value;
        expected += (expected.empty() ? "" : ", ") + std::string(each.name);
    }
    throw std::invalid_argument(std::string(what) + " '" + name + "': expected one of " + expected);
}

}  // namespace lenet
