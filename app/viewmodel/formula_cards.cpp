#include "app/viewmodel/formula_cards.h"

#include "app/viewmodel/lambda_view.h"
#include "app/viewmodel/numbers.h"
#include "app/viewmodel/shown.h"
#include "engine/analysis/phi_functions.h"

#include <fmt/format.h>

#include <cmath>

namespace app {

namespace {

using engine::Complex;
using math::fraction;
using math::index;
using math::power;
using math::row;
using math::sign;
using math::symbol;

std::string text_of(double value) { return number_text(value, 4); }
std::string text_of(Complex z) {
  if (z.imag() == 0) return text_of(z.real());
  return fmt::format("{} {} {}i", number_text(z.real(), 3), z.imag() < 0 ? "−" : "+",
                     number_text(std::abs(z.imag()), 3));
}

// Everything that the cards need of a step.
struct Step {
  bool unrotated = false, turns = false;
  bool fixed = false;  // lambda, by task.json
  double a = 0, dt = 0, lambda = 0, alpha = 0, beta = 0, gamma = 0, omega = 0;
  Complex x;
  engine::StepTerms terms;
  int pair = 0;
};

Math dt(const Step& s, bool number = false) {
  return symbol("dt", "Step size of this head at this token, dimensionless: dt = softplus(dd_dt + dt_bias).",
                number ? text_of(s.dt) : "");
}
Math rate(const Step& s, bool number = false) {
  return symbol("A", "Decay rate of this head at this token, per unit of dt; held over the step.",
                number ? text_of(s.a) : "");
}
Math lambda(const Step& s, bool number = false) {
  const char* meaning = s.fixed
                            ? "Weight of this token's input, fixed by task.json. 1 is Euler, ½ the trapezoid."
                            : "The model's weight of this token's input: sigmoid(trap). 1 is Euler, ½ the trapezoid.";
  return math::toned(symbol("λ", meaning, number ? text_of(s.lambda) : ""), MathTone::model);
}
Math x_of(const Step& s) {
  return symbol("x",
                s.turns ? fmt::format("x = (A − iω) dt, of pair {}: decay and turn of the state over the step.", s.pair)
                        : "x = A dt: decay of the state over the step.");
}
Math state(const Step& s, const char* at) {
  return index(
      symbol(s.unrotated ? "z" : "h", s.unrotated ? "The complex state, un-rotated: e^(−iθ) times the stored one."
                                                  : "The stored state, whose keys were rotated when written."),
      at);
}
Math input(const char* at) {
  return index(symbol("u", "What the token writes: the sum over ranks of value times key, B x of the paper."), at);
}
Math phi(const char* which, const Step& s) {
  const bool first = which[0] == '1';
  return row({index(symbol("φ", first ? "φ₁(x) = (eˣ − 1) / x: the integral of the decay over the step, per dt."
                                      : "φ₂(x) = (eˣ − 1 − x) / x²: the same with the input rising over the step."),
                    which),
              sign("("), x_of(s), sign(")")});
}
Math half() { return fraction(symbol("1"), symbol("2")); }

FormulaCard recurrence(const Step& s) {
  const Math alpha = symbol("α", "What this token leaves of the old state: e^(A dt).", text_of(s.alpha));
  const Math beta = symbol("β", "Weight of the last token's input: (1 − λ) dt α.", text_of(s.beta));
  const Math gamma = symbol("γ", "Weight of this token's input: λ dt.", text_of(s.gamma));
  const Math omega = symbol("ω", "Rotation per unit of dt of the selected pair, π tanh(raw).");
  const auto turned = [&](Math what) {
    if (!s.turns) return what;
    return row({std::move(what), power(symbol("e"), row({symbol("−i"), omega, dt(s)}))});
  };
  FormulaCard card{"recurrence",
                   "one step of the state",
                   "A convolution of width 2 over the inputs, inside the recurrence.",
                   {row({state(s, "t"), sign("="), turned(alpha), state(s, "t−1"), sign("+"), turned(beta),
                         input("t−1"), sign("+"), gamma, input("t")})},
                   {"", {{"alpha", {s.alpha}}, {"beta", {s.beta}}, {"gamma", {s.gamma}}, {"omega", {s.omega}}}}};
  if (s.turns)
    card.lines.push_back(
        row({symbol("ω", "Rotation per unit of dt of the selected pair, π tanh(raw).", text_of(s.omega)), dt(s, true),
             sign("="), symbol(fmt::format("{} rad", text_of(s.omega * s.dt)))}));
  return card;
}

FormulaCard coefficients(const Step& s) {
  const auto decay = [&] { return power(symbol("e"), row({rate(s), dt(s)})); };
  return {
      "coefficients",
      "the coefficients",
      s.fixed ? "The generalised trapezoid; task.json fixes λ for the whole model."
              : "The generalised trapezoid: the model gives λ for each head and token.",
      {row({symbol("α", "What this token leaves of the old state.", text_of(s.alpha)), sign("="), decay(), sign(","),
            rate(s, true)}),
       row({symbol("β", "Weight of the last token's input.", text_of(s.beta)), sign("="), sign("("), symbol("1"),
            sign("−"), lambda(s, true), sign(")"), dt(s, true), decay()}),
       row({symbol("γ", "Weight of this token's input.", text_of(s.gamma)), sign("="), lambda(s, true), dt(s, true)})},
      {"",
       {{"A", {s.a}},
        {"dt", {s.dt}},
        {"lambda", {s.lambda}},
        {"alpha", {s.alpha}},
        {"beta", {s.beta}},
        {"gamma", {s.gamma}}}}};
}

FormulaCard exact_term(const Step& s) {
  const Complex phi_1 = engine::phi1(s.x), phi_2 = engine::phi2(s.x);
  const Math exp_x = power(symbol("e"), x_of(s));
  const Math phi1 = phi("1", s), phi2 = phi("2", s);
  FormulaCard card{
      "exact-term",
      "the exact input term",
      "Exact for an input that runs straight from the last one to this one: a declared input, since a language model "
      "has no continuous one.",
      {row({symbol("E", "What the step's input adds to the state, exactly, under the linear interpolant."), sign("="),
            dt(s, true), sign("["), sign("("), phi1, sign("−"), phi2, sign(")"), input("t−1"), sign("+"), phi2,
            input("t"), sign("]")}),
       row({phi1, sign("="), fraction(row({exp_x, sign("−"), symbol("1")}), x_of(s)), sign("="),
            symbol(text_of(phi_1))}),
       row({phi2, sign("="),
            fraction(row({exp_x, sign("−"), symbol("1"), sign("−"), x_of(s)}), power(x_of(s), symbol("2"))), sign("="),
            symbol(text_of(phi_2))})},
      {"",
       {{"Re x", {s.x.real()}},
        {"Im x", {s.x.imag()}},
        {"Re phi1", {phi_1.real()}},
        {"Im phi1", {phi_1.imag()}},
        {"Re phi2", {phi_2.real()}},
        {"Im phi2", {phi_2.imag()}}}}};
  const Math value = symbol(text_of(s.x));
  if (s.turns)
    card.lines.push_back(row({x_of(s), sign("="), sign("("), rate(s), sign("−"), symbol("i"),
                              symbol("ω", "Rotation per unit of dt of the selected pair.", text_of(s.omega)), sign(")"),
                              dt(s), sign("="), value}));
  else
    card.lines.push_back(row({x_of(s), sign("="), rate(s), dt(s), sign("="), value}));
  return card;
}

FormulaCard rule_terms(const Step& s) {
  FormulaCard card{"rule-terms",
                   "what each rule takes for it",
                   "In units of dt: weights of the last and of this input, beside the exact ones.",
                   {},
                   {}};
  const auto line = [&](const char* name, MathTone tone, const engine::InputWeights& w, const std::string& meaning) {
    card.lines.push_back(
        row({math::toned(symbol(name, meaning), tone), sign("="),
             math::toned(symbol("w", "Weight of the last input, in units of dt.", text_of(w.previous)), tone),
             input("t−1"), sign("+"),
             math::toned(symbol("w′", "Weight of this input, in units of dt.", text_of(w.now)), tone), input("t")}));
    card.numbers.columns.push_back({fmt::format("{} Re w", name), {w.previous.real()}});
    card.numbers.columns.push_back({fmt::format("{} Im w", name), {w.previous.imag()}});
    card.numbers.columns.push_back({fmt::format("{} w'", name), {w.now.real()}});
  };
  line("E / dt", MathTone::plain, s.terms.exact, "The exact input term in units of dt.");
  line("Euler", MathTone::euler, engine::rule_weights(s.terms, 1), "λ = 1: this input alone, as Mamba-1 and Mamba-2.");
  line("trapezoid", MathTone::trapezoid, engine::rule_weights(s.terms, 0.5),
       "λ = ½: half of each end, the last one decayed.");
  line("model", MathTone::model, engine::rule_weights(s.terms, s.lambda),
       s.fixed ? fmt::format("λ = {}, fixed by task.json.", text_of(s.lambda))
               : fmt::format("λ = {}: what the model gives this token.", text_of(s.lambda)));
  return card;
}

FormulaCard local_error(const Step& s, const LambdaCostCurve& cost) {
  const auto value = [&](double l) { return cost.known() ? number_text(cost.cost.at(l), 3) : std::string(); };
  const auto at = [&](const char* name, double l, MathTone tone) {
    return math::toned(
        symbol(name, fmt::format("Relative local error at λ = {}, over all channels of the head.", text_of(l)),
               value(l)),
        tone);
  };
  FormulaCard card{
      "local-error",
      "the relative local error",
      cost.known() ? "Of this head's whole input, Frobenius norms, in the chosen frame."
                   : "Not known here: the token has no input, or its record was dropped.",
      {row({symbol("ε", "Relative local error of a rule."), sign("("), lambda(s), sign(")"), sign("="),
            fraction(row({sign("‖"), dt(s), sign("["), sign("("), symbol("1"), sign("−"), lambda(s), sign(")"),
                          power(symbol("e"), x_of(s)), input("t−1"), sign("+"), lambda(s), input("t"), sign("]"),
                          sign("−"), symbol("E", "The exact input term."), sign("‖")}),
                     row({sign("‖"), symbol("E", "The exact input term."), sign("‖")}))})},
      {}};
  if (!cost.known()) return card;
  card.lines.push_back(row({at("ε(1)", 1, MathTone::euler), sign(","), at("ε(½)", 0.5, MathTone::trapezoid), sign(","),
                            at("ε(λ)", s.lambda, MathTone::model), sign(","),
                            symbol("λ*", "The λ of the smallest error of this step; it may lie outside of 0 to 1.",
                                   number_text(cost.cost.best(), 3))}));
  card.numbers.columns = {{"euler", {cost.cost.at(1)}},
                          {"trapezoid", {cost.cost.at(0.5)}},
                          {"model lambda", {cost.cost.at(s.lambda)}},
                          {"best lambda", {cost.cost.best()}}};
  return card;
}

FormulaCard leading_terms(const Step& s) {
  const double first = 0.5 - s.lambda, second = 1.0 / 6 - s.lambda / 2;
  const Math g = symbol("g", "The integrand e^(mu (t + dt − s)) u(s), with its derivatives where the step begins.");
  return {"leading-terms",
          "how a rule's error begins",
          "Rule minus exact, for constant A: λ = ½ takes the first term away. Where |x| is not small these terms say "
          "little.",
          {row({symbol("rule − exact"),
                sign("="),
                sign("−"),
                sign("("),
                half(),
                sign("−"),
                lambda(s, true),
                sign(")"),
                power(dt(s), symbol("2")),
                g,
                symbol("′"),
                sign("−"),
                sign("("),
                fraction(symbol("1"), symbol("6")),
                sign("−"),
                fraction(lambda(s), symbol("2")),
                sign(")"),
                power(dt(s), symbol("3")),
                g,
                symbol("″"),
                sign("+"),
                symbol("…")}),
           row({half(), sign("−"), lambda(s), sign("="), symbol(text_of(first)), sign(","),
                fraction(symbol("1"), symbol("6")), sign("−"), fraction(lambda(s), symbol("2")), sign("="),
                symbol(text_of(second)), sign(","), power(dt(s), symbol("2")), sign("="), symbol(text_of(s.dt * s.dt)),
                sign(","),
                symbol("|x|", "Size of the step: orders mean something where it is well below 1.",
                       text_of(std::abs(s.x)))})},
          {"", {{"1/2 - lambda", {first}}, {"1/6 - lambda/2", {second}}, {"dt", {s.dt}}, {"|x|", {std::abs(s.x)}}}}};
}

}  // namespace

std::vector<FormulaCard> make_formula_cards(const engine::Snapshot& snapshot, const Selection& selection,
                                            std::int64_t index) {
  if (snapshot.model == nullptr || index < 0 || index >= static_cast<std::int64_t>(snapshot.tokens.size())) return {};
  const engine::ModelConfig& config = snapshot.model->config();
  const engine::StepCoefficients& step = snapshot.tokens[static_cast<std::size_t>(index)]->coefficients;
  if (step.dt.empty()) return {};
  const auto value = [&](const std::vector<float>& all) {
    return per_head(config, all, selection.layer, selection.head);
  };
  Step s;
  s.unrotated = selection.frame == Frame::unrotated;
  s.turns = s.unrotated && selection.pair < config.angles();
  s.pair = selection.pair;
  s.fixed = config.lambda_override >= 0;
  s.a = value(step.a);
  s.dt = value(step.dt);
  s.lambda = value(step.lambda);
  s.alpha = value(step.alpha);
  s.beta = value(step.beta);
  s.gamma = value(step.gamma);
  const double turn =
      s.turns ? engine::phase_increment(config, step, selection.layer, selection.head, selection.pair) : 0;
  s.omega = s.dt > 0 ? turn / s.dt : 0;
  s.x = {s.a * s.dt, -turn};
  s.terms = engine::step_terms(s.x);
  const LambdaCostCurve cost = make_cost_curve(snapshot, selection, index);
  std::vector<FormulaCard> cards = {recurrence(s), coefficients(s),      exact_term(s),
                                    rule_terms(s), local_error(s, cost), leading_terms(s)};
  for (FormulaCard& card : cards) card.numbers.name = "formula-" + card.key;
  return cards;
}

}  // namespace app
