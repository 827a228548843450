#include "app/commands/bench_report.h"

#include "app/commands/options.h"
#include "app/commands/sampler_options.h"
#include "app/commands/text.h"
#include "engine/intervention/text.h"
#include "profiler/report/statistics.h"

#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace app {

namespace {

using nlohmann::ordered_json;

// Null for what the device does not tell.
template <class T>
ordered_json told(T value) {
  return value < 0 ? ordered_json() : ordered_json(value);
}

const engine::GeneratingCost* wrong_draws(const engine::Bench& bench) {
  const auto& costs = bench.generating;
  const auto found = std::find_if(costs.begin(), costs.end(), [](const auto& cost) { return !cost.verified(); });
  return found == costs.end() ? nullptr : &*found;
}

// Medians of a step with something and of one without, ms.
struct CostTimes {
  CostTimes(const std::vector<double>& without_ms, const std::vector<double>& with_ms)
      : without(profiler::spread_of(without_ms).median), with(profiler::spread_of(with_ms).median) {}
  double without, with;
  double cost() const { return with / without - 1; }
};

// Medians of a step that draws its ids and of one that is given them, ms.
struct GeneratingTimes {
  double with, without;
  explicit GeneratingTimes(const engine::GeneratingCost& cost)
      : with(profiler::spread_of(cost.with_ms).median), without(profiler::spread_of(cost.without_ms).median) {}
  double cost() const { return with / without - 1; }
};

std::string why_not_verified(const BenchRow& row, const engine::BenchOptions& options) {
  const engine::Bench& bench = row.bench;
  if (bench.publishing && !bench.publishing->verified()) return "what was published is not what reading gives";
  if (bench.prefill && !bench.prefill->verified()) {
    if (!(bench.prefill->worst <= engine::PrefillCost::rtol)) {
      return fmt::format("{} after a prefill differs from stepping by {:.1e}, and {:.0e} is allowed",
                         bench.prefill->where, bench.prefill->worst, engine::PrefillCost::rtol);
    }
    return "two prefills of the same text left different logits";
  }
  if (bench.errors && !bench.errors->verified()) {
    return fmt::format("{} differs from the analysis by {:.1e}, and {:.0e} is allowed", bench.errors->report.where,
                       bench.errors->report.worst, engine::ErrorsCost::rtol);
  }
  if (bench.neutral && !bench.neutral->verified()) return "interventions that change nothing changed bits";
  if (bench.changed && !bench.changed->differs) return "the interventions change no logit";
  if (bench.changed && !bench.changed->verified(options.rtol)) {
    return fmt::format("under the interventions {} differs from the {} backend by {:.1e}, and {:.0e} is allowed",
                       bench.changed->report.where, bench.twin, bench.changed->report.worst, options.rtol);
  }
  if (bench.tiles && !bench.tiles->verified()) return "the blocks are not those of the state";
  if (const auto* wrong = wrong_draws(bench)) {
    return fmt::format("ids drawn with --sampler {} are not the host's", word_of(wrong->sampler.kind));
  }
  if (!bench.timings.empty()) return "the same tokens gave other bits after the timing";
  return fmt::format("{} differs from the {} backend by {:.1e}, and {:.0e} is allowed", bench.before.where, bench.twin,
                     bench.before.worst, options.rtol);
}

std::string line_of(const BenchRow& row, const engine::BenchOptions& options) {
  const engine::Bench& bench = row.bench;
  const std::string which = fmt::format("{:>6} {:>5} {:>4}  {:<4}", bench.batch, row.rank, row.d_state,
                                        bench.info.is_gpu ? name_of(row.timing.cache) : "");
  if (!bench.verified) return fmt::format("{}  not verified: {}\n", which, why_not_verified(row, options));
  const int mhz = row.timing.clocks.sm_mhz_median;
  return fmt::format("{}  {:>9.4f}  {:>9.4f}  {:>9.4f}  {:>12}  {:>10.1f}  {:>8.1f}  {:>6.1f} %  {:>10.1e}  {:>6}{}\n",
                     which, row.min, row.median, row.p95, grouped(static_cast<std::int64_t>(row.tokens_per_second)),
                     static_cast<double>(bench.bytes_per_step) / 1e6, row.bytes_per_second / 1e9,
                     100 * row.fraction_of_copy(), bench.before.worst,
                     !bench.info.is_gpu ? ""
                     : mhz < 0          ? "-"
                                        : std::to_string(mhz),
                     row.timing.clocks.throttled ? " *" : "");
}

// "SM 1980 MHz (of 1980), memory 2619 MHz, up to 412 W, 44 C"
std::string words_of(const std::vector<BenchRow>& rows) {
  kernels::ClockReport all = rows.front().timing.clocks;
  for (const BenchRow& row : rows) {
    const kernels::ClockReport& clocks = row.timing.clocks;
    if (clocks.sm_mhz_min >= 0) all.sm_mhz_min = std::min(all.sm_mhz_min, clocks.sm_mhz_min);
    all.sm_mhz_max = std::max(all.sm_mhz_max, clocks.sm_mhz_max);
    all.power_w_max = std::max(all.power_w_max, clocks.power_w_max);
    all.after.temperature_c = std::max(all.after.temperature_c, clocks.after.temperature_c);
  }
  std::string words = all.sm_mhz_min == all.sm_mhz_max ? fmt::format("SM {} MHz", all.sm_mhz_min)
                                                       : fmt::format("SM {} to {} MHz", all.sm_mhz_min, all.sm_mhz_max);
  if (all.sm_mhz_highest > 0) words += fmt::format(" (of {})", all.sm_mhz_highest);
  if (all.memory_mhz_max >= 0) words += fmt::format(", memory {} MHz", all.memory_mhz_max);
  if (all.power_w_max >= 0) words += fmt::format(", up to {:.0f} W", all.power_w_max);
  if (all.after.temperature_c >= 0) words += fmt::format(", {} °C", all.after.temperature_c);
  return words;
}

void print_clocks(const std::vector<BenchRow>& rows) {
  if (!rows.front().bench.info.is_gpu || rows.front().bench.timings.empty()) return;
  const kernels::ClockReport& first = rows.front().timing.clocks;
  if (!first.unavailable.empty()) {
    fmt::print("Clocks: not available: {}.\n", first.unavailable);
    return;
  }
  std::vector<std::string> reasons;
  for (const BenchRow& row : rows) {
    if (!row.timing.clocks.throttled) continue;
    for (const std::string& reason : row.timing.clocks.reasons) {
      if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end()) reasons.push_back(reason);
    }
  }
  fmt::print("Clocks while timing: {}; {}.\n", words_of(rows),
             reasons.empty() ? "not throttled" : fmt::format("* throttled: {}", fmt::join(reasons, ", ")));
}

