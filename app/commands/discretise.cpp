// mambascope discretise: the errors of every rule against step size, on a signal whose solution is known. Needs no model.
#include "app/commands/command_line.h"
#include "app/commands/discretise_report.h"
#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "engine/analysis/exact_solution.h"
#include "engine/base/quote.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <ostream>

namespace app {

namespace {

constexpr double most_steps = 5e6;  // of all step sizes together: a few seconds
constexpr double most_reach = 1e5;  // radians or e-folds over the duration
constexpr double most_growth = 1e200;

struct Options {
  std::string signal = "sine", steps = "1e-3..1e-1", fit, hold = "end", csv;
  double decay = 0.5;
  engine::SignalProblem problem;
  double lambda = 0.75;
  int points = 13;
  bool json = false;
};

struct Range {
  double first = 0, last = 0;
};

// FIRST..LAST, both positive numbers, not descending.
std::optional<Range> parse_range(const std::string& text) {
  const std::size_t dots = text.find("..");
  // Of three dots nobody knows which one belongs to a number: 1e-3...1 must not become 1e-3 to 0.1 in silence.
  if (dots == std::string::npos || text.find("...") != std::string::npos) return std::nullopt;
  const auto number = [](const char* from, const char* to, double& out) {
    const auto [end, failed] = std::from_chars(from, to, out);
    return failed == std::errc() && end == to && std::isfinite(out) && out > 0;
  };
  Range range;
  const char* text_end = text.data() + text.size();
  if (!number(text.data(), text.data() + dots, range.first) || !number(text.data() + dots + 2, text_end, range.last) ||
      range.first > range.last)
    return std::nullopt;
  return range;
}

std::string check_range(const std::string& text) {
  return parse_range(text) ? std::string()
                           : engine::in_quotes(text) +
                                 " is not a range of step sizes; give the smallest and the largest, both above 0, such "
                                 "as 1e-3..1";
}

engine::Signal signal_named(const std::string& name) {
  for (const engine::Signal signal : engine::all_signals) {
    if (name == engine::name_of(signal)) return signal;
  }
  return engine::Signal::sine;
}

// Slopes belong to small steps: without --fit those up to 0.1, or all where that leaves fewer than three.
Range fitted_range(const Options& options, const Range& steps, const std::vector<double>& sizes) {
  if (!options.fit.empty()) return *parse_range(options.fit);
  int small = 0;
  for (const double dt : sizes) small += dt <= 0.1 * (1 + 1e-9) ? 1 : 0;
  return {steps.first, small >= 3 ? std::min(steps.last, 0.1) : steps.last};
}

engine::Result<DiscretiseResult> study(const Options& options) {
  DiscretiseResult result;
  result.problem = options.problem;
  engine::SignalProblem& problem = result.problem;
  problem.signal = signal_named(options.signal);
  problem.a = -options.decay;
  problem.hold = options.hold == "end" ? engine::Hold::end : engine::Hold::middle;
  const Range steps = *parse_range(options.steps);
  result.first = steps.first;
  result.last = steps.last;
  if (steps.last > problem.duration)
    return engine::input_error(
        fmt::format("--steps {}: a step of {} is longer than the whole duration, {}. Make the steps smaller or "
                    "--duration longer.",
                    options.steps, steps.last, problem.duration));
  const std::vector<double> sizes =
      engine::step_sizes(steps.first, steps.last, steps.first == steps.last ? 1 : options.points);
  if (const double total = engine::total_steps(problem, sizes);
      total > most_steps || problem.duration / steps.first > most_steps)
    return engine::input_error(fmt::format(
        "--steps {}: that is about {:.2g} steps over {} units of time; {:.0e} are the most. Raise the smallest "
        "step, or lower --duration or --points.",
        options.steps, std::max(total, problem.duration / steps.first), problem.duration, most_steps));
  if (engine::total_reach(problem) > most_reach)
    return engine::input_error(
        "The signal or the state turns or decays too often over the duration. Lower --duration, --rate, --sweep, "
        "--omega, "
        "--decay or --varying-rate.");
  const auto bounded = [](engine::Complex z) { return std::abs(z) < most_growth; };
  if (!bounded(engine::input_at(problem, problem.duration)) || !bounded(engine::exact_state(problem, problem.duration)))
    return engine::input_error("The signal grows beyond double precision before the end. Lower --duration or --rate.");
  const Range fit = fitted_range(options, steps, sizes);
  if (fit.last < steps.first || fit.first > steps.last)
    return engine::input_error(fmt::format(
        "--fit {}: none of the step sizes {} lies there. Give a part of their range.", options.fit, options.steps));
  result.options = {options.lambda, fit.first, fit.last};
  std::vector<engine::RuleKind> rules;
  for (const engine::TwoPointRule& rule : engine::two_point_rules()) rules.push_back(rule.kind);
  result.study = engine::make_step_size_study(problem, rules, sizes, result.options);
  return result;
}

int discretise(const Options& options) {
  if (const auto writable = check_outputs({options.csv}); !writable) return report(writable.error());
  const auto result = study(options);
  if (!result) return report(result.error());
  if (!options.csv.empty()) {
    const auto written = write_output(options.csv, [&](std::ostream& out) { out << discretise_csv(*result); });
    if (!written) return report(written.error());
  }
  if (options.json)
    print_json(discretise_json(*result));
  else
    fmt::print("{}", discretise_text(*result));
  return 0;
}

}  // namespace

void add_discretise(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "discretise", "Compare discretisation rules on a signal whose exact solution is known: errors against step size");
  engine::SignalProblem& problem = options->problem;
  const auto number = [&](const char* name, double& value, double least, double most, const char* help) {
    command->add_option(name, value, help)->check(number_in(least, most))->capture_default_str();
  };
  command->add_option("--signal", options->signal, "The input u(t)")
      ->check(CLI::IsMember({"constant", "linear", "sine", "chirp", "exponential", "step"}))
      ->capture_default_str();
  number("--decay", options->decay, 0, 1e4, "Decay of the state per unit of time: A = -decay");
  number("--omega", problem.omega, -1e4, 1e4, "Rotation of the state, radians per unit of time: mu = A - i omega");
  command->add_option("--steps", options->steps, "Smallest and largest step size")
      ->check(check_range)
      ->type_name("FIRST..LAST")
      ->capture_default_str();
  command->add_option("--points", options->points, "Step sizes in that range, evenly spaced in their logarithm")
      ->check(whole_number_in(2, 200))
      ->capture_default_str();
  command->add_option("--fit", options->fit, "Step sizes that the slopes are fitted over; default: those up to 0.1")
      ->check(check_range)
      ->type_name("FIRST..LAST");
  number("--duration", problem.duration, 1e-6, 1e6, "Units of time, from 0");
  number("--start", problem.start, -1e6, 1e6, "The state at time 0");
  number("--rate", problem.rate, -1e4, 1e4, "Of sine and chirp in radians, or of the exponential, per unit of time");
  number("--sweep", problem.sweep, -1e4, 1e4, "How fast the chirp's rate grows: sin(rate t + sweep t^2 / 2)");
  number("--jump", problem.jump, 0, 1e6, "Time of the step from 0 to 1");
  number("--lambda", options->lambda, -10, 10, "Weight of the generalised trapezoid: 1 Euler, 0.5 the classical one");
  number("--varying-decay", problem.swing, 0, 1, "A(t) = -decay (1 + S sin(R t)): this is S; 0: constant");
  number("--varying-rate", problem.swing_rate, -1e3, 1e3, "R of the varying decay, radians per unit of time");
  command->add_option("--hold", options->hold, "Which value of a varying A is held over a step; Mamba-3: end")
      ->check(CLI::IsMember({"end", "middle"}))
      ->capture_default_str();
  add_output_option(*command, "--csv", options->csv, "Write one line for each step size and rule", "FILE.csv");
  command->add_flag("--json", options->json, "Print one JSON object and nothing else on standard output");
  command->footer(
      "One scalar state h' = mu h + u(t) is stepped as h_t = alpha h + beta u_(t-1) + gamma u_t by exponential Euler,\n"
      "exponential and generalised trapezoid, zero- and first-order hold, forward and backward Euler, bilinear.\n"
      "Local error: one step from the truth. Global error: after any number of steps. Of both the largest is told.\n"
      "The leading terms of the error's expansion stand beside them. Zero-order hold holds u_t.\n\n"
      "--json: signal, a, omega, rate, sweep, jump, start, duration, varying_decay, varying_rate, hold, lambda, "
      "steps,\n"
      "fit (ranges), note, dt (as used: they divide the duration), step_counts, and rules: for each rule, name,\n"
      "coefficients, and local and global, each with error, leading (null: not known) and rounding (an error below it\n"
      "is exact) for each dt, slope, slope_95 (half the 95 % interval), fitted_points, fitted_first, fitted_last, and\n"
      "the order of theory (null for a signal that jumps).\n\n"
      "Examples:\n"
      "  mambascope discretise --signal sine --decay 0.5 --steps 1e-3..1\n"
      "  mambascope discretise --signal chirp --rate 2 --sweep 1 --omega 1.5 --lambda 0.9 --json\n"
      "  mambascope discretise --varying-decay 0.8 --hold end\n"
      "  mambascope discretise --signal linear --steps 1e-2..1 --csv errors.csv");
  command->callback([options, command, &action] {
    const std::string& signal = options->signal;
    const bool varies = options->problem.swing != 0;
    refuse_idle(*command, "--rate", signal == "sine" || signal == "chirp" || signal == "exponential",
                "--signal sine, chirp or exponential");
    refuse_idle(*command, "--sweep", signal == "chirp", "--signal chirp");
    refuse_idle(*command, "--jump", signal == "step", "--signal step");
    refuse_idle(*command, "--varying-rate", varies, "--varying-decay above 0");
    refuse_idle(*command, "--hold", varies, "--varying-decay above 0");
    action = [options] { return discretise(*options); };
  });
}

}  // namespace app
