// A problem with a known answer: one scalar state h' = mu(t) h + u(t), mu = A - i omega, driven by a signal. Pure
// functions in double. What the rules make of it is in trajectory.h and step_size_study.h; the truth in exact_solution.h.
#pragma once

#include "engine/analysis/phi_functions.h"

#include <array>
#include <cstdint>

namespace engine {

// 1; t; sin(rate t); sin(rate t + sweep t^2 / 2); e^(rate t); 0 before `jump` and 1 from it on.
enum class Signal : std::uint8_t { constant, linear, sine, chirp, exponential, step };
inline constexpr std::array<Signal, 6> all_signals = {Signal::constant, Signal::linear,      Signal::sine,
                                                      Signal::chirp,    Signal::exponential, Signal::step};
const char* name_of(Signal signal);

// Which value of a varying A a rule holds over a step. Mamba-3 holds that of the step's end.
enum class Hold : std::uint8_t { end, middle };

struct SignalProblem {
  Signal signal = Signal::sine;
  double a = -0.5;       // decay per unit of time, at most 0 for a stable state
  double omega = 0;      // radians per unit of time by which the un-rotated state turns back; 0: the stored frame
  double rate = 1;       // of sine and chirp (radians) and of the exponential, per unit of time
  double sweep = 0.5;    // of the chirp: how fast its rate grows
  double jump = 1;       // time of the step
  double start = 0;      // h(0)
  double duration = 10;  // from time 0, > 0
  double swing = 0;      // A(t) = a (1 + swing sin(swing_rate t)); 0: A is constant; up to 1 A keeps its sign
  double swing_rate = 1;
  Hold hold = Hold::end;

  bool varies() const { return swing != 0; }
  Complex mu() const { return {a, -omega}; }  // at time 0
  Complex mu_at(double time) const;
  double a_slope(double time) const;
  // mu as a rule holds it over [time, time + dt].
  Complex held_mu(double time, double dt) const { return mu_at(time + (hold == Hold::end ? dt : dt / 2)); }
  bool smooth() const { return signal != Signal::step; }

  bool operator==(const SignalProblem&) const = default;
};

struct InputValue {
  double u = 0, du = 0, ddu = 0;  // with its derivatives in time; of a step, away from its jump
};
InputValue input_values(const SignalProblem& problem, double time);
double input_at(const SignalProblem& problem, double time);

}  // namespace engine