void print_caches(const std::vector<BenchRow>& rows) {
  std::vector<std::string> small;
  for (const BenchRow& row : rows) {
    if (row.bench.fits_l2() && row.timing.cache == engine::CacheState::warm) {
      small.push_back(
          fmt::format("{:.1f} MB at batch {}", static_cast<double>(row.bench.working_set()) / 1e6, row.bench.batch));
    }
  }
  if (!small.empty()) {
    fmt::print(
        "Weights and state fit the L2 of {:.0f} MB ({}): a warm step reads little from memory; --l2 cold empties it.\n",
        static_cast<double>(rows.front().bench.info.l2_bytes) / 1e6, fmt::join(small, ", "));
  }
}

ordered_json effect_json(const engine::Bench& bench) {
  if (!bench.effect) return nullptr;
  return {{"against", bench.twin + ", fp32 state"},
          {"tokens", bench.effect->tokens},
          {"logits_max_rel", bench.effect->logits.max_rel},
          {"top1_agreement", bench.effect->top1_agreement}};
}

ordered_json publishing_json(const BenchRow& row) {
  if (!row.bench.publishing) return nullptr;
  const engine::PublishingCost& cost = *row.bench.publishing;
  ordered_json object = {
      {"layer", cost.layer}, {"bytes", cost.bytes}, {"complete", cost.complete}, {"same_bits", cost.same_bits}};
  if (row.bench.verified) {
    object["ms_with"] = row.publishing_ms;
    object["ms_without"] = row.without_ms;
    object["cost"] = row.publishing_cost();
  }
  return object;
}

