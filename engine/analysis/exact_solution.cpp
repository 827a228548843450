#include "engine/analysis/exact_solution.h"

#include "engine/analysis/gauss_legendre.h"

#include <algorithm>
#include <cmath>

namespace engine {

namespace {

// Integral of A over [from, to], without the cancellation of a difference of cosines.
double integral_of_a(const SignalProblem& p, double from, double to) {
  double integral = p.a * (to - from);
  if (p.varies() && p.swing_rate != 0) {
    integral += p.a * p.swing * 2 / p.swing_rate * std::sin(0.5 * p.swing_rate * (from + to)) *
                std::sin(0.5 * p.swing_rate * (to - from));
  }
  return integral;
}

Complex decay_over(const SignalProblem& p, double from, double to) {
  return std::exp(Complex(integral_of_a(p, from, to), -p.omega * (to - from)));
}

bool needs_quadrature(const SignalProblem& p) { return p.varies() || p.signal == Signal::chirp; }

// How fast the integrand changes, per unit of time. Derivatives of e^(i sweep t^2 / 2) and of a swinging decay grow
// faster than powers of their first one, hence the margins.
double pace(const SignalProblem& p, double until) {
  double pace = std::abs(p.mu());
  if (p.varies()) pace += std::abs(p.a * p.swing) + 4 * std::abs(p.swing_rate);
  if (p.signal == Signal::sine || p.signal == Signal::chirp || p.signal == Signal::exponential)
    pace += std::abs(p.rate);
  if (p.signal == Signal::chirp) pace += std::abs(p.sweep) * until + 6 * std::sqrt(std::abs(p.sweep));
  return pace;
}

// Integral over a step from `time` of e^(mu (dt - s)) e^(rate (time + s)) ds; no division by rate - mu, so that
// resonance is no special case. `term` is e^(mu dt) dt phi1((rate - mu) dt).
Complex exponential_term(Complex mu, Complex rate, double dt) {
  return std::exp(mu * dt) * dt * phi1((rate - mu) * dt);
}

int panels_for(double reach) { return std::max(1, static_cast<int>(std::ceil(reach / longest_reach))); }

}  // namespace

ExactStepper::ExactStepper(const SignalProblem& problem, double dt) : problem_(problem), dt_(dt) {
  const Complex mu = problem.mu();
  decay_ = std::exp(mu * dt);
  if (needs_quadrature(problem)) {
    const double reach = pace(problem, problem.duration) * dt;
    const int panels = panels_for(reach);
    const GaussLegendre& rule = gauss_legendre_for(reach / panels);
    for (int panel = 0; panel < panels; ++panel) {
      for (std::size_t i = 0; i < rule.node.size(); ++i) {
        node_.push_back(static_cast<double>((panel + rule.node[i]) / panels));
        weight_.push_back(static_cast<double>(rule.weight[i] / panels) * dt);
      }
    }
    for (std::size_t i = 0; i < node_.size(); ++i) kernel_.push_back(std::exp(mu * (dt * (1 - node_[i]))) * weight_[i]);
    return;
  }
  switch (problem.signal) {
    case Signal::constant:
    case Signal::step:
      term_ = dt * phi1(mu * dt);
      break;
    case Signal::linear:
      term_ = dt * phi1(mu * dt);
      second_term_ = dt * dt * phi2(mu * dt);
      break;
    case Signal::sine:
      term_ = exponential_term(mu, {0, problem.rate}, dt);
      second_term_ = exponential_term(mu, {0, -problem.rate}, dt);
      break;
    case Signal::exponential:
      term_ = exponential_term(mu, problem.rate, dt);
      break;
    case Signal::chirp:
      break;
  }
}

// Of e^(M(time + dt) - M(s)) u(s) over [from, to] inside the step, where A varies.
Complex ExactStepper::quadrature(double time, double from, double to) const {
  const double end = time + dt_, share = (to - from) / dt_;
  Complex sum = 0;
  for (std::size_t i = 0; i < node_.size(); ++i) {
    const double s = from + node_[i] * (to - from);
    sum += decay_over(problem_, s, end) * (weight_[i] * share * input_at(problem_, s));
  }
  return sum;
}

Propagation ExactStepper::at(double time) const {
  const double jump = std::clamp(problem_.jump, time, time + dt_);
  if (problem_.varies()) {
    const double from = problem_.signal == Signal::step ? jump : time;
    return {decay_over(problem_, time, time + dt_), from < time + dt_ ? quadrature(time, from, time + dt_) : 0};
  }
  switch (problem_.signal) {
    case Signal::constant:
      return {decay_, term_};
    case Signal::linear:
      return {decay_, time * term_ + second_term_};
    case Signal::sine: {
      // (e^(i r t) F - e^(-i r t) G) / 2i
      const Complex turn(std::cos(problem_.rate * time), std::sin(problem_.rate * time));
      return {decay_, (turn * term_ - std::conj(turn) * second_term_) * Complex(0, -0.5)};
    }
    case Signal::exponential:
      return {decay_, std::exp(problem_.rate * time) * term_};
    case Signal::step: {
      const double left = time + dt_ - jump;
      return {decay_, jump <= time ? term_ : left > 0 ? left * phi1(problem_.mu() * left) : 0};
    }
    case Signal::chirp: {
      Complex sum = 0;
      for (std::size_t i = 0; i < node_.size(); ++i) sum += kernel_[i] * input_at(problem_, time + node_[i] * dt_);
      return {decay_, sum};
    }
  }
  return {};
}

Complex exact_input_term(const SignalProblem& problem, double time, double dt) {
  return ExactStepper(problem, dt).at(time).input;
}

double total_reach(const SignalProblem& problem) { return pace(problem, problem.duration) * problem.duration; }

Complex exact_state(const SignalProblem& problem, double time) {
  const Propagation whole = time > 0 ? ExactStepper(problem, time).at(0) : Propagation{1, 0};
  return whole.decay * problem.start + whole.input;
}

}  // namespace engine
