#include "app/wiring/profile_comparison.h"

#include "app/wiring/profile_rows.h"
#include "app/wiring/recorded_shape.h"
#include "profiler/report/series.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace app {

namespace {

// Enough resamples for an interval, as far as they take no more than some seconds in all.
int resamples_for(std::size_t values) {
  return static_cast<int>(std::clamp<std::size_t>(2'000'000 / std::max<std::size_t>(1, values), 400, 2000));
}

ComparedRow compared(std::string name, const profiler::Series& a, const profiler::Series& b, std::uint64_t seed) {
  ComparedRow row;
  row.name = std::move(name);
  row.tokens_a = a.times_ns.size();
  row.tokens_b = b.times_ns.size();
  row.median_a_us = profiler::spread_of(a.times_ns).median / 1e3;
  row.median_b_us = profiler::spread_of(b.times_ns).median / 1e3;
  if (row.tokens_a == 0 || row.tokens_b == 0) return row;
  row.p = profiler::mann_whitney(a.times_ns, b.times_ns).p;
  row.ratio = profiler::ratio_of_medians(a.times_ns, b.times_ns, seed, resamples_for(row.tokens_a + row.tokens_b));
  row.verdict = Verdict::no_change;
  return row;
}

// The steady clock has a resolution of its own; CUPTI's clock ticks as the durations show.
double tick_us(const ProfileResult& profile) {
  const bool host = profile.status.source == profiler::TimeSource::cpu_clock;
  return std::max(profiler::clock_tick_ns(profile.tokens),
                  host ? static_cast<double>(profile.status.clock_uncertainty_ns) : 0.0) /
         1e3;
}

void judge(ProfileComparison& comparison) {
  std::vector<double> p;
  for (const ComparedRow& row : comparison.rows)
    if (row.verdict != Verdict::unlike) p.push_back(row.p);
  const std::vector<double> adjusted = profiler::holm(p);
  std::size_t next = 0;
  for (ComparedRow& row : comparison.rows) {
    if (row.verdict == Verdict::unlike) continue;
    row.adjusted_p = adjusted[next++];
    if (profiler::least_p(row.tokens_a, row.tokens_b) * static_cast<double>(p.size()) >= significance_level)
      row.verdict = Verdict::too_few;
    if (row.adjusted_p >= significance_level || row.median_a_us == row.median_b_us) continue;
    if (std::abs(row.median_b_us - row.median_a_us) < comparison.tick_us * (1 - 1e-9)) {
      row.verdict = Verdict::below_tick;
      continue;
    }
    row.verdict = row.median_b_us < row.median_a_us          ? Verdict::faster
                  : row.ratio.low > 1 + comparison.threshold ? Verdict::regression
                                                             : Verdict::slower;
  }
}

using Key = std::tuple<std::string, int, int>;  // name, layer, how many with these came before

std::vector<Key> keys_of(const Grouping& grouping) {
  std::vector<Key> keys;
  std::map<std::pair<std::string, int>, int> seen;
  for (const StageGroup& group : grouping.groups)
    keys.emplace_back(group.name, group.layer, seen[{group.name, group.layer}]++);
  return keys;
}

}  // namespace

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::unlike:
      return "not in both";
    case Verdict::too_few:
      return "too few tokens";
    case Verdict::no_change:
      return "no difference shown";
    case Verdict::below_tick:
      return "below a tick of the clock";
    case Verdict::faster:
      return "faster";
    case Verdict::slower:
      return "slower";
    case Verdict::regression:
      return "slower beyond the threshold";
  }
  return "";
}

bool ProfileComparison::regressed() const {
  return std::any_of(rows.begin(), rows.end(),
                     [](const ComparedRow& row) { return row.verdict == Verdict::regression; });
}

bool ProfileComparison::too_few_tokens() const { return !rows.empty() && rows.front().verdict == Verdict::too_few; }

ComparedRow gaps_row(const ProfileComparison& comparison, std::size_t tokens_a, std::size_t tokens_b) {
  ComparedRow row;
  row.name = gaps_name;
  row.tokens_a = tokens_a;
  row.tokens_b = tokens_b;
  row.median_a_us = comparison.gaps_a_us;
  row.median_b_us = comparison.gaps_b_us;
  if (row.median_a_us > 0) row.ratio.ratio = row.median_b_us / row.median_a_us;
  return row;
}

std::string work_elsewhere(const ProfileResult& a, const ProfileResult& b) {
  if (a.plan.variant == b.plan.variant) return {};
  std::string out;
  for (const auto& [letter, own, other] : {std::tuple{'A', &a, &b}, {'B', &b, &a}}) {
    std::string kinds;
    for (const StageGroup& group : grouping(own->plan, ProfileRows::kinds).groups) {
      const auto& stages = other->plan.stages;
      const bool shared = std::any_of(stages.begin(), stages.end(), [&](const engine::Stage& stage) {
        return static_cast<int>(stage.kind) == group.kind;
      });
      if (!shared) kinds += (kinds.empty() ? "" : ", ") + group.name;
    }
    if (!kinds.empty()) out += fmt::format("{}only {} has {}", out.empty() ? "" : "; ", letter, kinds);
  }
  return out.empty() ? out : out + ": the other variant does that work in stages of other names, which hold more there";
}