ordered_json errors_json(const BenchRow& row) {
  if (!row.bench.errors) return nullptr;
  const engine::ErrorsReport& report = row.bench.errors->report;
  ordered_json object = {{"compared", report.values},
                         {"tokens", report.tokens},
                         {"worst_difference", report.worst},
                         {"worst_at", report.where}};
  if (row.bench.verified) {
    object["ms_with"] = row.errors_ms;
    object["ms_without"] = row.without_errors_ms;
    object["cost"] = row.errors_cost();
  }
  return object;
}

ordered_json prefill_json(const engine::Bench& bench) {
  if (!bench.prefill) return nullptr;
  const engine::PrefillCost& cost = *bench.prefill;
  ordered_json object = {{"tokens", cost.tokens},          {"chunked", cost.chunked},
                         {"worst_difference", cost.worst}, {"worst_at", cost.where},
                         {"logits_max_rel", cost.logits},  {"same_bits_after", cost.same_bits_after}};
  if (bench.verified) {
    const double ms = profiler::spread_of(cost.prefill_ms).median;
    object["ms"] = ms;
    object["tokens_per_s"] = 1e3 * cost.tokens * bench.batch / ms;
    object["first_ms"] = cost.first_ms;
    object["stepping_ms"] = cost.stepping_ms;
    object["ratio"] = cost.chunked ? ordered_json(cost.stepping_ms / ms) : ordered_json();
  }
  return object;
}

ordered_json neutral_json(const engine::Bench& bench) {
  if (!bench.neutral) return nullptr;
  ordered_json object = {{"tokens", bench.neutral->tokens}, {"same_bits", bench.neutral->same_bits}};
  if (bench.verified) {
    const CostTimes times(bench.neutral->without_ms, bench.neutral->with_ms);
    object["ms_with"] = times.with;
    object["ms_without"] = times.without;
    object["cost"] = times.cost();
  }
  return object;
}

ordered_json changed_json(const engine::Bench& bench) {
  if (!bench.changed) return nullptr;
  ordered_json list = ordered_json::array();
  for (const engine::Intervention& by : bench.changed->list) list.push_back(engine::format_intervention(by));
  ordered_json object = {{"changes", list},
                         {"tokens", bench.changed->report.tokens},
                         {"worst_difference", bench.changed->report.worst},
                         {"worst_at", bench.changed->report.where}};
  if (bench.verified) {
    const CostTimes times(bench.changed->without_ms, bench.changed->with_ms);
    object["ms_with"] = times.with;
    object["ms_without"] = times.without;
    object["cost"] = times.cost();
  }
  return object;
}

ordered_json tiles_json(const engine::Bench& bench) {
  if (!bench.tiles) return nullptr;
  const engine::TilesCost& cost = *bench.tiles;
  ordered_json object = {
      {"rows", cost.rows}, {"columns", cost.columns}, {"bytes", cost.bytes}, {"same_bits", cost.same_bits}};
  if (bench.verified) {
    const CostTimes host(cost.without_ms, cost.host_ms), device(cost.without_ms, cost.on_device_ms);
    object["ms_without"] = host.without;
    object["ms_to_host"] = host.with;
    object["ms_on_device"] = device.with;
    object["cost_to_host"] = host.cost();
    object["cost_on_device"] = device.cost();
  }
  return object;
}

