// The recurrence's families over the sweep of shapes: rotate, state_update, readout.
#include "kernels/device/launch.h"
#include "kernels/reference/reference.h"
#include "tests/gpu/shapes.h"
#include "tests/gpu/twin.h"

#include <algorithm>
#include <cmath>

using namespace gpu_test;
namespace reference = kernels::reference;
namespace device = kernels::device;

namespace {

constexpr double two_pi = 6.283185307179586;

template <class Body>
void for_each_shape(const Body& body) {
  for (const Shape& shape : mixer_shapes()) {
    for (const int batch : batches()) {
      CAPTURE(shape);
      CAPTURE(batch);
      body(shape, batch);
    }
  }
}

std::size_t product(int a, int b, int c = 1, int d = 1) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c) *
         static_cast<std::size_t>(d);
}

}  // namespace

TEST_CASE("gpu rotate: angles stay in [0, 2 pi), turns are counted, keys and queries agree") {
  for_each_shape([](const Shape& s, int batch) {
    Random random(31);
    const int stride = 2 * s.keys() + 7;
    Twin projected(random.values(product(batch, stride), -2, 2));
    Weight b_norm(random.values(product(s.d_state, 1), 0.5F, 1.5F)),
        c_norm(random.values(product(s.d_state, 1), 0.5F, 1.5F));
    Weight b_bias(random.values(product(s.heads, s.rank, s.d_state), -1, 1));
    Weight c_bias(random.values(product(s.heads, s.rank, s.d_state), -1, 1));
    Twin dt(random.values(product(batch, s.heads), 0, 4)),
        turn(random.values(product(batch, s.angles()), -3.14F, 3.14F));
    const std::size_t angle_count = product(batch, s.heads, s.angles());
    Twin angle(random.values(angle_count, 0, 6.28F));
    std::vector<std::int32_t> turns(angle_count);
    for (std::size_t i = 0; i < turns.size(); ++i) turns[i] = static_cast<std::int32_t>(i % 7) - 3;
    const Array<std::int32_t> device_turns(turns);
    Twin k = Twin::output(product(batch, s.rank, s.heads, s.d_state)), q = Twin::output(k.host.size());
    const auto args = [&](auto on, std::int32_t* turns_place) {
      kernels::RotateArgs<typename decltype(on)::Type> made;
      made.batch = batch;
      made.heads = s.heads;
      made.rank = s.rank;
      made.groups = s.groups;
      made.d_state = s.d_state;
      made.angles = s.angles();
      made.half_pairs = s.mimo;
      made.stride = stride;
      made.b = on(projected);
      made.c = made.b + s.keys();
      made.b_norm = on(b_norm);
      made.c_norm = on(c_norm);
      made.b_bias = on(b_bias);
      made.c_bias = on(c_bias);
      made.dt = on(dt);
      made.turn = on(turn);
      made.angle = on(angle);
      made.turns = turns_place;
      made.k = on(k);
      made.q = on(q);
      return made;
    };
    finish(device::rotate(args(OnDevice{}, device_turns.data()), stream().handle()));
    reference::rotate(args(OnHost{}, turns.data()));
    CHECK_TWIN(k, 2e-6);
    CHECK_TWIN(q, 2e-6);
    const std::vector<float> found = angle.device.read();
    const std::vector<std::int32_t> found_turns = device_turns.read();
    double worst = 0;
    bool inside = true;
    for (std::size_t i = 0; i < found.size(); ++i) {
      inside = inside && found[i] >= 0 && static_cast<double>(found[i]) < two_pi;
      const double phase = static_cast<double>(found[i]) + two_pi * found_turns[i];
      worst = std::max(worst, std::fabs(phase - (angle.host[i] + two_pi * turns[i])));
    }
    CHECK(inside);
    CHECK(worst <= 4e-7);  // half a unit in the last place of an angle below 2 pi, and turn * dt on top
  });
}

