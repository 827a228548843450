#include "app/commands/intervene_report.h"

#include "engine/base/quote.h"
#include "engine/intervention/no_effect.h"
#include "engine/intervention/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <functional>

namespace app {

namespace {

using nlohmann::ordered_json;

std::string name_of_run(std::size_t run) {
  return run == 0 ? "as it is" : run == 1 ? "changed" : fmt::format("control {}", run - 2);
}

ordered_json number_or_null(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(); }

engine::EffectTally tally_of(const InterveneResult& result, std::size_t run) {
  engine::EffectTally tally;
  for (std::size_t t = 0; t < result.tokens.size(); ++t)
    tally.add(result.tokens[t], run, t < result.truth.size() ? result.truth[t] : -1);
  return tally;
}

ordered_json json_of(const engine::EffectTally& tally) {
  ordered_json out = {{"mean_kl_bits", tally.mean_kl_bits()},
                      {"mean_logit_difference", tally.mean_logit_difference()},
                      {"same_prediction", tally.same_prediction},
                      {"tokens", tally.tokens}};
  if (tally.labelled > 0) {
    out["labelled"] = tally.labelled;
    out["right"] = tally.right;
    out["accuracy"] = tally.accuracy();
  }
  return out;
}

std::string percent(double accuracy) { return accuracy < 0 ? "-" : fmt::format("{:.2f} %", 100 * accuracy); }

// Lowest, mean and highest of the controls.
std::string over(const std::vector<engine::EffectTally>& controls,
                 const std::function<double(const engine::EffectTally&)>& value, double scale, const char* unit) {
  if (controls.empty()) return "-";
  double low = INFINITY, high = -INFINITY, sum = 0;
  for (const engine::EffectTally& control : controls) {
    const double x = scale * value(control);
    low = std::min(low, x);
    high = std::max(high, x);
    sum += x;
  }
  return fmt::format("{:.3g} ({:.3g} to {:.3g}){}", sum / static_cast<double>(controls.size()), low, high, unit);
}

std::string runs_text(const engine::Model& model, const InterveneResult& result) {
  const std::size_t runs = 2 + static_cast<std::size_t>(result.controls);
  std::string out = fmt::format("\n  {} tokens, the same for each run\n\n  {:<26}", result.tokens.size(), "");
  for (std::size_t run = 0; run < runs; ++run)
    out += fmt::format(" {:>14}", run == 0 && !result.base.empty() ? "in force" : name_of_run(run));
  const auto line = [&](const std::string& name, const std::function<std::string(std::size_t)>& value) {
    out += fmt::format("\n  {:<26}", name);
    for (std::size_t run = 0; run < runs; ++run) out += fmt::format(" {:>14}", value(run));
  };
  std::vector<engine::EffectSummary> sums;
  std::vector<engine::EffectTally> here;
  for (std::size_t run = 0; run < runs; ++run) {
    sums.push_back(engine::summarise(result.tokens, run));
    here.push_back(tally_of(result, run));
  }
  line("KL, bits a token, mean", [&](std::size_t r) { return fmt::format("{:.4g}", sums[r].mean_kl_bits); });
  line("KL, bits, largest", [&](std::size_t r) { return fmt::format("{:.4g}", sums[r].largest_kl_bits); });
  line("logit difference, mean", [&](std::size_t r) { return fmt::format("{:.3f}", sums[r].mean_logit_difference); });
  line("the model's own answer",
       [&](std::size_t r) { return fmt::format("{} of {}", sums[r].same_prediction, sums[r].tokens); });
  for (int layer = 0; layer < model.config().n_layer; ++layer)
    line(fmt::format("state distance, layer {}", layer), [&](std::size_t r) {
      const double mean = sums[r].mean_distance[static_cast<std::size_t>(layer)];
      return std::isfinite(mean) ? fmt::format("{:.2f} %", 100 * mean) : "-";
    });
  if (sums[0].bits_per_token >= 0)
    line("bits per token", [&](std::size_t r) { return fmt::format("{:.4f}", sums[r].bits_per_token); });
  if (here[0].labelled > 0)
    line("right among these", [&](std::size_t r) { return fmt::format("{} of {}", here[r].right, here[r].labelled); });
  if (!result.tallies.empty()) {
    line(fmt::format("accuracy, {} x {}", result.evaluate.sequences, result.evaluate.length),
         [&](std::size_t r) { return percent(result.tallies[r].accuracy()); });
    line("KL there, bits a token",
         [&](std::size_t r) { return fmt::format("{:.4g}", result.tallies[r].mean_kl_bits()); });
  }
  return out + '\n';
}

std::string dose_text(const InterveneResult& result) {
  std::string out = fmt::format(
      "\n  Dose response; controls as mean (lowest to highest) of {}\n\n  {:>8} {:>12} {:>32}"
      " {:>12} {:>34}\n",
      result.controls, "strength", "KL, bits", "controls", "accuracy", "controls");
  for (const engine::DosePoint& point : result.dose) {
    const bool asked = point.counterfactual.labelled > 0;
    out += fmt::format("  {:>8} {:>12.4g} {:>32} {:>12} {:>34}\n", point.strength, point.counterfactual.mean_kl_bits(),
                       over(
                           point.controls, [](const auto& c) { return c.mean_kl_bits(); }, 1, ""),
                       percent(point.counterfactual.accuracy()),
                       asked ? over(
                                   point.controls, [](const auto& c) { return c.accuracy(); }, 100, " %")
                             : "-");
  }
  return out;
}

std::string patches_text(const engine::Model& model, const InterveneResult& result) {
  const std::size_t last = result.reference.receiver_answer.size() - 1;
  const auto label = [&](std::int32_t id) { return engine::printable(model.label(id)); };
  std::string out = fmt::format(
      "\n  Patching after token {}; answers behind the last of {} tokens: {} {}, {} with the donor's whole "
      "state\n"
      "  share: how far the logit difference between them goes from the first (0) to the second (1)\n\n"
      "  {:<32} {:>8} {:>10} {:>12} {:>8}\n",
      result.patched_after, last + 1, label(result.reference.receiver_answer[last]),
      result.base.empty() ? "as it is" : "with what is in force", label(result.reference.donor_answer[last]), "patched",
      "answer", "share", "difference", "KL, bits");
  for (const engine::PatchEffect& effect : result.patches) {
    const engine::PatchOnToken& on = effect.tokens[last];
    const double share = result.reference.share(last, on.logit_difference);
    out += fmt::format("  {:<32} {:>8} {:>10} {:>12.3f} {:>8.3g}\n", describe(effect.patch), label(on.predicted),
                       std::isfinite(share) ? fmt::format("{:.3f}", share) : "-", on.logit_difference, on.kl_bits);
  }
  return out;
}

ordered_json json_of(const engine::Model& model, const engine::EffectToken& token, std::size_t run) {
  const engine::EffectOnToken& on = token.sequences[run];
  ordered_json top = ordered_json::array(), distance = ordered_json::array(), heads = ordered_json::array();
  for (std::size_t i = 0; i < token.ids.size(); ++i)
    top.push_back({{"id", token.ids[i]}, {"text", model.label(token.ids[i])}, {"probability", on.p[i]}});
  for (const double d : on.distance) distance.push_back(number_or_null(d));
  for (const double d : on.head_distance) heads.push_back(number_or_null(d));
  return {{"run", name_of_run(run)},
          {"predicted", on.predicted},
          {"predicted_text", model.label(on.predicted)},
          {"kl_bits", on.kl_bits},
          {"logit_difference", on.logit_difference},
          {"entropy_bits", on.entropy_bits},
          {"next_bits", on.next_bits < 0 ? ordered_json() : ordered_json(on.next_bits)},
          {"state_distance", distance},
          {"head_distance", heads},
          {"top", top}};
}

ordered_json patching_json(const engine::Model& model, const InterveneResult& result) {
  ordered_json effects = ordered_json::array();
  const std::size_t tokens = result.reference.receiver_answer.size();
  for (const engine::PatchEffect& effect : result.patches) {
    ordered_json behind = ordered_json::array();
    for (std::size_t t = 0; t < tokens; ++t) {
      const engine::PatchOnToken& on = effect.tokens[t];
      behind.push_back({{"predicted", on.predicted},
                        {"predicted_text", model.label(on.predicted)},
                        {"donors_answer", on.predicted == result.reference.donor_answer[t]},
                        {"share", number_or_null(result.reference.share(t, on.logit_difference))},
                        {"logit_difference", on.logit_difference},
                        {"kl_bits", on.kl_bits}});
    }
    effects.push_back({{"part", name_of(effect.patch.part)},
                       {"layer", effect.patch.layer},
                       {"head", effect.patch.head},
                       {"pair", effect.patch.pair},
                       {"tokens", behind}});
  }
  return {{"after_token", result.patched_after},
          {"donor", result.donor},
          {"receiver_answers", result.reference.receiver_answer},
          {"donor_answers", result.reference.donor_answer},
          {"effects", effects}};
}

// Changes of which no run shows anything.
std::vector<std::string> without_effect(const engine::Model& model, const InterveneResult& result) {
  const bool none = !result.tokens.empty() && engine::no_difference(result.tokens, 1);
  auto out = engine::without_effect(result.interventions, model.config(), result.consumed, none);
  for (const std::string& words : engine::without_effect(result.base, model.config(), result.consumed, false))
    out.push_back("In force: " + words);
  return out;
}

}  // namespace

std::string intervene_text(const engine::Model& model, const InterveneResult& result) {
  std::string out;
  for (const engine::Intervention& intervention : result.base)
    out += fmt::format("  in force in every run: {}\n", describe(intervention));
  for (const engine::Intervention& intervention : result.interventions)
    out += fmt::format("  {}\n", describe(intervention));
  for (const std::string& words : without_effect(model, result)) out += fmt::format("  {}\n", words);
  if (result.controls > 0)
    out += fmt::format("  beside {} random {} changes of the same size, seed {}\n", result.controls,
                       name_of(result.kind), result.seed);
  if (!result.tokens.empty()) out += runs_text(model, result);
  if (!result.dose.empty()) out += dose_text(result);
  if (!result.patches.empty()) out += patches_text(model, result);
  return out;
}

ordered_json intervene_json(const engine::Model& model, const InterveneResult& result) {
  ordered_json changes = ordered_json::array();
  for (const engine::Intervention& intervention : result.interventions)
    changes.push_back(engine::format_intervention(intervention));
  ordered_json base = ordered_json::array();
  for (const engine::Intervention& intervention : result.base)
    base.push_back(engine::format_intervention(intervention));
  ordered_json out = {{"model", model.name},         {"backend", result.backend},
                      {"device", result.device},     {"base", base},
                      {"changes", changes},          {"without_effect", without_effect(model, result)},
                      {"controls", result.controls}, {"control_kind", name_of(result.kind)},
                      {"seed", result.seed},         {"count", result.tokens.size()}};
  const std::size_t runs = result.tokens.empty() ? 0 : result.tokens.front().sequences.size();
  out["summary"] = ordered_json::array();
  for (std::size_t run = 0; run < runs; ++run) {
    ordered_json entry = {{"run", name_of_run(run)}};
    entry.update(json_of(tally_of(result, run)));
    ordered_json distances = ordered_json::array();
    for (const double d : engine::summarise(result.tokens, run).mean_distance) distances.push_back(number_or_null(d));
    entry["mean_state_distance"] = distances;
    out["summary"].push_back(std::move(entry));
  }
  if (!result.tallies.empty()) {
    out["task"] = {{"name", result.task},
                   {"length", result.evaluate.length},
                   {"sequences", result.evaluate.sequences},
                   {"runs", ordered_json::array()}};
    for (std::size_t run = 0; run < result.tallies.size(); ++run) {
      ordered_json entry = {{"run", name_of_run(run)}};
      entry.update(json_of(result.tallies[run]));
      out["task"]["runs"].push_back(std::move(entry));
    }
  }
  if (!result.dose.empty()) out["dose"] = ordered_json::array();
  for (const engine::DosePoint& point : result.dose) {
    ordered_json controls = ordered_json::array();
    for (const engine::EffectTally& control : point.controls) controls.push_back(json_of(control));
    out["dose"].push_back(
        {{"strength", point.strength}, {"changed", json_of(point.counterfactual)}, {"controls", controls}});
  }
  if (!result.patches.empty()) out["patching"] = patching_json(model, result);
  out["tokens"] = ordered_json::array();
  for (std::size_t t = 0; t < result.tokens.size(); ++t) {
    ordered_json of_runs = ordered_json::array();
    for (std::size_t run = 0; run < runs; ++run) of_runs.push_back(json_of(model, result.tokens[t], run));
    ordered_json entry = {{"position", t}, {"id", result.tokens[t].id}, {"symbol", model.symbol(result.tokens[t].id)}};
    if (t < result.truth.size()) entry["truth"] = result.truth[t] < 0 ? ordered_json() : ordered_json(result.truth[t]);
    entry["runs"] = of_runs;
    out["tokens"].push_back(std::move(entry));
  }
  return out;
}

std::string intervene_csv(const InterveneResult& result) {
  std::string out;
  if (!result.patches.empty()) {
    out = "part,layer,head,pair,token,predicted,donors_answer,share,logit_difference,kl_bits\n";
    for (const engine::PatchEffect& effect : result.patches) {
      for (std::size_t t = 0; t < effect.tokens.size(); ++t) {
        const engine::PatchOnToken& on = effect.tokens[t];
        const double share = result.reference.share(t, on.logit_difference);
        out +=
            fmt::format("{},{},{},{},{},{},{},{},{},{}\n", name_of(effect.patch.part), effect.patch.layer,
                        effect.patch.head, effect.patch.pair, result.patched_after + 1 + static_cast<std::int64_t>(t),
                        on.predicted, on.predicted == result.reference.donor_answer[t] ? 1 : 0,
                        std::isfinite(share) ? fmt::format("{}", share) : "", on.logit_difference, on.kl_bits);
      }
    }
    return out;
  }
  if (!result.dose.empty()) {
    out = "strength,run,mean_kl_bits,mean_logit_difference,same_prediction,tokens,right,labelled\n";
    const auto line = [&](double strength, std::size_t run, const engine::EffectTally& tally) {
      out +=
          fmt::format("{},{},{},{},{},{},{},{}\n", strength, name_of_run(run), tally.mean_kl_bits(),
                      tally.mean_logit_difference(), tally.same_prediction, tally.tokens, tally.right, tally.labelled);
    };
    for (const engine::DosePoint& point : result.dose) {
      line(point.strength, 0, point.own);
      line(point.strength, 1, point.counterfactual);
      for (std::size_t c = 0; c < point.controls.size(); ++c) line(point.strength, 2 + c, point.controls[c]);
    }
    return out;
  }
  out = "token,id,run,predicted,truth,kl_bits,logit_difference,entropy_bits,next_bits";
  const std::size_t layers = result.tokens.empty() ? 0 : result.tokens.front().sequences.front().distance.size();
  for (std::size_t l = 0; l < layers; ++l) out += fmt::format(",state_distance_{}", l);
  out += '\n';
  for (std::size_t t = 0; t < result.tokens.size(); ++t) {
    const engine::EffectToken& token = result.tokens[t];
    const std::int32_t truth = t < result.truth.size() ? result.truth[t] : -1;
    for (std::size_t run = 0; run < token.sequences.size(); ++run) {
      const engine::EffectOnToken& on = token.sequences[run];
      out += fmt::format("{},{},{},{},{},{},{},{},{}", t, token.id, name_of_run(run), on.predicted,
                         truth < 0 ? "" : fmt::format("{}", truth), on.kl_bits, on.logit_difference, on.entropy_bits,
                         on.next_bits < 0 ? "" : fmt::format("{}", on.next_bits));
      for (const double d : on.distance) out += std::isfinite(d) ? fmt::format(",{}", d) : ",";
      out += '\n';
    }
  }
  return out;
}

}  // namespace app