ordered_json generating_json(const engine::Bench& bench) {
  ordered_json list = ordered_json::array();
  for (const engine::GeneratingCost& cost : bench.generating) {
    ordered_json object = {{"sampler", word_of(cost.sampler.kind)}, {"temperature", cost.sampler.temperature},
                           {"top_k", cost.sampler.top_k},           {"top_p", cost.sampler.top_p},
                           {"draws_compared", cost.draws_compared}, {"same_ids", cost.same_ids}};
    if (bench.verified) {
      const GeneratingTimes times(cost);
      object["ms_with"] = times.with;
      object["ms_without"] = times.without;
      object["cost"] = times.cost();
    }
    list.push_back(std::move(object));
  }
  return list;
}

// Once for each run, whose rows, one for each state of the cache, say the same.
void print_what_more_was_timed(const std::vector<BenchRow>& rows, std::size_t rows_a_run) {
  for (std::size_t i = 0; i < rows.size(); i += rows_a_run) {
    const BenchRow& row = rows[i];
    const engine::Bench& bench = row.bench;
    const std::string which =
        rows.size() == rows_a_run ? "" : fmt::format("Batch {}, rank {}, N {}: ", bench.batch, row.rank, row.d_state);
    if (bench.effect) {
      fmt::print(
          "{}What the {} state costs: over {} tokens beside the {} backend's, in fp32, logits differ by at most "
          "{:.1e},\n"
          "and the likeliest token agrees for {:.1f} %.\n",
          which, bench.info.state, bench.effect->tokens, bench.twin, bench.effect->logits.max_rel,
          100 * bench.effect->top1_agreement);
    }
    if (bench.publishing && bench.verified) {
      fmt::print(
          "{}Publishing layer {} each step, {:.2f} MB with all coefficients and the logits: median {:.4f} ms, beside\n"
          "{:.4f} without: {:+.2f} %.\n",
          which, bench.publishing->layer, static_cast<double>(bench.publishing->bytes) / 1e6, row.publishing_ms,
          row.without_ms, 100 * row.publishing_cost());
    }
    if (bench.errors && bench.verified) {
      fmt::print(
          "{}Measuring three rules' errors in all heads of all layers each step: median {:.4f} ms, beside {:.4f} "
          "without:\n{:+.2f} %; {} of them are those of the analysis in double within {:.1e}.\n",
          which, row.errors_ms, row.without_errors_ms, 100 * row.errors_cost(), bench.errors->report.values,
          bench.errors->report.worst);
    }
    if (bench.prefill && bench.verified) {
      const engine::PrefillCost& cost = *bench.prefill;
      const double ms = profiler::spread_of(cost.prefill_ms).median;
      fmt::print(
          "{}Prefilling {} tokens{}: median {:.2f} ms, {} tokens/s; the first time {:.1f} ms. Stepping them: {:.1f} "
          "ms{}.\nBoth leave the same logits but for {:.1e}, and the same state but for {:.1e} ({}).\n",
          which, cost.tokens, cost.chunked ? "" : " (which this backend steps)", ms,
          grouped(static_cast<std::int64_t>(1e3 * cost.tokens * bench.batch / ms)), cost.first_ms, cost.stepping_ms,
          cost.chunked ? fmt::format(", {:.1f} times as long", cost.stepping_ms / ms) : std::string(), cost.logits,
          cost.worst, cost.where);
    }
    if (bench.neutral && bench.verified) {
      const CostTimes times(bench.neutral->without_ms, bench.neutral->with_ms);
      fmt::print(
          "{}Interventions on everything that change nothing (the same bits over {} tokens): median {:.4f} ms, beside "
          "{:.4f}\nwithout: {:+.2f} %.\n",
          which, bench.neutral->tokens, times.with, times.without, 100 * times.cost());
    }
    if (bench.changed && bench.verified) {
      const CostTimes times(bench.changed->without_ms, bench.changed->with_ms);
      std::string list;
      for (const engine::Intervention& by : bench.changed->list)
        list += (list.empty() ? "" : ", ") + engine::format_intervention(by);
      fmt::print(
          "{}Under {} ({:.1e} from the {} backend, changed alike, over {} tokens):\nmedian {:.4f} ms, beside {:.4f} "
          "without: {:+.2f} %.\n",
          which, list, bench.changed->report.worst, bench.twin, bench.changed->report.tokens, times.with, times.without,
          100 * times.cost());
    }
    if (bench.tiles && bench.verified) {
      const CostTimes host(bench.tiles->without_ms, bench.tiles->host_ms);
      const CostTimes device(bench.tiles->without_ms, bench.tiles->on_device_ms);
      fmt::print(
          "{}The whole state as {} x {} blocks a head after each step, {:.2f} MB: median {:.4f} ms where they come to "
          "the host,\n{:.4f} where they stay on the device, beside {:.4f} without, by the host's clock: {:+.2f} % and "
          "{:+.2f} %.\n",
          which, bench.tiles->rows, bench.tiles->columns, static_cast<double>(bench.tiles->bytes) / 1e6, host.with,
          device.with, host.without, 100 * host.cost(), 100 * device.cost());
    }
    for (const engine::GeneratingCost& cost : bench.generating) {
      if (!bench.verified) break;
      const GeneratingTimes times(cost);
      fmt::print(
          "{}Running on its own draws, {} (the host's ids, {} compared): median {:.4f} ms a token, beside\n"
          "{:.4f} for a step whose ids are given, both by the host's clock: {:+.2f} %.\n",
          which, word_of(cost.sampler.kind), cost.draws_compared, times.with, times.without, 100 * times.cost());
    }
  }
}

}  // namespace

