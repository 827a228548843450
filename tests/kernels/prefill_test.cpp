// The chunked parallel form in double is the recurrence: the same outputs and the same state as token by token, however the
// text is divided.
#include "kernels/prefill/prefill.h"

#include "kernels/reference/reference.h"
#include "tests/support/difference.h"
#include "tests/support/mixer_case.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using Case = tests::MixerCase<double>;
using tests::difference;

// The case's sequences taken as the tokens of one, whose state is that of the first.
kernels::PrefillArgs<double> prefill_args(Case& of, int first, int tokens, const std::vector<double>& rest,
                                          std::vector<double>& out) {
  const tests::MixerShape& s = of.shape;
  const std::ptrdiff_t inner = std::ptrdiff_t{s.heads} * s.headdim, row = std::ptrdiff_t{first} * of.stride;
  kernels::PrefillArgs<double> args;
  args.tokens = tokens, args.heads = s.heads, args.headdim = s.headdim, args.d_state = s.d_state;
  args.rank = s.rank, args.groups = s.groups, args.angles = s.angles(), args.half_pairs = s.mimo;
  args.stride = of.stride;
  args.z = of.z.data() + row, args.x = of.x.data() + row, args.b = of.b.data() + row, args.c = of.c.data() + row;
  args.b_norm = of.b_norm.data(), args.c_norm = of.c_norm.data();
  args.b_bias = of.b_bias.data(), args.c_bias = of.c_bias.data(), args.d = of.d.data();
  args.mimo_x = Case::data_or_null(of.mimo_x), args.mimo_z = Case::data_or_null(of.mimo_z);
  args.mimo_o = Case::data_or_null(of.mimo_o), args.norm = Case::data_or_null(of.norm);
  const std::ptrdiff_t heads = std::ptrdiff_t{first} * s.heads;
  args.dt = of.dt.data() + heads, args.a = of.a.data() + heads, args.lambda = of.lambda.data() + heads;
  args.rest = rest.data() + heads, args.turn = of.turn.data() + std::ptrdiff_t{first} * s.angles();
  args.angle = of.angle.data(), args.turns = of.turns.data();
  args.k_prev = of.k_prev.data(), args.x_prev = of.x_prev.data(), args.h = of.h.data();
  args.out = out.data() + first * inner;
  return args;
}

// Token by token, through the families of a step.
void step_all(Case& of, int tokens, std::vector<double>& out) {
  const tests::MixerShape& s = of.shape;
  const std::ptrdiff_t inner = std::ptrdiff_t{s.heads} * s.headdim;
  for (std::ptrdiff_t t = 0; t < tokens; ++t) {
    const std::ptrdiff_t row = t * of.stride;
    auto rotate = of.rotate();
    rotate.batch = 1;
    rotate.b += row, rotate.c += row, rotate.dt += t * s.heads, rotate.turn += t * s.angles();
    kernels::reference::rotate(rotate);
    auto update = of.state_update();
    update.batch = 1;
    update.x += row, update.alpha += t * s.heads, update.beta += t * s.heads, update.gamma += t * s.heads;
    kernels::reference::state_update(update);
    auto readout = of.readout();
    readout.batch = 1;
    readout.x += row, readout.z += row;
    kernels::reference::readout(readout);
    if (s.mimo) {
      auto mix = of.mimo_mix();
      mix.batch = 1, mix.out = out.data() + t * inner;
      kernels::reference::mimo_mix(mix);
    } else {
      std::copy_n(of.values.begin(), inner, out.begin() + t * inner);
    }
  }
}

}  // namespace

TEST_CASE("prefill: the chunked form is the recurrence, in one piece and in several, for every shape") {
  constexpr int tokens = 150;
  const std::vector<std::vector<int>> divisions = {{tokens}, {1, 7, 64, 77, 1}, {149, 1}, {63, 65, 22}};
  for (tests::MixerShape shape : tests::mixer_shapes()) {
    shape.batch = tokens;
    if (shape.headdim * shape.d_state * shape.rank > 64 * 128 * 4) shape.headdim = 16;  // double, scalar loops
    CAPTURE(shape.text());
    Case stepped(shape, 5);
    const auto rows = stepped.coefficients();
    kernels::reference::coefficients(rows);
    std::vector<double> rest;
    for (const double lambda : stepped.lambda) rest.push_back(1 - lambda);
    const std::size_t outputs =
        static_cast<std::size_t>(tokens) * static_cast<std::size_t>(shape.heads * shape.headdim);
    const Case start = stepped;
    std::vector<double> expected(outputs);
    step_all(stepped, tokens, expected);
    for (const std::vector<int>& division : divisions) {
      CAPTURE(division.size());
      Case chunked = start;
      std::vector<double> out(outputs);
      int first = 0;
      for (const int count : division) {
        kernels::reference::prefill(prefill_args(chunked, first, count, rest, out));
        first += count;
      }
      REQUIRE(first == tokens);
      // Only the first sequence's part of the state was worked on; the rest is as it was, on both sides.
      CHECK(difference(out, expected).max_rel < 1e-10);
      CHECK(difference(chunked.h, stepped.h).max_rel < 1e-10);
      CHECK(difference(chunked.k_prev, stepped.k_prev).max_rel == 0);
      CHECK(difference(chunked.x_prev, stepped.x_prev).max_rel == 0);
      CHECK(difference(chunked.angle, stepped.angle).max_rel == 0);
      CHECK(chunked.turns == stepped.turns);
    }
  }
}
