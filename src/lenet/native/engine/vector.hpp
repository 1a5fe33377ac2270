// One instruction set's vectors, on the compiler's vector extensions. LENET_ISA names it and LENET_LANES is its
// width; everything stands in a namespace of its own, and no library header with inline code is included, so that
// the linker can never keep a copy that another machine cannot run.
#pragma once

#include "network.hpp"

namespace lenet::LENET_ISA {

constexpr int LANES = LENET_LANES;

typedef float V __attribute__((vector_size(4 * LANES)));
typedef int I __attribute__((vector_size(4 * LANES)));
typedef unsigned U __attribute__((vector_size(4 * LANES)));
typedef float Unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

typedef unsigned char Bytes __attribute__((vector_size(4 * LANES)));
typedef unsigned char UnalignedBytes __attribute__((vector_size(4 * LANES), aligned(1), may_alias));

inline V load(const float* p) { return *reinterpret_cast<const Unaligned*>(p); }
inline void store(float* p, V v) { *reinterpret_cast<Unaligned*>(p) = v; }
inline Bytes load_bytes(const unsigned char* p) { return *reinterpret_cast<const UnalignedBytes*>(p); }
inline void store_bytes(unsigned char* p, Bytes v) { *reinterpret_cast<UnalignedBytes*>(p) = v; }
inline V broadcast(float x) { return x - V{}; }

// The same pointer, but the compiler no longer knows it. Tiles that fill all registers use it to have every value
// loaded again where it is used: kept from one tap to the next, it would push a sum out to memory.
template <class T>
inline const T* afresh(const T* p) {
    asm("" : "+r"(p));
    return p;
}

// The same value, in a register: the compiler may not load it again for each of its uses.
inline V held(V v) {
#if defined(__x86_64__) || defined(__i386__)
    asm("" : "+v"(v));
#elif defined(__aarch64__)
    asm("" : "+w"(v));
#endif
    return v;
}

inline V zero_or_more(V x) { return x < 0.0f ? V{} : x; }  // keeps NaN, as the next two do
inline V at_most(V x, float limit) { return x > limit ? broadcast(limit) : x; }
inline V at_least(V x, float limit) { return x < limit ? broadcast(limit) : x; }
inline V larger(V a, V b) { return a < b ? b : a; }

// exp, to 2e-7 relative: a power of two and a polynomial on the rest (the coefficients of Cephes).
inline V exponential(V x) {
    x = at_least(at_most(x, 88.0f), -87.0f);
    const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
    V n = (x * 1.44269504f + magic) - magic;
    V r = x - n * 0.693359375f + n * 2.12194440e-4f;
    V p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    I power = __builtin_convertvector(n, I) * (1 << 23);
    return reinterpret_cast<V>(reinterpret_cast<I>(p) + power);
}

// Equation 6, 1.7159 tanh(2x/3), to 5e-7 relative, as a fraction: an odd rational function fitted to the largest
// relative error, 1.5e-7, up to 12, where it is as good as flat.
struct Fraction {
    V above, below;
};

LENET_INLINE Fraction squash_fraction(V x) {
    x = at_least(at_most(x, 12.0f), -12.0f);
    V u = x * x;
    V p = u * 1.1477091e-06f + 0.000666815671f;
    V q = u * 9.59519841e-09f + 2.09528989e-05f;
    p = p * u + 0.0657159016f;
    q = q * u + 0.00470429286f;
    p = p * u + 1.14393318f;
    q = q * u + 0.205594942f;
    q = q * u + 1.0f;
    return {x * p, q};
}

LENET_INLINE V squash(V x) {
    const Fraction f = squash_fraction(x);
    return f.above / f.below;
}

LENET_INLINE Fraction operator+(Fraction a, Fraction b) { return {a.above * b.below + b.above * a.below, a.below * b.below}; }

// The sum of four squashed values, by one division.
LENET_INLINE V squash_sum(V a, V b, V c, V d) {
    const Fraction sum = (squash_fraction(a) + squash_fraction(b)) + (squash_fraction(c) + squash_fraction(d));
    return sum.above / sum.below;
}

constexpr float AMPLITUDE = 1.7159f, SLOPE = 2.0f / 3.0f;

LENET_INLINE V activate(V x, Activation activation) {
    switch (activation) {
        case Activation::squash: return squash(x);
        case Activation::relu: return zero_or_more(x);
        case Activation::sigmoid: return 0.5f + 0.5f / AMPLITUDE * squash(0.5f / SLOPE * x);  // 0.5 + 0.5 tanh(x / 2)
        default: return x;
    }
}

// The derivative of an activation, from its output y.
LENET_INLINE V slope(V y, Activation activation) {
    switch (activation) {
        case Activation::squash: return SLOPE * AMPLITUDE - (SLOPE / AMPLITUDE) * y * y;
        case Activation::relu: return y > 0.0f ? broadcast(1.0f) : V{};
        case Activation::sigmoid: return y - y * y;
        default: return broadcast(1.0f);
    }
}

template <int... N>
struct Numbers {};
template <int COUNT, int... N>
struct Count : Count<COUNT - 1, COUNT - 1, N...> {};
template <int... N>
struct Count<0, N...> {
    typedef Numbers<N...> Type;
};
typedef Count<LANES>::Type Lanes;

template <int HALF, int... N>
inline V interleave(V a, V b, Numbers<N...>) {
    return __builtin_shufflevector(a, b, (N / 2 + N % 2 * LANES + HALF * LANES / 2)...);
}

// Transpose a square of LANES vectors in place: after log2(LANES) perfect shuffles rows are columns.
inline void transpose(V (&rows)[LANES]) {
    for (int done = 1; done < LANES; done *= 2) {
        V shuffled[LANES];
#pragma GCC unroll 16
        for (int i = 0; i < LANES / 2; ++i) {
            shuffled[2 * i] = interleave<0>(rows[i], rows[i + LANES / 2], Lanes());
            shuffled[2 * i + 1] = interleave<1>(rows[i], rows[i + LANES / 2], Lanes());
        }
#pragma GCC unroll 16
        for (int i = 0; i < LANES; ++i) rows[i] = shuffled[i];
    }
}

template <int STEP, int... N>
inline V swapped(V v, Numbers<N...>) {
    return __builtin_shufflevector(v, v, (N ^ STEP)...);
}

// The sum of the lanes, always in the same order.
inline float total(V v) {
    if constexpr (LANES >= 16) v += swapped<8>(v, Lanes());
    if constexpr (LANES >= 8) v += swapped<4>(v, Lanes());
    v += swapped<2>(v, Lanes());
    v += swapped<1>(v, Lanes());
    return v[0];
}

}  // namespace lenet::LENET_ISA
