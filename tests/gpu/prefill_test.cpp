// The kernels of a prefill against the chunked form in double, over every shape and lengths around a chunk's.
#include "kernels/prefill/device.h"
#include "kernels/reference/reference.h"
#include "tests/gpu/shapes.h"
#include "tests/gpu/twin.h"

#include <bit>
#include <cmath>
#include <cstdint>

using namespace gpu_test;
namespace device = kernels::device;

namespace {

constexpr double two_pi = 6.283185307179586;

std::size_t product(int a, int b, int c = 1, int d = 1) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c) *
         static_cast<std::size_t>(d);
}

// A text's rows of the input projection and a layer's small tensors, for both sides.
struct PrefillCase {
  Shape s;
  int tokens, stride, coefficients_at;
  bool output_norm;
  Random random{43};
  Twin projected, dt, a, lambda, rest, turn;
  Weight b_norm, c_norm, b_bias, c_bias, dt_bias, d, mimo_x, mimo_z, mimo_o, norm;
  Twin angle, k_prev, x_prev, h, out, normed, turned, read, k_last;
  std::vector<std::int32_t> turns;
  Array<std::int32_t> device_turns;

  PrefillCase(const Shape& shape, int length, bool with_norm)
      : s(shape),
        tokens(length),
        stride(2 * s.inner() + 2 * s.keys() + 3 * s.heads + s.angles()),
        coefficients_at(2 * s.inner() + 2 * s.keys()),
        output_norm(with_norm),
        projected(random.values(product(tokens, stride), -2, 2)),
        dt(Twin::output(product(tokens, s.heads))),
        a(Twin::output(dt.host.size())),
        lambda(Twin::output(dt.host.size())),
        rest(Twin::output(dt.host.size())),
        turn(Twin::output(product(tokens, s.angles()))),
        b_norm(random.values(product(s.d_state, 1), 0.5F, 1.5F)),
        c_norm(random.values(product(s.d_state, 1), 0.5F, 1.5F)),
        b_bias(random.values(product(s.heads, s.rank, s.d_state), -1, 1)),
        c_bias(random.values(product(s.heads, s.rank, s.d_state), -1, 1)),
        dt_bias(random.values(product(s.heads, 1), -4, 1)),
        d(random.values(product(s.heads, 1), 0.5F, 1.5F)),
        mimo_x(random.values(product(s.heads, s.rank, s.headdim), -1, 1)),
        mimo_z(random.values(product(s.heads, s.rank, s.headdim), -1, 1)),
        mimo_o(random.values(product(s.heads, s.rank, s.headdim), -1, 1)),
        norm(random.values(product(s.heads, s.headdim), 0.5F, 1.5F)),
        angle(random.values(product(s.heads, s.angles()), 0, 6.28F)),
        k_prev(random.values(product(s.rank, s.heads, s.d_state), -2, 2)),
        x_prev(random.values(product(s.heads, s.headdim), -2, 2)),
        h(random.values(product(s.heads, s.headdim, s.d_state), -3, 3)),
        out(Twin::output(product(tokens, s.heads, s.headdim))),
        normed(Twin::output(product(tokens, 2, s.keys()))),
        turned(Twin::output(product(tokens, s.heads, 2 * s.angles()))),
        read(Twin::output(product(tokens, s.rank, s.heads, s.headdim))),
        k_last(Twin::output(k_prev.host.size())),
        turns(product(s.heads, s.angles()), -2),
        device_turns(turns) {}

  template <class On>
  auto args(On on, std::int32_t* turns_place) {
    kernels::PrefillArgs<typename On::Type> made;
    made.tokens = tokens;
    made.heads = s.heads;
    made.headdim = s.headdim;
    made.d_state = s.d_state;
    made.rank = s.rank;
    made.groups = s.groups;
    made.angles = s.angles();
    made.half_pairs = s.mimo;
    made.stride = stride;
    made.z = on(projected);
    made.raw = made.z + coefficients_at;
    made.raw_stride = stride;
    made.x = made.z + s.inner();
    made.b = made.x + s.inner();
    made.c = made.b + s.keys();
    made.b_norm = on(b_norm), made.c_norm = on(c_norm), made.b_bias = on(b_bias), made.c_bias = on(c_bias);
    made.d = on(d);
    if (s.mimo) made.mimo_x = on(mimo_x), made.mimo_z = on(mimo_z), made.mimo_o = on(mimo_o);
    if (output_norm) made.norm = on(norm);
    made.dt = on(dt), made.a = on(a), made.lambda = on(lambda), made.rest = on(rest), made.turn = on(turn);
    made.angle = on(angle), made.turns = turns_place;
    made.k_prev = on(k_prev), made.x_prev = on(x_prev), made.h = on(h);
    made.normed = on(normed), made.turned = on(turned), made.read = on(read), made.k_last = on(k_last);
    made.out = on(out);
    return made;
  }