TEST_CASE("gpu state_update: every shape; the rows' sums of squares too") {
  for_each_shape([](const Shape& s, int batch) {
    Random random(37);
    const int stride = s.inner() + 3;
    const std::size_t keys = product(batch, s.rank, s.heads, s.d_state);
    Twin alpha(random.values(product(batch, s.heads), 0, 1)), beta(random.values(product(batch, s.heads), 0, 1)),
        gamma(random.values(product(batch, s.heads), 0, 1));
    Twin projected(random.values(product(batch, stride), -2, 2)),
        x_prev(random.values(product(batch, s.inner()), -2, 2));
    Twin k(random.values(keys, -2, 2)), k_prev(random.values(keys, -2, 2));
    Weight mimo_x(random.values(product(s.heads, s.rank, s.headdim), -1, 1));
    Twin h(random.values(product(batch, s.inner(), s.d_state), -3, 3));
    Twin row_norm2 = Twin::output(product(batch, s.inner())), row_change2 = Twin::output(product(batch, s.inner()));
    const auto args = [&](auto on) {
      kernels::StateUpdateArgs<typename decltype(on)::Type> made;
      made.batch = batch;
      made.heads = s.heads;
      made.headdim = s.headdim;
      made.d_state = s.d_state;
      made.rank = s.rank;
      made.alpha = on(alpha);
      made.beta = on(beta);
      made.gamma = on(gamma);
      made.stride = stride;
      made.x = on(projected);
      made.x_prev = on(x_prev);
      made.k = on(k);
      made.k_prev = on(k_prev);
      made.mimo_x = s.mimo ? on(mimo_x) : nullptr;
      made.h = on(h);
      made.row_norm2 = on(row_norm2);
      made.row_change2 = on(row_change2);
      return made;
    };
    finish(device::state_update(args(OnDevice{}), stream().handle()));
    reference::state_update(args(OnHost{}));
    CHECK_TWIN(h, 1e-6);
    CHECK_TWIN(row_norm2, 3e-6);
    CHECK_TWIN(row_change2, 3e-6);
  });
}

TEST_CASE("gpu readout: every shape, with and without an output norm; the caches take key and value") {
  for (const bool output_norm : {false, true}) {
    for_each_shape([output_norm](const Shape& s, int batch) {
      CAPTURE(output_norm);
      Random random(41);
      const int stride = 2 * s.inner() + 3;
      const std::size_t keys = product(batch, s.rank, s.heads, s.d_state);
      const std::size_t inner = product(batch, s.inner());
      Twin h(random.values(inner * static_cast<std::size_t>(s.d_state), -1, 1)), q(random.values(keys, -2, 2)),
          k(random.values(keys, -2, 2)), projected(random.values(product(batch, stride), -2, 2));
      Weight d(random.values(product(s.heads, 1), 0.5F, 1.5F));
      Weight mimo_x(random.values(product(s.heads, s.rank, s.headdim), -1, 1));
      Weight mimo_z(random.values(product(s.heads, s.rank, s.headdim), -1, 1));
      Weight norm(random.values(product(s.heads, s.headdim), 0.5F, 1.5F));
      Twin row_norm2(random.values(inner, 0, 2)), row_change2(random.values(inner, 0, 2));
      Twin out = Twin::output(inner * static_cast<std::size_t>(s.rank)), k_prev = Twin::output(keys),
           x_prev = Twin::output(inner), state_norm = Twin::output(product(batch, s.heads)),
           state_change = Twin::output(product(batch, s.heads));
      const auto args = [&](auto on) {
        kernels::ReadoutArgs<typename decltype(on)::Type> made;
        made.batch = batch;
        made.heads = s.heads;
        made.headdim = s.headdim;
        made.d_state = s.d_state;
        made.rank = s.rank;
        made.h = on(h);
        made.q = on(q);
        made.k = on(k);
        made.stride = stride;
        made.z = on(projected);
        made.x = made.z + s.inner();
        made.d = on(d);
        made.mimo_x = s.mimo ? on(mimo_x) : nullptr;
        made.mimo_z = s.mimo ? on(mimo_z) : nullptr;
        made.norm = output_norm ? on(norm) : nullptr;
        made.row_norm2 = on(row_norm2);
        made.row_change2 = on(row_change2);
        made.out = on(out);
        made.k_prev = on(k_prev);
        made.x_prev = on(x_prev);
        made.state_norm = on(state_norm);
        made.state_change = on(state_change);
        return made;
      };
      finish(device::readout(args(OnDevice{}), stream().handle()));
      reference::readout(args(OnHost{}));
      CHECK_TWIN(out, 3e-6);
      CHECK_TWIN(k_prev, 0.0);
      CHECK_TWIN(x_prev, 0.0);
      CHECK_TWIN(state_norm, 1e-6);
      CHECK_TWIN(state_change, 1e-6);
    });
  }
}
