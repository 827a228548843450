// Angles, keys and queries of one head after the other.
#include "kernels/rotate/rotate.h"

#include "kernels/cpu/isa.h"
#include "kernels/norm/norm.h"

namespace kernels::cpu::MAMBASCOPE_ISA {
namespace {

constexpr double two_pi = 6.283185307179586;
constexpr int most_channels = 256;

// As kernels::wrap_angle, which this source must not share with others.
inline float wrap(double angle, std::int32_t& turns) {
  double whole = __builtin_floor(angle * (1 / two_pi));
  double rest = angle - whole * two_pi;
  if (rest >= two_pi) rest -= two_pi, whole += 1;
  if (!(__builtin_fabs(whole) < 0x1.0p30)) rest = __builtin_fmod(angle, two_pi), whole = 0;
  if (rest < 0) rest += two_pi, whole -= 1;
  float wrapped = static_cast<float>(rest);
  if (wrapped >= static_cast<float>(two_pi)) wrapped = 0, whole += 1;
  turns = static_cast<std::int32_t>(static_cast<std::uint32_t>(turns) +
                                    static_cast<std::uint32_t>(static_cast<std::int32_t>(whole)));
  return wrapped;
}

// out = RMSNorm(raw) * weight + changed bias.
inline void norm_and_bias(const float* raw, const float* weight, const float* bias, const Affine<float>& change,
                          int count, float* out) {
  F16 squares = {};
  for (int n = 0; n < count; n += lanes) {
    const int here = count - n < lanes ? count - n : lanes;
    const F16 x = load(raw + n, here);
    add_product(squares, x, x);
  }
  const float mean = sum(squares) / static_cast<float>(count);
  const float scale = 1.0F / __builtin_sqrtf(mean + static_cast<float>(norm_epsilon));
  for (int n = 0; n < count; n += lanes) {
    const int here = count - n < lanes ? count - n : lanes;
    F16 value = change_each(load(bias + n, here), change);
    add_product(value, load(raw + n, here) * scale, load(weight + n, here));
    store(out + n, value, here);
  }
}

inline void turn(const RotateArgs<float>& args, const float* cosine, const float* sine, float* values) {
  const std::ptrdiff_t step = args.half_pairs ? 1 : 2;
  const std::ptrdiff_t apart = args.half_pairs ? args.d_state / 2 : 1;
  for (std::ptrdiff_t i = 0; i < args.angles; ++i) {
    const float a = values[i * step];
    const float b = values[i * step + apart];
    values[i * step] = a * cosine[i] - b * sine[i];
    values[i * step + apart] = a * sine[i] + b * cosine[i];
  }
}

}  // namespace

void rotate(const RotateArgs<float>& args, int begin, int end) {
  float cosine[most_channels / 2];
  float sine[most_channels / 2];
  for (int item = begin; item < end; ++item) {
    const std::ptrdiff_t s = item / args.heads;
    const std::ptrdiff_t h = item % args.heads;
    const std::ptrdiff_t first = static_cast<std::ptrdiff_t>(item) * args.angles;
    for (int i = 0; i < args.angles; ++i) {
      float& angle = args.angle[first + i];
      const PairChange* change = args.changes.pairs == nullptr ? nullptr : args.changes.pairs + first + i;
      const int source = change == nullptr ? i : change->source;
      double advance = static_cast<double>(args.turn[s * args.angles + source]) * static_cast<double>(args.dt[item]);
      if (change != nullptr) {
        advance = static_cast<double>(change->advance.scale) * advance + static_cast<double>(change->advance.offset);
      }
      angle = wrap(static_cast<double>(angle) + advance, args.turns[first + i]);
    }
    for (int i = 0; i < args.angles; i += lanes) {
      const F16 angles = load(args.angle + first + i, args.angles - i < lanes ? args.angles - i : lanes);
      F16 cosines;
      F16 sines;
      for (int part = 0; part < parts; ++part) {
        cosine_and_sine(angles.part[part], cosines.part[part], sines.part[part]);
      }
      store(cosine + i, cosines);
      store(sine + i, sines);
    }
    const std::ptrdiff_t n = args.d_state;
    const std::ptrdiff_t group = h / (args.heads / args.groups);
    for (std::ptrdiff_t r = 0; r < args.rank; ++r) {
      const std::ptrdiff_t raw = s * args.stride + (r * args.groups + group) * n;
      const std::ptrdiff_t bias = (h * args.rank + r) * n;
      const std::ptrdiff_t out = ((s * args.rank + r) * args.heads + h) * n;
      const RankChange change =
          args.changes.ranks == nullptr ? RankChange() : args.changes.ranks[item * std::ptrdiff_t{args.rank} + r];
      norm_and_bias(args.b + raw, args.b_norm, args.b_bias + bias, change.b_bias, args.d_state, args.k + out);
      norm_and_bias(args.c + raw, args.c_norm, args.c_bias + bias, change.c_bias, args.d_state, args.q + out);
      turn(args, cosine, sine, args.k + out);
      turn(args, cosine, sine, args.q + out);
    }
  }
}

}  // namespace kernels::cpu::MAMBASCOPE_ISA
