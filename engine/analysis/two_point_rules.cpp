#include "engine/analysis/two_point_rules.h"

#include <algorithm>
#include <cmath>

namespace engine {

namespace {

TwoPointStep weighted(Complex mu, double dt, double lambda) {
  const Complex alpha = std::exp(mu * dt);
  return {alpha, (1 - lambda) * dt * alpha, lambda * dt};
}
TwoPointStep euler(Complex mu, double dt, double /*lambda*/) { return weighted(mu, dt, 1.0); }
TwoPointStep trapezoid(Complex mu, double dt, double /*lambda*/) { return weighted(mu, dt, 0.5); }
TwoPointStep zero_order_hold(Complex mu, double dt, double /*lambda*/) {
  return {std::exp(mu * dt), 0, dt * phi1(mu * dt)};
}
TwoPointStep first_order_hold(Complex mu, double dt, double /*lambda*/) {
  const Complex phi_2 = phi2(mu * dt);
  return {std::exp(mu * dt), dt * (phi1(mu * dt) - phi_2), dt * phi_2};
}
TwoPointStep forward_euler(Complex mu, double dt, double /*lambda*/) { return {1.0 + mu * dt, dt, 0}; }
TwoPointStep backward_euler(Complex mu, double dt, double /*lambda*/) {
  const Complex factor = 1.0 / (1.0 - mu * dt);
  return {factor, 0, dt * factor};
}
TwoPointStep bilinear(Complex mu, double dt, double /*lambda*/) {
  const Complex factor = 1.0 / (1.0 - 0.5 * mu * dt), half = 0.5 * dt * factor;
  return {(1.0 + 0.5 * mu * dt) * factor, half, half};
}

// The quadrature's error is that of g(s) = e^(mu (dt - s)) u(t + s), whose derivatives at s = 0 carry the factor e^x:
// (lambda - 1/2) dt^2 g' + (lambda / 2 - 1/6) dt^3 g''. With e^x = 1 + mu dt + ..., part of the first is of third order.
LeadingError weighted_error(const StepStart& at, double lambda) {
  const Complex slope = at.du - at.mu * at.u;
  const Complex curve = at.ddu - 2.0 * at.mu * at.du + at.mu * at.mu * at.u;
  return {(lambda - 0.5) * slope, (lambda - 0.5) * at.mu * slope + (lambda / 2 - 1.0 / 6) * curve};
}
LeadingError euler_error(const StepStart& at, double /*lambda*/) { return weighted_error(at, 1.0); }
LeadingError trapezoid_error(const StepStart& at, double /*lambda*/) { return weighted_error(at, 0.5); }
LeadingError zero_order_error(const StepStart& at, double /*lambda*/) {
  return {0.5 * at.du, (at.mu * at.du + at.ddu) / 3.0};
}
LeadingError first_order_error(const StepStart& at, double /*lambda*/) { return {0, at.ddu / 12}; }

// Derivatives of the true state.
struct StateDerivatives {
  Complex second, third;
  explicit StateDerivatives(const StepStart& at) {
    const Complex first = at.mu * at.h + at.u;
    second = at.mu * first + at.a_slope * at.h + at.du;
    third = at.mu * second + at.ddu;  // for constant A
  }
};
LeadingError forward_error(const StepStart& at, double /*lambda*/) {
  const StateDerivatives h(at);
  return {-0.5 * h.second, -h.third / 6.0};
}
LeadingError backward_error(const StepStart& at, double /*lambda*/) {
  const StateDerivatives h(at);
  return {0.5 * h.second, h.third / 3.0 + 0.5 * at.mu * h.second};
}
LeadingError bilinear_error(const StepStart& at, double /*lambda*/) {
  const StateDerivatives h(at);
  return {0, h.third / 12.0};
}

constexpr std::array<TwoPointRule, rule_count> table = {{
    {RuleKind::exponential_euler,
     "exponential_euler",
     "exponential Euler",
     "e^x, 0, dt",
     {2, 1},
     true,
     0.5,
     euler,
     euler_error},
    {RuleKind::exponential_trapezoid,
     "exponential_trapezoid",
     "exponential trapezoid",
     "e^x, dt e^x / 2, dt / 2",
     {3, 2},
     true,
     0.5,
     trapezoid,
     trapezoid_error},
    {RuleKind::generalised_trapezoid,
     "generalised_trapezoid",
     "generalised trapezoid",
     "e^x, (1 - lambda) dt e^x, lambda dt",
     {2, 1},
     true,
     0.5,
     weighted,
     weighted_error},
    {RuleKind::zero_order_hold,
     "zero_order_hold",
     "zero-order hold",
     "e^x, 0, dt phi1(x)",
     {2, 1},
     true,
     0.5,
     zero_order_hold,
     zero_order_error},
    {RuleKind::first_order_hold,
     "first_order_hold",
     "first-order hold",
     "e^x, dt (phi1(x) - phi2(x)), dt phi2(x)",
     {3, 2},
     true,
     0.5,
     first_order_hold,
     first_order_error},
    {RuleKind::forward_euler,
     "forward_euler",
     "forward Euler",
     "1 + x, dt, 0",
     {2, 1},
     false,
     0.0,
     forward_euler,
     forward_error},
    {RuleKind::backward_euler,
     "backward_euler",
     "backward Euler",
     "1 / (1 - x), 0, dt / (1 - x)",
     {2, 1},
     false,
     1.0,
     backward_euler,
     backward_error},
    {RuleKind::bilinear,
     "bilinear",
     "bilinear",
     "(1 + x/2) / (1 - x/2), dt / (2 - x), dt / (2 - x)",
     {3, 2},
     false,
     0.5,
     bilinear,
     bilinear_error},
}};

}  // namespace

const std::array<TwoPointRule, rule_count>& two_point_rules() { return table; }

const TwoPointRule& two_point_rule(RuleKind kind) { return table[static_cast<std::size_t>(kind)]; }

Orders orders_of(const TwoPointRule& rule, double lambda, bool a_varies_and_end_is_held) {
  Orders orders = rule.orders;
  if (rule.kind == RuleKind::generalised_trapezoid && lambda == 0.5) orders = {3, 2};
  if (a_varies_and_end_is_held) orders = {std::min(orders.local, 2), std::min(orders.global, 1)};
  return orders;
}

Complex growth(RuleKind kind, Complex x) { return two_point_rule(kind).step(x, 1.0, 0.5).alpha; }

}  // namespace engine