  void run_on_device() {
    const auto made = args(OnDevice{}, device_turns.data());
    kernels::CoefficientRows rows;
    rows.heads = s.heads;
    rows.angles = s.angles();
    rows.dt_bias = dt_bias.device.data();
    rows.dt = dt.device.data(), rows.a = a.device.data(), rows.lambda = lambda.device.data();
    rows.rest = rest.device.data(), rows.turn = turn.device.data();
    finish(device::prefill_coefficients(made, rows, stream().handle()));
    finish(device::prefill_angles(made, stream().handle()));
    finish(device::prefill_chunks(made, stream().handle()));
    finish(device::prefill_readout(made, stream().handle()));
  }

  void run_on_host() {
    kernels::CoefficientsArgs<double> made;
    std::vector<double> unused(dt.host.size());
    made.batch = tokens;
    made.heads = s.heads;
    made.angles = s.angles();
    made.stride = stride;
    made.dd_dt = projected.host.data() + coefficients_at;
    made.dd_a = made.dd_dt + s.heads;
    made.trap = made.dd_a + s.heads;
    made.angle = made.trap + s.heads;
    made.dt_bias = dt_bias.host.data();
    made.dt = dt.host.data(), made.a = a.host.data(), made.lambda = lambda.host.data();
    made.alpha = made.beta = made.gamma = unused.data(), made.turn = turn.host.data();
    kernels::reference::coefficients(made);
    for (std::size_t i = 0; i < rest.host.size(); ++i) rest.host[i] = 1 - lambda.host[i];
    kernels::reference::prefill(args(OnHost{}, turns.data()));
  }

  // Of the angles and whole turns together, in radians.
  double phase_difference() const {
    const std::vector<float> found = angle.device.read();
    const std::vector<std::int32_t> found_turns = device_turns.read();
    double worst = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (!(found[i] >= 0 && static_cast<double>(found[i]) < two_pi)) return HUGE_VAL;
      const double phase = static_cast<double>(found[i]) + two_pi * found_turns[i];
      worst = std::max(worst, std::fabs(phase - (angle.host[i] + two_pi * turns[i])));
    }
    return worst;
  }
};

}  // namespace

TEST_CASE("gpu prefill: every shape and length agrees with the chunked form in double") {
  const std::vector<int> lengths = small() ? std::vector<int>{1, 37} : std::vector<int>{1, 7, 63, 64, 65, 200};
  for (const bool output_norm : {false, true}) {
    for (const Shape& shape : mixer_shapes()) {
      if (shape.heads > 32) continue;  // the twin takes seconds
      for (const int length : lengths) {
        if (output_norm && length != 37 && length != 65) continue;
        CAPTURE(shape);
        CAPTURE(length);
        CAPTURE(output_norm);
        PrefillCase both(shape, length, output_norm);
        both.run_on_device();
        both.run_on_host();
        CHECK_TWIN(both.h, 4e-6);
        CHECK_TWIN(both.k_prev, 4e-6);
        CHECK_TWIN(both.x_prev, 0.0);
        CHECK_TWIN(both.out, 1e-5);
        CHECK(both.phase_difference() <= 1e-6 * length);  // dt and turn are rounded to fp32 for every token
      }
    }
  }
}

TEST_CASE("gpu prefill: a bf16 state is rounded once, and in the end") {
  for (const Shape& shape : mixer_shapes()) {
    if (shape.heads > 32) continue;
    CAPTURE(shape);
    PrefillCase both(shape, 70, false);
    std::vector<std::uint16_t> narrow;
    for (double& value : both.h.host) {
      const auto bits = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(static_cast<float>(value)) >> 16U);
      narrow.push_back(bits);
      value = std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
    }
    const Array<std::uint16_t> device_narrow(narrow);
    both.run_on_host();
    auto made = both.args(OnDevice{}, both.device_turns.data());
    both.run_on_device();  // the coefficients, and a state that is not looked at
    const PrefillCase again(shape, 70, false);
    made.angle = again.angle.device.data(), made.turns = again.device_turns.data();
    made.k_prev = again.k_prev.device.data(), made.x_prev = again.x_prev.device.data();
    made.h = nullptr;
    made.h_bf16 = device_narrow.data();
    finish(device::prefill_angles(made, stream().handle()));
    finish(device::prefill_chunks(made, stream().handle()));
    const std::vector<std::uint16_t> found = device_narrow.read();
    double largest = 0;
    for (const double value : both.h.host) largest = std::max(largest, std::fabs(value));
    bool close = true;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const double value = std::bit_cast<float>(static_cast<std::uint32_t>(found[i]) << 16U);
      const double exact = both.h.host[i];
      close = close && std::fabs(value - exact) <= std::fabs(exact) * 0x1p-8 + 4e-6 * largest;
    }
    CHECK(close);
  }
}
