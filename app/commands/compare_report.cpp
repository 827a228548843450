#include "app/commands/compare_report.h"

#include "app/wiring/profile_rows.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace app {

namespace {

using nlohmann::ordered_json;

ordered_json side_json(const ProfileResult& profile) {
  return {{"profile", profile.recording},
          {"model", profile.model},
          {"device", profile.backend.device},
          {"variant", profile.plan.variant},
          {"graph", profile.backend.graph},
          {"recorded_at", profile.recorded_at},
          {"program", profile.program},
          {"tokens", profile.tokens.size()},
          {"time_source", name_of(profile.status.source)}};
}

std::string side_text(char letter, const ProfileResult& p) {
  return fmt::format("{}  {}: {}, {}{}, {} tokens, {}\n", letter, p.recording, p.model, p.plan.variant,
                     p.backend.graph ? ", CUDA graph" : "", p.tokens.size(), p.recorded_words());
}

std::string p_text(double p) { return p < 1e-4 ? "< 0.0001" : fmt::format("{:.4f}", p); }

std::string row_text(const ComparedRow& row) {
  const auto median = [](std::size_t tokens, double us) { return tokens > 0 ? fmt::format("{:.2f}", us) : "-"; };
  std::string out = fmt::format("  {:<28} {:>12} {:>12}", row.name, median(row.tokens_a, row.median_a_us),
                                median(row.tokens_b, row.median_b_us));
  if (row.verdict == Verdict::unlike)
    return out + fmt::format(" {:>8} {:>18} {:>9}  {}\n", "-", "-", "-", name_of(row.verdict));
  const std::string interval =
      row.ratio.low > 0 ? fmt::format("{:.3f} .. {:.3f}", row.ratio.low, row.ratio.high) : std::string("-");
  const std::string ratio = row.ratio.ratio > 0 ? fmt::format("{:.3f}", row.ratio.ratio) : std::string("-");
  return out + fmt::format(" {:>8} {:>18} {:>9}  {}\n", ratio, interval, p_text(row.adjusted_p), name_of(row.verdict));
}

}  // namespace

ordered_json comparison_json(const ProfileResult& a, const ProfileResult& b, const ProfileComparison& comparison,
                             const std::vector<std::string>& forced) {
  ordered_json rows = ordered_json::array();
  for (const ComparedRow& row : comparison.rows) {
    const bool both = row.verdict != Verdict::unlike;
    ordered_json entry = {{"name", row.name}};
    entry["kind"] =
        row.kind >= 0 ? ordered_json(engine::name_of(static_cast<engine::StageKind>(row.kind))) : ordered_json();
    entry["layer"] = row.layer;
    entry["tokens"] = {row.tokens_a, row.tokens_b};
    entry["median_us"] = {row.tokens_a > 0 ? ordered_json(row.median_a_us) : ordered_json(),
                          row.tokens_b > 0 ? ordered_json(row.median_b_us) : ordered_json()};
    entry["ratio"] = both && row.ratio.ratio > 0 ? ordered_json(row.ratio.ratio) : ordered_json();
    entry["ratio_interval"] =
        both && row.ratio.low > 0 ? ordered_json({row.ratio.low, row.ratio.high}) : ordered_json();
    entry["p"] = both ? ordered_json(row.p) : ordered_json();
    entry["adjusted_p"] = both ? ordered_json(row.adjusted_p) : ordered_json();
    entry["verdict"] = name_of(row.verdict);
    rows.push_back(std::move(entry));
  }
  return {{"a", side_json(a)},
          {"b", side_json(b)},
          {"differences", differences(a, b)},
          {"work_elsewhere", work_elsewhere(a, b)},
          {"forced_in_spite_of", forced},
          {"test", "Mann-Whitney U, two-sided, p adjusted over the rows by Holm's method"},
          {"interval", "95 %, percentile bootstrap of the ratio of medians, in blocks of neighbouring tokens"},
          {"significance_level", significance_level},
          {"threshold", comparison.threshold},
          {"clock_tick_us", comparison.tick_us},
          {"stage_times", name_of(comparison.clock)},
          {"gaps_us", {comparison.gaps_a_us, comparison.gaps_b_us}},
          {"regressed", comparison.regressed()},
          {"too_few_tokens", comparison.too_few_tokens()},
          {"rows", std::move(rows)}};
}

std::string comparison_text(const ProfileResult& a, const ProfileResult& b, const ProfileComparison& comparison,
                            const std::vector<std::string>& forced) {
  std::string out = side_text('A', a) + side_text('B', b);
  for (const std::string& reason : forced) out += "not alike: " + reason + "\n";
  for (const std::string& difference : differences(a, b)) out += "differ in " + difference + "\n";
  if (const std::string elsewhere = work_elsewhere(a, b); !elsewhere.empty()) out += elsewhere + "\n";
  const bool waiting_out = comparison.clock == profiler::StageClock::waiting_out;
  out += fmt::format("\n  {:<28} {:>12} {:>12} {:>8} {:>18} {:>9}\n",
                     waiting_out ? "per token, waiting left out" : "per token", "A median us", "B median us", "B / A",
                     "95 % interval", "p");
  for (const ComparedRow& row : comparison.rows) out += row_text(row);
  out += fmt::format(
      "\np by Mann and Whitney's rank test, two-sided, adjusted over the rows by Holm's method; below {} counts. "
      "Intervals by bootstrap\nin blocks of neighbouring tokens. Two runs of one program differ as well: compare two "
      "recordings of the same to see by how much.\nthe clocks tell {:g} us apart; gaps in which nothing ran: {:.2f} "
      "and {:.2f} us, "
      "medians\n",
      significance_level, comparison.tick_us, comparison.gaps_a_us, comparison.gaps_b_us);
  if (waiting_out)
    out +=
        "kernels that overlap wait for each other: a kind's time, in both profiles, is by how much it lengthens the "
        "work;\nwhat it fetches ahead for the next one lengthens it and shortens that\n";
  std::string slower;
  for (const ComparedRow& row : comparison.rows)
    if (row.verdict == Verdict::regression) slower += (slower.empty() ? "" : ", ") + row.name;
  if (slower.empty() && comparison.too_few_tokens())
    return out + fmt::format(
                     "with {} and {} tokens no difference, however large, can reach p < {} in {} rows: measure more\n",
                     a.tokens.size(), b.tokens.size(), significance_level, comparison.rows.size());
  out += slower.empty()
             ? fmt::format("nothing is significantly slower by more than {:g} %\n", 100 * comparison.threshold)
             : fmt::format("significantly slower by more than {:g} %: {}\n", 100 * comparison.threshold, slower);
  return out;
}

}  // namespace app
