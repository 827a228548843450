#include "engine/analysis/two_point_rules.h"

#include "engine/analysis/discretisation.h"

#include <doctest/doctest.h>

#include <string>

using namespace engine;

TEST_CASE("the table is in the order of its kinds and names each rule once") {
  for (std::size_t i = 0; i < rule_count; ++i) {
    CHECK(two_point_rules()[i].kind == static_cast<RuleKind>(i));
    for (std::size_t j = 0; j < i; ++j)
      CHECK(std::string(two_point_rules()[i].key) != std::string(two_point_rules()[j].key));
  }
}

TEST_CASE("the generalised trapezoid holds Mamba's coefficients, Euler and the trapezoid at its ends") {
  const Complex mu(-0.7, -0.4);
  const auto generalised = two_point_rule(RuleKind::generalised_trapezoid).step;
  for (const double dt : {0.01, 0.5}) {
    const RuleCoefficients model = rule_coefficients(-0.7, dt, 0.3);
    const TwoPointStep real = generalised(-0.7, dt, 0.3);
    CHECK(std::abs(real.alpha - model.alpha) < 1e-16);
    CHECK(std::abs(real.beta - model.beta) < 1e-16);
    CHECK(std::abs(real.gamma - model.gamma) < 1e-16);
    const TwoPointStep euler = two_point_rule(RuleKind::exponential_euler).step(mu, dt, 0.9);
    CHECK(euler.beta == 0.0);
    CHECK(euler.gamma == generalised(mu, dt, 1).gamma);
    CHECK(two_point_rule(RuleKind::exponential_trapezoid).step(mu, dt, 0.9).beta == generalised(mu, dt, 0.5).beta);
  }
}

TEST_CASE("every rule has the steady state of a constant input in the limit of small steps") {
  // (1 - alpha) h = (beta + gamma) u at rest, h = -u / mu. Holds and textbook rules have it at any step.
  const Complex mu(-0.7, -0.4);
  for (const TwoPointRule& rule : two_point_rules()) {
    CAPTURE(rule.name);
    const TwoPointStep step = rule.step(mu, 1e-4, 0.3);
    CHECK(std::abs((step.beta + step.gamma) / (1.0 - step.alpha) + 1.0 / mu) < 1e-3);
    if (rule.kind >= RuleKind::zero_order_hold) {
      const TwoPointStep big = rule.step(mu, 1.5, 0.3);
      CHECK(std::abs((big.beta + big.gamma) / (1.0 - big.alpha) + 1.0 / mu) < 1e-14);
    }
  }
}

TEST_CASE(
    "stability: exponential and bilinear rules in the left half plane, explicit Euler in a disc, implicit outside "
    "one") {
  for (const Complex x : {Complex(-0.5, 0.2), Complex(-3, 2), Complex(-0.1, 3), Complex(0.3, 0.1), Complex(2.5, 0.3)}) {
    const bool left = x.real() < 0;
    for (const TwoPointRule& rule : two_point_rules()) {
      CAPTURE(rule.name);
      const bool stable = std::abs(growth(rule.kind, x)) <= 1;
      if (rule.exponential) CHECK(std::abs(growth(rule.kind, x) - std::exp(x)) < 1e-15 * std::exp(x.real()));
      if (rule.kind == RuleKind::forward_euler)
        CHECK(stable == (std::abs(1.0 + x) <= 1));
      else if (rule.kind == RuleKind::backward_euler)
        CHECK(stable == (std::abs(1.0 - x) >= 1));
      else
        CHECK(stable == left);
    }
  }
}

TEST_CASE("orders: half makes the generalised rule the classical one, a held A takes the second order from all") {
  const TwoPointRule& generalised = two_point_rule(RuleKind::generalised_trapezoid);
  CHECK(orders_of(generalised, 0.7, false).local == 2);
  CHECK(orders_of(generalised, 0.5, false).local == 3);
  for (const TwoPointRule& rule : two_point_rules()) CHECK(orders_of(rule, 0.5, true).global == 1);
}
