// One head over four tokens against numbers that were computed independently, in double precision, from the definition
// of the model: N = 8, P = 2, rope_fraction 0.5, SISO and MIMO of rank 2, with and without an output norm. Inputs are
// sin(0.7 (t + 1) + 1.3 name + 0.37 index), name being 0 for z, 1 x, 2 B, 3 C, 4 dd_dt, 5 dd_A, 6 trap, 7 angle.
#include "kernels/cpu/table.h"
#include "kernels/reference/reference.h"
#include "tests/support/mixer_case.h"

#include <doctest/doctest.h>

#include <cmath>
#include <type_traits>
#include <vector>

namespace {

// Runs the families on double with the reference, on float with a table of the CPU backend.
struct Families {
  const kernels::cpu::Table* table = nullptr;

  void run(tests::MixerCase<double>& m) const {
    kernels::reference::coefficients(m.coefficients());
    kernels::reference::rotate(m.rotate());
    kernels::reference::state_update(m.state_update());
    kernels::reference::readout(m.readout());
    if (m.shape.mimo) kernels::reference::mimo_mix(m.mimo_mix());
  }
  void run(tests::MixerCase<float>& m) const {
    const auto all = [](auto kernel, const auto& args) { kernel(args, 0, kernels::cpu::items(args)); };
    kernels::cpu::coefficients(m.coefficients());
    all(table->rotate, m.rotate());
    all(table->state_update, m.state_update());
    all(table->readout, m.readout());
    if (m.shape.mimo) all(table->mimo_mix, m.mimo_mix());
  }
};

struct Expected {
  bool mimo, norm;
  double o[4][2];
};

const Expected expected[] = {
    {false,
     false,
     {{0.273589689, 0.307687506},
      {0.472956833, -0.017405850},
      {-0.448868198, -1.035707741},
      {-1.002479575, 0.102155100}}},
    {false,
     true,
     {{0.474046626, 0.586440400},
      {1.014110427, -0.041053640},
      {-0.238410045, -0.605111798},
      {-0.158910206, 0.017812669}}},
    {true,
     false,
     {{0.951134641, 0.849687930},
      {1.965284320, 0.683477144},
      {-0.167243310, -0.668741276},
      {-0.566317050, 0.053808281}}},
    {true,
     true,
     {{0.559747781, 0.554205627},
      {1.091343171, 0.378599081},
      {-0.266292872, -0.550977203},
      {-0.184575442, 0.017587761}}},
};
const double siso_row[8] = {0.0018985,  -0.0068718, 0.1195028,  0.2221309,
                            -0.4183387, -0.5378933, -0.6179242, -0.6438066};
const double mimo_row[8] = {0.4122224, 0.3947052, -0.2513107, -0.2449270, 0.1871109, 0.2747857, -0.1998922, -0.1841567};
// t = 0 and 1: dt, A, lambda, alpha, beta, gamma.
const double scalars[2][6] = {{0.225639457, -1.793667864, 0.689650767, 0.667162094, 0.046719382, 0.155612425},
                              {0.407030400, -1.998941342, 0.555492928, 0.443246206, 0.080195601, 0.226102509}};
const double last_angle[2] = {-3.808861767, -3.339603968};

template <class T>
void check(const Expected& e, const Families& families, double tolerance) {
  const int rank = e.mimo ? 2 : 1;
  tests::MixerShape shape;
  shape.headdim = 2, shape.d_state = 8, shape.rank = rank, shape.mimo = e.mimo, shape.output_norm = e.norm;
  tests::MixerCase<T> m(shape, 1);
  m.dt_bias = {-1.0F};
  m.d = {0.9F};
  for (auto* state : {&m.angle, &m.h, &m.k_prev, &m.x_prev}) state->assign(state->size(), T(0));
  m.turns.assign(m.turns.size(), 0);
  for (int n = 0; n < 8; ++n) {
    m.b_norm[n] = static_cast<float>(1 + 0.05 * n);
    m.c_norm[n] = static_cast<float>(1 - 0.03 * n);
    for (int r = 0; r < rank; ++r) {
      m.b_bias[r * 8 + n] = static_cast<float>(1 + 0.01 * (r + 1) * (n + 1));
      m.c_bias[r * 8 + n] = static_cast<float>(1 - 0.02 * (r + 1) + 0.01 * n);
    }
  }
  for (int p = 0; p < 2; ++p) {
    if (e.norm) m.norm[p] = static_cast<float>(1 + 0.1 * p);
    for (int r = 0; e.mimo && r < rank; ++r) {
      m.mimo_x[r * 2 + p] = static_cast<float>(0.5 + 0.1 * std::sin(r + 2 * p));
      m.mimo_z[r * 2 + p] = static_cast<float>(1 + 0.1 * std::cos(r + p));
      m.mimo_o[r * 2 + p] = static_cast<float>(0.5 + 0.05 * std::sin(2 * r - p));
    }
  }
  for (int t = 0; t < 4; ++t) {
    int name = 0;
    for (auto* piece : {&m.z, &m.x, &m.b, &m.c, &m.dd_dt, &m.dd_a, &m.trap, &m.raw_angle}) {
      for (std::size_t i = 0; i < piece->size(); ++i) {
        (*piece)[i] = static_cast<T>(std::sin(0.7 * (t + 1) + 1.3 * name + 0.37 * static_cast<double>(i)));
      }
      ++name;
    }
    families.run(m);
    for (int p = 0; p < 2; ++p) {
      CAPTURE(t);
      CHECK(std::fabs(static_cast<double>(e.mimo ? m.mixed[p] : m.values[p]) - e.o[t][p]) < tolerance);
    }
    if (t < 2) {
      const T values[6] = {m.dt[0], m.a[0], m.lambda[0], m.alpha[0], m.beta[0], m.gamma[0]};
      for (int i = 0; i < 6; ++i) CHECK(std::fabs(static_cast<double>(values[i]) - scalars[t][i]) < tolerance);
    }
  }
  for (int n = 0; n < 8; ++n) {
    CHECK(std::fabs(static_cast<double>(m.h[n]) - (e.mimo ? mimo_row : siso_row)[n]) < tolerance + 1e-7);
  }
  for (int i = 0; i < 2; ++i) {
    const double angle = static_cast<double>(m.angle[i]);
    CHECK(angle >= 0);
    CHECK(angle < 6.2831854);
    CHECK(std::fabs(angle + 6.283185307179586 * m.turns[i] - last_angle[i]) < tolerance);
  }
  // The caches hold the last key and the last raw x.
  CHECK(m.k_prev == m.k);
  for (int p = 0; p < 2; ++p) CHECK(m.x_prev[p] == m.x[p]);
  double norm2 = 0;
  for (const T value : m.h) norm2 += static_cast<double>(value) * static_cast<double>(value);
  CHECK(static_cast<double>(m.state_norm[0]) == doctest::Approx(std::sqrt(norm2)).epsilon(1e-6));
}

}  // namespace

TEST_CASE("one head over four tokens: the reference agrees with the published numbers") {
  for (const Expected& e : expected) {
    CAPTURE(e.mimo);
    CAPTURE(e.norm);
    check<double>(e, {}, 1.5e-7);  // the weights are rounded to fp32 here
  }
}

TEST_CASE("one head over four tokens: every instruction set's fp32 kernels agree") {
  for (const kernels::cpu::Table* table : kernels::cpu::tables()) {
    CAPTURE(table->name);
    for (const Expected& e : expected) check<float>(e, {table}, 2e-6);
  }
}
