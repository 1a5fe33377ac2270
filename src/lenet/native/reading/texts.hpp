// Texts as a tree: each is another text and one label more, so that a beam holds a number for each.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace lenet {

using Text = std::vector<int>;

// Which texts are allowed: `transitions` (states, symbols) to a next state or -1, and which states are the last.
struct Automaton {
    const int* transitions;
    const bool* accepting;
    std::size_t states, symbols;
};

class Texts {
  public:
    // Text 0 is the empty one. `allowed` may be null.
    explicit Texts(std::size_t labels, const Automaton* allowed = nullptr)
        : labels_(labels), allowed_(allowed), nodes_{{0, -1, 0}}, children_(labels, UNKNOWN) {}

    int last(int text) const { return nodes_[std::size_t(text)].label; }
    std::size_t count() const { return nodes_.size(); }
    bool complete(int text) const { return !allowed_ || allowed_->accepting[nodes_[std::size_t(text)].state]; }

    // The text that goes on with a label; -1 if no text may.
    int longer(int text, int label) {
        const std::size_t place = std::size_t(text) * labels_ + std::size_t(label);
        if (children_[place] != UNKNOWN) return children_[place];
        int state = 0, child = -1;
        if (allowed_) {
            const std::size_t from = std::size_t(nodes_[std::size_t(text)].state);
            state = std::size_t(label) < allowed_->symbols ? allowed_->transitions[from * allowed_->symbols + std::size_t(label)] : -1;
        }
        if (state >= 0) {
            child = int(nodes_.size());
            nodes_.push_back({text, label, state});
            children_.resize(children_.size() + labels_, UNKNOWN);
        }
        return children_[place] = child;
    }

    Text spell(int text) const {
        Text found;
        for (; text; text = nodes_[std::size_t(text)].before) found.push_back(nodes_[std::size_t(text)].label);
        std::reverse(found.begin(), found.end());
        return found;
    }

  private:
    struct Node {
        int before, label, state;
    };
    static constexpr int UNKNOWN = -2;
    std::size_t labels_;
    const Automaton* allowed_;
    std::vector<Node> nodes_;
    std::vector<int> children_;
};

}  // namespace lenet
