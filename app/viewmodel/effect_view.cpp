#include "app/viewmodel/effect_view.h"

#include "app/viewmodel/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace app {

namespace {

double drawable(double value) { return value > 0 ? value : std::numeric_limits<double>::quiet_NaN(); }

const engine::EffectToken* token_at(const EffectReport& report, std::int64_t shown) {
  if (report.tokens == nullptr || report.tokens->empty() || shown < 0) return nullptr;
  const auto last = static_cast<std::int64_t>(report.tokens->size()) - 1;
  return &(*report.tokens)[static_cast<std::size_t>(std::min(shown, last))];
}

}  // namespace

EffectSeries make_effect_series(const EffectReport& report, int layer, std::int64_t shown) {
  EffectSeries series;
  if (report.tokens == nullptr) return series;
  const auto l = static_cast<std::size_t>(layer);
  for (std::size_t t = 0; t < report.tokens->size(); ++t) {
    const engine::EffectToken& token = (*report.tokens)[t];
    series.token.push_back(static_cast<double>(t));
    for (std::size_t run = 0; run < effect_lambdas.size(); ++run) {
      const engine::EffectOnToken& on = token.sequences[run + 1];
      series.kl_bits[run].push_back(drawable(on.kl_bits));
      series.distance[run].push_back(l < on.distance.size() ? drawable(on.distance[l])
                                                            : std::numeric_limits<double>::quiet_NaN());
    }
  }
  for (std::size_t run = 0; run < effect_runs; ++run) series.summary[run] = engine::summarise(*report.tokens, run);
  if (const engine::EffectToken* token = token_at(report, shown)) {
    for (std::size_t i = 0; i < token->sequences[0].distance.size(); ++i)
      series.layer.push_back(static_cast<double>(i));
    for (std::size_t run = 0; run < effect_lambdas.size(); ++run)
      series.layer_distance[run] = token->sequences[run + 1].distance;
  }
  return series;
}

const char* effect_name(std::size_t run, bool in_force) {
  return run == 0 && in_force ? "in force" : effect_names[run];
}

std::vector<EffectLine> effect_lines(const EffectSeries& series, const EffectReport* accuracy, bool in_force) {
  std::vector<EffectLine> lines;
  if (!series.empty()) {
    EffectLine mean{"KL, bits", fmt::format("KL({} || this run), mean over the tokens.", effect_name(0, in_force)), {}},
        same{"same answer",
             in_force ? "Tokens after which the likeliest answer is that with what is in force."
                      : "Tokens after which the likeliest answer is the model's own.",
             {}},
        bits{"bits per token", "What each run pays for the tokens that follow in this context.", {}},
        moved{"state moved", "Relative distance of the last layer's un-rotated state, mean over the tokens.", {}};
    for (std::size_t run = 0; run < effect_runs; ++run) {
      const engine::EffectSummary& sum = series.summary[run];
      mean.values[run] = run == 0 ? "–" : number_text(sum.mean_kl_bits, 3);
      same.values[run] = run == 0 ? "–" : fmt::format("{} of {}", sum.same_prediction, sum.tokens);
      moved.values[run] = run == 0 || sum.mean_distance.empty() || !std::isfinite(sum.mean_distance.back())
                              ? "–"
                              : percent_text(sum.mean_distance.back());
      bits.values[run] = number_text(sum.bits_per_token, 4);
    }
    lines = {mean, same, moved};
    if (series.summary[0].bits_per_token >= 0) lines.push_back(bits);
  }
  if (accuracy != nullptr && !accuracy->accuracy.empty()) {
    EffectLine plain{
        "accuracy", fmt::format("Of {} sequences of length {}.", accuracy->sequences, accuracy->length), {}},
        scaled{"scaled acc.", "0 is chance, 100 all right.", {}};
    for (std::size_t run = 0; run < effect_runs; ++run) {
      if (run >= accuracy->accuracy.size()) {
        plain.values[run] = scaled.values[run] = "…";
      } else if (const engine::Evaluation& counted = accuracy->accuracy[run]; counted.total().labelled == 0) {
        plain.values[run] = scaled.values[run] = "–";
      } else {
        plain.values[run] = percent_text(counted.accuracy());
        scaled.values[run] = fmt::format("{:.1f}", 100 * counted.scaled_accuracy());
      }
    }
    lines.push_back(plain);
    lines.push_back(scaled);
  }
  return lines;
}

std::vector<EffectAnswer> effect_answers(const EffectReport& report, const engine::Model& model, std::int64_t shown) {
  std::vector<EffectAnswer> answers;
  const engine::EffectToken* token = token_at(report, shown);
  if (token == nullptr) return answers;
  for (std::size_t i = 0; i < token->ids.size(); ++i) {
    EffectAnswer& answer = answers.emplace_back();
    answer.text = model.label(token->ids[i]);
    for (std::size_t run = 0; run < effect_runs; ++run) {
      answer.p[run] = token->sequences[run].p[i];
      answer.best[run] = token->sequences[run].predicted == token->ids[i];
    }
  }
  return answers;
}

Table effect_table(const EffectReport& report) {
  Table table{"effect", {{"token", {}}, {"id", {}}}};
  constexpr std::array<const char*, effect_runs> keys{"own", "euler", "trapezoid"};
  if (report.tokens == nullptr || report.tokens->empty()) return table;
  const std::size_t layers = report.tokens->front().sequences[0].distance.size();
  for (std::size_t run = 0; run < effect_runs; ++run) {
    table.columns.push_back({fmt::format("{} predicted id", keys[run]), {}});
    table.columns.push_back({fmt::format("{} entropy (bits)", keys[run]), {}});
    if (run == 0) continue;
    table.columns.push_back({fmt::format("{} KL (bits)", keys[run]), {}});
    for (std::size_t l = 0; l < layers; ++l)
      table.columns.push_back({fmt::format("{} state distance layer {} (relative)", keys[run], l), {}});
  }
  for (std::size_t t = 0; t < report.tokens->size(); ++t) {
    const engine::EffectToken& token = (*report.tokens)[t];
    std::size_t column = 0;
    const auto put = [&](double value) { table.columns[column++].values.push_back(value); };
    put(static_cast<double>(t));
    put(token.id);
    for (std::size_t run = 0; run < effect_runs; ++run) {
      const engine::EffectOnToken& on = token.sequences[run];
      put(on.predicted);
      put(on.entropy_bits);
      if (run == 0) continue;
      put(on.kl_bits);
      for (const double distance : on.distance) put(distance);
    }
  }
  return table;
}

}  // namespace app