std::vector<std::string> why_not_comparable(const ProfileResult& a, const ProfileResult& b) {
  std::vector<std::string> reasons;
  const auto of_a = shape_numbers(a.config), of_b = shape_numbers(b.config);
  for (std::size_t i = 0; i < of_a.size(); ++i)
    if (of_a[i].second != of_b[i].second)
      reasons.push_back(fmt::format("{} is {} and {}", of_a[i].first, of_a[i].second, of_b[i].second));
  if (a.plan.batch != b.plan.batch)
    reasons.push_back(fmt::format("the batch is {} and {}", a.plan.batch, b.plan.batch));
  if (a.weights != b.weights) reasons.push_back(fmt::format("the weights are {} and {}", a.weights, b.weights));
  const auto measures_errors = [](const ProfileResult& result) {
    return std::any_of(result.plan.stages.begin(), result.plan.stages.end(),
                       [](const engine::Stage& stage) { return stage.kind == engine::StageKind::errors; });
  };
  if (measures_errors(a) != measures_errors(b))
    reasons.push_back(
        fmt::format("only {} measures errors in its steps", measures_errors(a) ? "the first" : "the second"));
  if (a.status.source != b.status.source)
    reasons.push_back(fmt::format("the times come from {} and {}", name_of(a.status.source), name_of(b.status.source)));
  return reasons;
}

std::vector<std::string> differences(const ProfileResult& a, const ProfileResult& b) {
  std::vector<std::string> out;
  const auto text = [&](const char* what, const std::string& of_a, const std::string& of_b) {
    if (of_a != of_b) out.push_back(fmt::format("{}: {} and {}", what, of_a, of_b));
  };
  text("model", a.model, b.model);
  text("device", a.backend.device, b.backend.device);
  text("backend", a.backend.name, b.backend.name);
  text("variant", a.plan.variant, b.plan.variant);
  text("launched", a.backend.graph ? "as a CUDA graph" : "one by one",
       b.backend.graph ? "as a CUDA graph" : "one by one");
  if (a.backend.is_gpu && b.backend.is_gpu) text("how steps follow", a.queued_words(), b.queued_words());
  text("state", a.backend.state, b.backend.state);
  text("products", a.backend.products, b.backend.products);
  text("threads", std::to_string(a.backend.threads), std::to_string(b.backend.threads));
  text("program", a.program, b.program);
  return out;
}

ProfileComparison compare_profiles(const ProfileResult& a, const ProfileResult& b, ProfileRows rows, double threshold,
                                   std::uint64_t seed, const profiler::GoesOn& goes_on) {
  ProfileComparison out;
  out.threshold = threshold;
  out.tick_us = std::max(tick_us(a), tick_us(b));
  out.gaps_a_us = profiler::spread_of(profiler::gaps_series(a.tokens).times_ns).median / 1e3;
  out.gaps_b_us = profiler::spread_of(profiler::gaps_series(b.tokens).times_ns).median / 1e3;
  out.rows.push_back(compared("whole step", profiler::wall_series(a.tokens), profiler::wall_series(b.tokens), seed));
  const Grouping of_a = grouping(a.plan, rows), of_b = grouping(b.plan, rows);
  // Rows take nearly all of the time: their intervals are resampled.
  const auto asks = [&goes_on](double done) { return !goes_on || goes_on(done); };
  if (!asks(0.05)) return out;
  if (profiler::clock_for(a.tokens) == profiler::StageClock::waiting_out ||
      profiler::clock_for(b.tokens) == profiler::StageClock::waiting_out)
    out.clock = profiler::StageClock::waiting_out;
  const auto series_a = profiler::series_of(a.tokens, of_a.of_stage, of_a.groups.size(), out.clock);
  const auto series_b = profiler::series_of(b.tokens, of_b.of_stage, of_b.groups.size(), out.clock);
  if (!asks(0.15)) return out;
  const std::vector<Key> keys_a = keys_of(of_a), keys_b = keys_of(of_b);
  const auto add = [&](const StageGroup& group, const profiler::Series& from_a, const profiler::Series& from_b) {
    out.rows.push_back(compared(full_name(group), from_a, from_b, seed + out.rows.size()));
    out.rows.back().kind = group.kind;
    out.rows.back().layer = group.layer;
  };
  for (std::size_t i = 0; i < keys_a.size(); ++i) {
    if (!asks(0.15 + 0.85 * static_cast<double>(i) / static_cast<double>(keys_a.size()))) return out;
    const auto other = std::find(keys_b.begin(), keys_b.end(), keys_a[i]);
    add(of_a.groups[i], series_a[i],
        other == keys_b.end() ? profiler::Series{} : series_b[static_cast<std::size_t>(other - keys_b.begin())]);
  }
  for (std::size_t i = 0; i < keys_b.size(); ++i)
    if (std::find(keys_a.begin(), keys_a.end(), keys_b[i]) == keys_a.end()) add(of_b.groups[i], {}, series_b[i]);
  judge(out);
  return out;
}

}  // namespace app
