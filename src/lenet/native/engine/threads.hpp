// Threads that wait for work: made when first needed, safe after fork, one caller at a time.
#pragma once

#include <atomic>
#include <functional>

namespace lenet {

// All threads of one job wait here for each other.
class Barrier {
  public:
    explicit Barrier(int threads) : threads_(threads) {}
    void wait();

  private:
    const int threads_;
    std::atomic<int> arrived_{0}, round_{0};
};

// Call `job` on up to `wanted` threads, the caller's among them, and wait for all. While another caller has the
// threads, the job runs on the caller's alone: many callers at once get their cores that way.
void on_threads(int wanted, const std::function<void(Barrier& all)>& job);

}  // namespace lenet