ordered_json clocks_json(const kernels::ClockReport& clocks) {
  if (!clocks.unavailable.empty()) return {{"unavailable", clocks.unavailable}};
  return {
      {"samples", clocks.samples},
      {"sm_mhz",
       {{"min", told(clocks.sm_mhz_min)},
        {"median", told(clocks.sm_mhz_median)},
        {"max", told(clocks.sm_mhz_max)},
        {"highest", told(clocks.sm_mhz_highest)}}},
      {"memory_mhz", {{"min", told(clocks.memory_mhz_min)}, {"max", told(clocks.memory_mhz_max)}}},
      {"power_w",
       {{"before", told(clocks.before.power_w)},
        {"max", told(clocks.power_w_max)},
        {"after", told(clocks.after.power_w)}}},
      {"temperature_c", {{"before", told(clocks.before.temperature_c)}, {"after", told(clocks.after.temperature_c)}}},
      {"throttled", clocks.throttled},
      {"held_by", clocks.reasons}};
}

std::vector<BenchRow> bench_rows(const engine::Bench& bench, const engine::Model& model, const std::string& preset,
                                 const engine::BenchOptions& options) {
  std::vector<BenchRow> rows;
  for (std::size_t i = 0; i < options.caches.size(); ++i) {
    BenchRow row;
    row.model = model.name;
    row.preset = preset;
    row.title = model.name + lambda_override_words(model);
    row.rank = model.config().rank();
    row.d_state = model.config().d_state;
    row.weights = kernels::name_of(model.weights.layers.front().in_proj.dtype);
    row.bench = bench;
    if (i < bench.timings.size()) row.timing = bench.timings[i];
    row.timing.cache = options.caches[i];
    if (bench.verified) {
      const profiler::Spread spread = profiler::spread_of(row.timing.milliseconds);
      row.min = spread.min;
      row.median = spread.median;
      row.p95 = spread.p95;
      row.tokens_per_second = 1e3 * bench.batch / row.median;
      row.bytes_per_second = 1e3 * static_cast<double>(bench.bytes_per_step) / row.median;
      if (bench.publishing) {
        row.publishing_ms = profiler::spread_of(bench.publishing->with_ms).median;
        row.without_ms = profiler::spread_of(bench.publishing->without_ms).median;
      }
      if (bench.errors) {
        row.errors_ms = profiler::spread_of(bench.errors->with_ms).median;
        row.without_errors_ms = profiler::spread_of(bench.errors->without_ms).median;
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

ordered_json json_of(const BenchRow& row, const engine::BenchOptions& options) {
  const engine::Bench& bench = row.bench;
  ordered_json object;
  object[row.preset.empty() ? "model" : "preset"] = row.preset.empty() ? row.model : row.preset;
  object["device"] = bench.info.device;
  object["backend"] = bench.info.name;
  object["batch"] = bench.batch;
  object["rank"] = row.rank;
  object["d_state"] = row.d_state;
  object["variant"] = bench.variant;
  object["products"] = bench.info.products;
  object["graph"] = bench.info.graph;
  object["weights"] = row.weights;
  object["state"] = bench.info.state;
  object["ms_per_token"] = nullptr;
  object["tokens_per_s"] = nullptr;
  object["bytes_per_token"] = bench.bytes_per_step;
  object["copy_gbps"] = nullptr;
  object["fraction_of_copy"] = nullptr;
  if (bench.verified) {
    object["ms_per_token"] = {{"min", row.min}, {"median", row.median}, {"p95", row.p95}};
    object["tokens_per_s"] = row.tokens_per_second;
    object["copy_gbps"] = bench.copy_bytes_per_second / 1e9;
    object["fraction_of_copy"] = row.fraction_of_copy();
  }
  object["l2"] = bench.info.is_gpu ? ordered_json(name_of(row.timing.cache)) : ordered_json();
  object["working_set_bytes"] = bench.working_set();
  object["l2_bytes"] = bench.info.is_gpu ? ordered_json(bench.info.l2_bytes) : ordered_json();
  object["fits_l2"] = bench.info.is_gpu ? ordered_json(bench.fits_l2()) : ordered_json();
  if (!bench.timings.empty()) object["clocks"] = clocks_json(row.timing.clocks);
  object["steps"] = options.steps;
  object["warmup"] = options.warmup;
  object["first_token_ms"] = bench.first_token_ms;
  object["verified"] = bench.verified;
  object["verified_against"] = bench.twin;
  object["worst_difference"] = bench.before.worst;
  object["worst_at"] = bench.before.where;
  object["same_bits_after"] = bench.same_bits_after;
  object["step_by_step"] = bench.before.step_by_step;
  object["state_effect"] = effect_json(bench);
  object["publishing"] = publishing_json(row);
  object["errors"] = errors_json(row);
  object["prefill"] = prefill_json(bench);
  object["neutral_interventions"] = neutral_json(bench);
  object["interventions"] = changed_json(bench);
  object["tiles"] = tiles_json(bench);
  object["generating"] = generating_json(bench);
  return object;
}

void write_csv(std::ostream& out, const std::vector<BenchRow>& rows) {
  fmt::print(out,
             "batch,variant,graph,verified,min_ms,median_ms,p95_ms,tokens_per_s,bytes_per_step,copy_gbps,"
             "worst_difference,rank,d_state,l2,working_set_bytes,sm_mhz_min,sm_mhz_median,memory_mhz,power_w_max,"
             "temperature_c,throttled,state,state_effect_max_rel,state_effect_top1,published_layer,published_ms,"
             "unpublished_ms,errors_ms,without_errors_ms,errors_worst_difference\n");
  const auto or_nothing = [](auto value) { return value < 0 ? std::string() : fmt::format("{}", value); };
  for (const BenchRow& row : rows) {
    const engine::Bench& bench = row.bench;
    const kernels::ClockReport& clocks = row.timing.clocks;
    fmt::print(out, "{},{},{},{},", bench.batch, bench.variant, bench.info.graph, bench.verified);
    if (bench.verified) {
      fmt::print(out, "{},{},{},{},", row.min, row.median, row.p95, row.tokens_per_second);
    } else {
      fmt::print(out, ",,,,");
    }
    fmt::print(out, "{},{},{},{},{},{},{},{},{},{},{},{},{}", bench.bytes_per_step, bench.copy_bytes_per_second / 1e9,
               bench.before.worst, row.rank, row.d_state, bench.info.is_gpu ? name_of(row.timing.cache) : "",
               bench.working_set(), or_nothing(clocks.sm_mhz_min), or_nothing(clocks.sm_mhz_median),
               or_nothing(clocks.memory_mhz_max), or_nothing(clocks.power_w_max),
               or_nothing(clocks.after.temperature_c), clocks.samples > 0 ? (clocks.throttled ? "true" : "false") : "");
    fmt::print(out, ",{},", bench.info.state);
    if (bench.effect) {
      fmt::print(out, "{},{},", bench.effect->logits.max_rel, bench.effect->top1_agreement);
    } else {
      fmt::print(out, ",,");
    }
    if (bench.publishing && bench.verified) {
      fmt::print(out, "{},{},{},", bench.publishing->layer, row.publishing_ms, row.without_ms);
    } else {
      fmt::print(out, ",,,");
    }
    if (bench.errors && bench.verified) {
      fmt::print(out, "{},{},{}\n", row.errors_ms, row.without_errors_ms, bench.errors->report.worst);
    } else {
      fmt::print(out, ",,\n");
    }
  }
}

void print_table(const std::vector<BenchRow>& rows, const std::string& title, const engine::BenchOptions& options) {
  const engine::Bench& first = rows.front().bench;
  fmt::print("{}, {}, {}{}; weights {}, state {}\n", title, first.info.device, first.variant,
             first.info.graph    ? ", one CUDA graph"
             : first.info.is_gpu ? ", launched one by one"
                                 : "",
             rows.front().weights, first.info.state);
  fmt::print(
      "{} steps after {} to warm up, each timed{}; first and last sequence compared with the {} backend over {} "
      "tokens{}\n\n",
      options.steps, options.warmup, first.info.is_gpu ? " on the device" : "", first.twin, first.before.tokens,
      first.before.step_by_step ? ", step by step" : "");
  fmt::print("{:>6} {:>5} {:>4}  {:<4}  {:>9}  {:>9}  {:>9}  {:>12}  {:>10}  {:>8}  {:>8}  {:>10}  {:>6}\n", "batch",
             "rank", "N", first.info.is_gpu ? "L2" : "", "min ms", "median ms", "p95 ms", "tokens/s", "MB a step",
             "GB/s", "of copy", "difference", first.info.is_gpu ? "SM MHz" : "");
  for (const BenchRow& row : rows) fmt::print("{}", line_of(row, options));
  const auto best = std::max_element(rows.begin(), rows.end(), [](const BenchRow& a, const BenchRow& b) {
    return a.bench.copy_bytes_per_second < b.bench.copy_bytes_per_second;
  });
  fmt::print("\n");
  if (best->bench.copy_bytes_per_second > 0) {
    fmt::print("of copy: beside the copy rate measured in the same run, {:.0f} GB/s with reads and writes counted.\n",
               best->bench.copy_bytes_per_second / 1e9);
    if (std::any_of(rows.begin(), rows.end(), [](const BenchRow& row) { return row.fraction_of_copy() > 1; })) {
      fmt::print(
          "More than all of it: part of the step's memory stays in a cache, or the copy ran slower than it can.\n");
    }
  }
  print_what_more_was_timed(rows, options.caches.size());
  print_caches(rows);
  print_clocks(rows);
  fmt::print("From opening the backend to the first token: {:.3g} s.\n", first.first_token_ms / 1e3);
}

}  // namespace app
