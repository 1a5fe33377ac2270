// What the bindings of all networks share: arrays, the GIL, layer records.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <string>
#include <utility>
#include <vector>

namespace lenet {

namespace nb = nanobind;

template <class T>
using In = nb::ndarray<const T, nb::c_contig, nb::device::cpu>;
using Out = nb::ndarray<float, nb::numpy>;

// A new NumPy array (n,) that owns a copy of `values`.
inline Out array(std::vector<float> values) {
    auto* owned = new std::vector<float>(std::move(values));
    nb::capsule owner(owned, [](void* p) noexcept { delete static_cast<std::vector<float>*>(p); });
    return Out(owned->data(), {owned->size()}, owner);
}

// The GIL, let go. A daemon thread that comes back while the interpreter is leaving waits for the end instead: before
// Python 3.14 it would be unwound through code that must not throw, which ends the process with an abort.
class Released {
  public:
    ~Released();

  private:
    PyThreadState* state_ = PyEval_SaveThread();
};

inline void require(bool good, const char* what) {
    if (!good) throw nb::value_error(what);
}

// One layer record: a tuple of a kind and its values, each checked before it is taken.
class Record {
  public:
    explicit Record(nb::handle layer) {
        require(nb::isinstance<nb::tuple>(layer) && nb::len(layer) > 0, "layers: expected tuples that begin with a kind");
        values_ = nb::borrow<nb::tuple>(layer);
    }
    template <class T>
    T at(std::size_t k) const {
        T value;
        require(nb::try_cast<T>(values_[k], value), "layers: a record with a value of another type than its kind has");
        return value;
    }
    bool is(const char* kind, std::size_t values) const {
        if (at<std::string>(0) != kind) return false;
        require(nb::len(values_) == values + 1, "layers: a record with more or fewer values than its kind has");
        return true;
    }

  private:
    nb::tuple values_;
};

// The networks that read lines, as `LineModel` and `LineLearner`.
void bind_lines(nb::module_& m);

// The stages of reading a picture.
void bind_reading(nb::module_& m);

}  // namespace lenet
