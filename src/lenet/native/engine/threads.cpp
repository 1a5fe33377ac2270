#include "threads.hpp"

#include <pthread.h>
#ifdef __linux__
#include <sched.h>
#endif

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace lenet {

namespace {

typedef std::function<void(Barrier&)> Job;

// How often to look before giving up the core: tens of microseconds, as long as the wait between two short jobs.
constexpr int LOOKS = 4000;

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

// The cores that the threads of one job are on. The scheduler often wakes a thread on the core of the one that woke
// it, and leaves the two there for as long as a whole short job; whoever finds its core taken moves to a free one.
class Places {
  public:
    void sit() {
#ifdef __linux__
        const int here = sched_getcpu();
        if (here < 0 || here >= CPU_SETSIZE) return;
        std::lock_guard<std::mutex> lock(mutex_);
        if (!CPU_ISSET(here, &taken_)) {
            CPU_SET(here, &taken_);
            return;
        }
        cpu_set_t allowed, free;
        if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
        CPU_XOR(&free, &allowed, &taken_);
        CPU_AND(&free, &free, &allowed);
        if (CPU_COUNT(&free) == 0 || sched_setaffinity(0, sizeof free, &free) != 0) return;
        sched_setaffinity(0, sizeof allowed, &allowed);  // moved, and no longer bound
        const int now = sched_getcpu();
        if (now >= 0 && now < CPU_SETSIZE) CPU_SET(now, &taken_);
#endif
    }

  private:
#ifdef __linux__
    std::mutex mutex_;
    cpu_set_t taken_ = {};
#endif
};

class Pool {
  public:
    void run(int wanted, const Job& job) {
        std::unique_lock<std::mutex> mine(caller_, std::try_to_lock);
        if (!mine.owns_lock()) {
            Barrier alone(1);
            job(alone);
            return;
        }
        try {
            for (; workers_ < wanted - 1; ++workers_) std::thread(&Pool::work, this, workers_ + 1, round_.load()).detach();
        } catch (const std::system_error&) {  // the system gives no more: with those that there are
            wanted = workers_ + 1;
        }
        Barrier all(wanted);
        Places places;
        places.sit();
        {
            std::lock_guard<std::mutex> lock(mutex_);
            job_ = &job;
            threads_ = wanted;
            all_ = &all;
            places_ = &places;
            running_.store(wanted - 1);
            round_.fetch_add(1);
        }
        wake_.notify_all();
        attempt(job, all);
        for (int look = 0; running_.load() > 0; ++look)
            if (look < LOOKS)
                relax();
            else
                std::this_thread::yield();
        if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    }

  private:
    // What a thread throws, which is want of memory before the work begins, is thrown again on the caller's.
    void attempt(const Job& job, Barrier& all) {
        try {
            job(all);
        } catch (...) {
            std::lock_guard<std::mutex> lock(mutex_);
            failure_ = std::current_exception();
        }
    }

    void work(int number, int seen) {
        for (;;) {
            for (int look = 0; look < LOOKS && round_.load() == seen; ++look) relax();
            const Job* job;
            int threads;
            Barrier* all;
            Places* places;
            {
                std::unique_lock<std::mutex> lock(mutex_);
                wake_.wait(lock, [&] { return round_.load() != seen; });
                seen = round_.load();
                job = job_;
                threads = threads_;
                all = all_;
                places = places_;
            }
            if (number >= threads) continue;
            places->sit();
            attempt(*job, *all);
            running_.fetch_sub(1);
        }
    }

    std::mutex caller_, mutex_;
    std::condition_variable wake_;
    std::atomic<int> round_{0}, running_{0};
    const Job* job_ = nullptr;
    std::exception_ptr failure_;
    Barrier* all_ = nullptr;
    Places* places_ = nullptr;
    int threads_ = 0, workers_ = 0;
};

std::mutex pool_mutex;
Pool* current = nullptr;

// The pool of this process. A forked child has none of its parent's threads and makes a pool of its own; no pool is
// ever destroyed, because its threads may outlive the end of main.
Pool& pool() {
    static const int registered = pthread_atfork([] { pool_mutex.lock(); }, [] { pool_mutex.unlock(); },
                                                 [] {
                                                     current = nullptr;
                                                     pool_mutex.unlock();
                                                 });
    (void)registered;
    std::lock_guard<std::mutex> lock(pool_mutex);
    if (!current) current = new Pool;
    return *current;
}

}  // namespace

void on_threads(int wanted, const Job& job) {
    if (wanted > 1) {
        pool().run(wanted, job);
        return;
    }
    Barrier alone(1);
    job(alone);
}

void Barrier::wait() {
    const int round = round_.load();
    if (arrived_.fetch_add(1) + 1 == threads_) {
        arrived_.store(0);
        round_.fetch_add(1);
        return;
    }
    for (int look = 0; round_.load() == round; ++look)
        if (look < LOOKS)
            relax();
        else
            std::this_thread::yield();
}

}  // namespace lenet
