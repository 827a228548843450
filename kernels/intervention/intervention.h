// What a step is changed by on its way through one sequence: x' = scale x + offset for the quantities of every head, rank
// and rotated pair. The kernels of the stages read these tables where they read the quantities themselves; a null table
// changes nothing, and neither does a neutral entry: not one bit (x + -0 is x for every x).
#pragma once

#include <cstdint>

namespace kernels {

template <class T>
struct Affine {
  T scale = 1;
  T offset = static_cast<T>(-0.0);
};

// Scalars of a head, in the order in which they come about. dt' is clamped to at least 0, A' to at most 0 and lambda' to
// [0, 1]; alpha, beta, gamma and the angle's advance follow from them.
struct HeadChange {
  Affine<double> dt, a, lambda;
  Affine<float> d;       // D of the skip D v
  Affine<float> output;  // what the head hands to the output projection, every row: gated, its ranks summed
};

// Of one rank of a head; SISO has one.
struct RankChange {
  Affine<float> b_bias, c_bias;  // every channel's, before the rotation
  Affine<float> write;           // v of the state update, not of the skip: what the rank writes, this token's v and the
                                 // last one's, which the same step writes
  Affine<float> read;            // y = h q + D v, before norm and gate: what the rank reads
};

// Of one rotated pair of a head: the angle advances by scale (turn[source] dt) + offset, radians per token, forwards or
// backwards.
struct PairChange {
  Affine<float> advance;
  std::int32_t source = 0;  // whose turn it takes; its own index where nothing is shuffled
};

// One cell of the state, changed before the step: the state that the step finds.
struct CellChange {
  std::int32_t sequence = 0, layer = 0;
  std::int32_t head = 0, row = 0, channel = 0;  // (H, P, N), in the stored frame
  Affine<float> value;
};

// A layer's tables. Null: no changes of that kind for any sequence.
struct LayerChanges {
  const HeadChange* heads = nullptr;  // (B, H)
  const RankChange* ranks = nullptr;  // (B, H, R)
  const PairChange* pairs = nullptr;  // (B, H, S)
};

// In the arithmetic of x. The kernels that are compiled per instruction set have their own.
template <class T, class A>
constexpr T changed(const Affine<A>& change, T x) {
  return static_cast<T>(change.scale) * x + static_cast<T>(change.offset);
}
constexpr double changed_dt(const HeadChange& change, double dt) {
  const double now = changed(change.dt, dt);
  return now < 0 ? 0 : now;
}
constexpr double changed_a(const HeadChange& change, double a) {
  const double now = changed(change.a, a);
  return now > 0 ? 0 : now;
}
constexpr double changed_lambda(const HeadChange& change, double lambda) {
  const double now = changed(change.lambda, lambda);
  return now < 0 ? 0 : now > 1 ? 1 : now;
}
// Of 1 - lambda, which may be known better than the difference.
constexpr double changed_rest(const HeadChange& change, double lambda, double rest) {
  const bool neutral = change.lambda.scale == 1 && change.lambda.offset == 0;
  return neutral ? rest : 1 - changed_lambda(change, lambda);
}
// What the pair's angle advances by; `turns` (S) are its sequence's.
template <class T>
constexpr double changed_advance(const PairChange& change, const T* turns, double dt) {
  return changed(change.advance, static_cast<double>(turns[change.source]) * dt);
}

}  // namespace kernels
