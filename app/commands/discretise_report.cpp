#include "app/commands/discretise_report.h"

#include "app/viewmodel/lab_words.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace app {

namespace {

using engine::ErrorCurve;
using engine::RuleStudy;
using Curve = ErrorCurve RuleStudy::*;

// An order that the table names is a promise for a smooth input only.
std::string order_text(const DiscretiseResult& result, int order) {
  return result.problem.smooth() ? fmt::format("{}", order) : "-";
}

std::string leading_text(const ErrorCurve& curve) {
  if (curve.error.empty() || !std::isfinite(curve.leading.front()) || curve.exact_to_rounding(0)) return "-";
  return fmt::format("{:+.2f} %", 100 * (curve.leading.front() / curve.error.front() - 1));
}

std::string block(const DiscretiseResult& result, const char* title, Curve which) {
  const engine::StepSizeStudy& study = result.study;
  std::string out = fmt::format("\n{}\n  {:>10} {:>8}", title, "dt", "steps");
  for (const RuleStudy& rule : study.rules) out += fmt::format(" {:>10}", short_name(rule.kind));
  out += '\n';
  for (std::size_t i = 0; i < study.dt.size(); ++i) {
    out += fmt::format("  {:>10.4g} {:>8}", study.dt[i], study.steps[i]);
    for (const RuleStudy& rule : study.rules) {
      const ErrorCurve& curve = rule.*which;
      out += curve.exact_to_rounding(i) ? fmt::format(" {:>10}", "exact") : fmt::format(" {:>10.3g}", curve.error[i]);
    }
    out += '\n';
  }
  return out;
}

nlohmann::ordered_json curve_json(const DiscretiseResult& result, const ErrorCurve& curve, int order) {
  const auto number = [](double value) { return std::isfinite(value) ? nlohmann::ordered_json(value) : nullptr; };
  const auto numbers = [&](const std::vector<double>& values) {
    auto list = nlohmann::ordered_json::array();
    for (const double value : values) list.push_back(number(value));
    return list;
  };
  return {{"error", numbers(curve.error)},
          {"leading", numbers(curve.leading)},
          {"rounding", numbers(curve.floor)},
          {"slope", number(curve.fit.slope)},
          {"slope_95", number(curve.fit.half_width)},
          {"fitted_points", curve.fit.points},
          {"fitted_first", number(curve.fit.first)},
          {"fitted_last", number(curve.fit.last)},
          {"order", result.problem.smooth() ? nlohmann::ordered_json(order) : nullptr}};
}

}  // namespace

std::string discretise_text(const DiscretiseResult& result) {
  const engine::SignalProblem& p = result.problem;
  std::string out =
      fmt::format("h' = ({:g}{}) h + u(t), u = {}, h(0) = {:g}, over {:g} units of time\n", p.a,
                  p.omega != 0 ? fmt::format(" {} {:g}i", p.omega > 0 ? '-' : '+', std::abs(p.omega)) : "",
                  formula_of(p), p.start, p.duration);
  if (p.varies()) out += fmt::format("A(t) = {:g} (1 + {:g} sin({:g} t))\n", p.a, p.swing, p.swing_rate);
  out += note_of(p) + "\n";
  out +=
      fmt::format("\nSlopes fitted over steps {:g} to {:g}, 95 % interval; lambda of the generalised trapezoid {:g}\n",
                  result.options.fit_first, result.options.fit_last, result.options.lambda);
  out += fmt::format("  {:<22} {:>18} {:>6}  {:>18} {:>6}  {:>18}\n", "rule", "local slope", "theory", "global slope",
                     "theory", "leading - measured");
  for (const RuleStudy& rule : result.study.rules) {
    out += fmt::format("  {:<22} {:>18} {:>6}  {:>18} {:>6}  {:>18}\n", engine::two_point_rule(rule.kind).name,
                       slope_text(rule.local.fit, rule.local.all_exact()), order_text(result, rule.orders.local),
                       slope_text(rule.global.fit, rule.global.all_exact()), order_text(result, rule.orders.global),
                       leading_text(rule.local));
  }
  out += "  (leading - measured: of the local error at the smallest step; - where the expansion is not known)\n";
  out += block(result, "Largest local error: one step from the truth", &RuleStudy::local);
  out += block(result, "Largest global error: after any number of steps", &RuleStudy::global);
  return out;
}

nlohmann::ordered_json discretise_json(const DiscretiseResult& result) {
  const engine::SignalProblem& p = result.problem;
  nlohmann::ordered_json object = {{"signal", engine::name_of(p.signal)},
                                   {"a", p.a},
                                   {"omega", p.omega},
                                   {"rate", p.rate},
                                   {"sweep", p.sweep},
                                   {"jump", p.jump},
                                   {"start", p.start},
                                   {"duration", p.duration},
                                   {"varying_decay", p.swing},
                                   {"varying_rate", p.swing_rate},
                                   {"hold", p.hold == engine::Hold::end ? "end" : "middle"},
                                   {"lambda", result.options.lambda},
                                   {"steps", {result.first, result.last}},
                                   {"fit", {result.options.fit_first, result.options.fit_last}},
                                   {"note", note_of(p)},
                                   {"dt", result.study.dt},
                                   {"step_counts", result.study.steps}};
  object["rules"] = nlohmann::ordered_json::array();
  for (const RuleStudy& rule : result.study.rules) {
    const engine::TwoPointRule& known = engine::two_point_rule(rule.kind);
    object["rules"].push_back({{"rule", known.key},
                               {"name", known.name},
                               {"coefficients", known.formula},
                               {"local", curve_json(result, rule.local, rule.orders.local)},
                               {"global", curve_json(result, rule.global, rule.orders.global)}});
  }
  return object;
}

std::string discretise_csv(const DiscretiseResult& result) {
  const auto number = [](double value) { return std::isfinite(value) ? fmt::format("{}", value) : std::string(); };
  std::string out =
      "dt,steps,rule,local_error,local_leading,local_rounding,global_error,global_leading,global_rounding\n";
  for (std::size_t i = 0; i < result.study.dt.size(); ++i) {
    for (const RuleStudy& rule : result.study.rules) {
      out += fmt::format("{},{},{},{},{},{},{},{},{}\n", result.study.dt[i], result.study.steps[i],
                         engine::two_point_rule(rule.kind).key, number(rule.local.error[i]),
                         number(rule.local.leading[i]), number(rule.local.floor[i]), number(rule.global.error[i]),
                         number(rule.global.leading[i]), number(rule.global.floor[i]));
    }
  }
  return out;
}

}  // namespace app
