// Every discretisation rule that the program compares, as rows of one table: what a rule does in a step, how its error
// begins, and its orders. Trajectories, errors, slopes and stability all run over this table. Pure functions in double.
//
// One scalar state h' = mu h + u(t) over a step dt, x = mu dt, becomes h_t = alpha h_(t-1) + beta u_(t-1) + gamma u_t.
// The generalised trapezoid is Mamba-3's, lambda = 1 Mamba-1's and Mamba-2's, lambda = 1/2 the classical trapezoid
// (Mamba-3 paper, table 1). The forward, backward and bilinear rules are the textbook's, which see the input at both
// ends; papers on state space models often feed u_t alone to them, which lowers the bilinear rule to first order. The
// zero-order hold holds u_t, as there.
#pragma once

#include "engine/analysis/phi_functions.h"

#include <array>
#include <cstdint>

namespace engine {

enum class RuleKind : std::uint8_t {
  exponential_euler,
  exponential_trapezoid,
  generalised_trapezoid,
  zero_order_hold,
  first_order_hold,
  forward_euler,
  backward_euler,
  bilinear,
};
inline constexpr std::size_t rule_count = 8;

struct TwoPointStep {
  Complex alpha, beta, gamma;
};

// What the expansion of a step's error needs, all at the beginning of the step: mu, the slope of A, the true state, and
// the input with its first two derivatives.
struct StepStart {
  Complex mu, h;
  double a_slope = 0;
  double u = 0, du = 0, ddu = 0;
};

// rule - truth after one step from the truth is second dt^2 + third dt^3 + O(dt^4), for constant A.
struct LeadingError {
  Complex second, third;
};

struct Orders {
  int local = 0, global = 0;
};

struct TwoPointRule {
  RuleKind kind;
  const char* key;      // "exponential_euler", for files
  const char* name;     // "exponential Euler"
  const char* formula;  // alpha, beta, gamma in words of x = mu dt
  Orders orders;        // for a smooth input, constant A and a lambda that is not 1/2
  bool exponential;     // alpha is e^x: exact for the free state
  // Where in the step (0 the beginning, 1 the end) a held A would cost nothing in second order.
  double best_hold;
  TwoPointStep (*step)(Complex mu, double dt, double lambda);
  LeadingError (*leading)(const StepStart& start, double lambda);
};

// The table, in the order of RuleKind. `lambda` is read by the generalised trapezoid alone.
const std::array<TwoPointRule, rule_count>& two_point_rules();
const TwoPointRule& two_point_rule(RuleKind kind);

// The orders that a rule has: lambda = 1/2 makes the generalised trapezoid the classical one. Where A varies and its
// value at the end of a step is held over it, alpha is wrong by dt^2 A' / 2, and no exponential rule is above 2 and 1.
Orders orders_of(const TwoPointRule& rule, double lambda, bool a_varies_and_end_is_held);

// The factor by which a rule multiplies the free state, as a function of x = mu dt: stable where its magnitude is at
// most 1.
Complex growth(RuleKind kind, Complex x);

}  // namespace engine
