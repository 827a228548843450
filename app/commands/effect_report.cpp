#include "app/commands/effect_report.h"

#include "engine/base/quote.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <functional>

namespace app {

namespace {

using nlohmann::ordered_json;

std::size_t runs_of(const EffectResult& result) { return 1 + result.lambdas.size(); }

std::string name_of_run(const EffectResult& result, std::size_t run) {
  if (run == 0) return "as it is";
  const double lambda = result.lambdas[run - 1];
  return lambda == 1 ? "Euler, 1" : lambda == 0.5 ? "trapezoid, 0.5" : fmt::format("{:g}", lambda);
}

ordered_json lambda_of_run(const EffectResult& result, std::size_t run) {
  return run == 0 ? ordered_json() : ordered_json(result.lambdas[run - 1]);
}

ordered_json json_of(const engine::Model& model, const EffectResult& result, const engine::EffectToken& token,
                     std::size_t run) {
  const engine::EffectOnToken& on = token.sequences[run];
  ordered_json top = ordered_json::array();
  for (std::size_t i = 0; i < token.ids.size(); ++i)
    top.push_back({{"id", token.ids[i]}, {"text", model.label(token.ids[i])}, {"probability", on.p[i]}});
  return {{"lambda", lambda_of_run(result, run)},
          {"predicted", on.predicted},
          {"predicted_text", model.label(on.predicted)},
          {"entropy_bits", on.entropy_bits},
          {"kl_bits", on.kl_bits},
          {"next_bits", on.next_bits < 0 ? ordered_json() : ordered_json(on.next_bits)},
          {"state_distance", on.distance},
          {"top", top}};
}

// Of the positions of these tokens that the task asks.
engine::LabelCounts right_here(const EffectResult& result, std::size_t run) {
  engine::LabelCounts counts;
  for (std::size_t t = 0; t < std::min(result.truth.size(), result.tokens.size()); ++t) {
    if (result.truth[t] < 0) continue;
    ++counts.labelled;
    counts.right += result.tokens[t].sequences[run].predicted == result.truth[t] ? 1 : 0;
  }
  return counts;
}

}  // namespace

std::string effect_text(const engine::Model& model, const EffectResult& result) {
  std::string out = fmt::format(
      "Effect, not error: {} tokens, the same for each run; lambda is fixed in all layers and heads.\n\n  {:<26}",
      result.tokens.size(), "lambda");
  const std::size_t runs = runs_of(result);
  for (std::size_t run = 0; run < runs; ++run) out += fmt::format(" {:>16}", name_of_run(result, run));
  const auto line = [&](const std::string& name, const std::function<std::string(std::size_t)>& value) {
    out += fmt::format("\n  {:<26}", name);
    for (std::size_t run = 0; run < runs; ++run) out += fmt::format(" {:>16}", value(run));
  };
  std::vector<engine::EffectSummary> sums;
  for (std::size_t run = 0; run < runs; ++run) sums.push_back(engine::summarise(result.tokens, run));
  line("KL, bits a token, mean", [&](std::size_t r) { return fmt::format("{:.4g}", sums[r].mean_kl_bits); });
  line("KL, bits, largest", [&](std::size_t r) { return fmt::format("{:.4g}", sums[r].largest_kl_bits); });
  line("the model's own answer",
       [&](std::size_t r) { return fmt::format("{} of {}", sums[r].same_prediction, sums[r].tokens); });
  for (int layer = 0; layer < model.config().n_layer; ++layer)
    line(fmt::format("state distance, layer {}", layer), [&](std::size_t r) {
      const double mean = sums[r].mean_distance[static_cast<std::size_t>(layer)];
      return std::isfinite(mean) ? fmt::format("{:.2f} %", 100 * mean) : "-";
    });
  if (sums[0].bits_per_token >= 0)
    line("bits per token", [&](std::size_t r) { return fmt::format("{:.4f}", sums[r].bits_per_token); });
  if (right_here(result, 0).labelled > 0)
    line("right among these", [&](std::size_t r) {
      const engine::LabelCounts counts = right_here(result, r);
      return fmt::format("{} of {}", counts.right, counts.labelled);
    });
  if (!result.accuracy.empty()) {
    line(fmt::format("accuracy, {} x {}", result.evaluate.sequences, result.evaluate.length), [&](std::size_t r) {
      return result.accuracy[r].total().labelled > 0 ? fmt::format("{:.2f} %", 100 * result.accuracy[r].accuracy())
                                                     : "-";
    });
    line("scaled accuracy", [&](std::size_t r) {
      return result.accuracy[r].total().labelled > 0 ? fmt::format("{:.1f}", 100 * result.accuracy[r].scaled_accuracy())
                                                     : "-";
    });
  }
  out += "\n\n  Likeliest answer after each of the last tokens, and KL in bits\n";
  const std::size_t first = result.tokens.size() > 16 ? result.tokens.size() - 16 : 0;
  for (std::size_t t = first; t < result.tokens.size(); ++t) {
    const engine::EffectToken& token = result.tokens[t];
    out += fmt::format("  {:>6} {:<19}", t, engine::printable(model.symbol(token.id)));
    for (std::size_t run = 0; run < runs; ++run) {
      const engine::EffectOnToken& on = token.sequences[run];
      const std::string answer = engine::printable(model.label(on.predicted));
      out += fmt::format(" {:>16}", run == 0 ? answer : fmt::format("{} {:.3g}", answer, on.kl_bits));
    }
    out += '\n';
  }
  return out;
}

ordered_json effect_json(const engine::Model& model, const EffectResult& result) {
  ordered_json tokens = ordered_json::array(), summary = ordered_json::array();
  for (std::size_t t = 0; t < result.tokens.size(); ++t) {
    ordered_json runs = ordered_json::array();
    for (std::size_t run = 0; run < runs_of(result); ++run)
      runs.push_back(json_of(model, result, result.tokens[t], run));
    tokens.push_back(
        {{"position", t}, {"id", result.tokens[t].id}, {"symbol", model.symbol(result.tokens[t].id)}, {"runs", runs}});
  }
  for (std::size_t run = 0; run < runs_of(result); ++run) {
    const engine::EffectSummary sum = engine::summarise(result.tokens, run);
    const engine::LabelCounts here = right_here(result, run);
    ordered_json entry = {
        {"lambda", lambda_of_run(result, run)},
        {"mean_kl_bits", sum.mean_kl_bits},
        {"largest_kl_bits", sum.largest_kl_bits},
        {"same_prediction", sum.same_prediction},
        {"bits_per_token", sum.bits_per_token < 0 ? ordered_json() : ordered_json(sum.bits_per_token)},
        {"mean_state_distance", sum.mean_distance}};
    if (here.labelled > 0) {
      entry["labelled"] = here.labelled;
      entry["right"] = here.right;
    }
    summary.push_back(std::move(entry));
  }
  ordered_json out = {{"model", model.name}, {"backend", result.backend},     {"device", result.device},
                      {"seed", result.seed}, {"count", result.tokens.size()}, {"summary", summary},
                      {"tokens", tokens}};
  if (result.accuracy.empty()) return out;
  out["task"] = result.task;
  out["length"] = result.evaluate.length;
  out["sequences"] = result.evaluate.sequences;
  out["accuracy"] = ordered_json::array();
  for (std::size_t run = 0; run < result.accuracy.size(); ++run) {
    const engine::Evaluation& e = result.accuracy[run];
    const bool judged = e.total().labelled > 0;
    out["accuracy"].push_back({{"lambda", lambda_of_run(result, run)},
                               {"accuracy", judged ? ordered_json(e.accuracy()) : nullptr},
                               {"scaled_accuracy", judged ? ordered_json(e.scaled_accuracy()) : nullptr},
                               {"positions", e.total().labelled}});
  }
  return out;
}

std::string effect_csv(const EffectResult& result) {
  std::string out = "token,id,lambda,predicted,entropy_bits,kl_bits,next_bits";
  const std::size_t layers = result.tokens.empty() ? 0 : result.tokens.front().sequences.front().distance.size();
  for (std::size_t l = 0; l < layers; ++l) out += fmt::format(",state_distance_{}", l);
  out += '\n';
  for (std::size_t t = 0; t < result.tokens.size(); ++t) {
    const engine::EffectToken& token = result.tokens[t];
    for (std::size_t run = 0; run < runs_of(result); ++run) {
      const engine::EffectOnToken& on = token.sequences[run];
      out += fmt::format("{},{},{},{},{},{},{}", t, token.id,
                         run == 0 ? "own" : fmt::format("{}", result.lambdas[run - 1]), on.predicted, on.entropy_bits,
                         on.kl_bits, on.next_bits < 0 ? "" : fmt::format("{}", on.next_bits));
      for (const double distance : on.distance) out += std::isfinite(distance) ? fmt::format(",{}", distance) : ",";
      out += '\n';
    }
  }
  return out;
}

}  // namespace app
