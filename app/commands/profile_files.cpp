#include "app/commands/profile_files.h"

#include "app/commands/options.h"
#include "app/commands/output_file.h"
#include "app/commands/profile_accounting.h"
#include "app/commands/profile_counters.h"
#include "app/commands/profile_ranks.h"
#include "app/commands/profile_samples.h"
#include "app/wiring/profile_rows.h"
#include "app/wiring/recorded_profile.h"
#include "engine/base/quote.h"
#include "profiler/export/table.h"
#include "profiler/export/trace.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace app {

namespace {

double median_wall_us(const ProfileResult& profile) {
  return profiler::statistics_of(profile.tokens, 0).step.wall.median / 1e3;
}

engine::Result<void> save(const ProfileResult& profile, const std::string& path) {
  const auto bytes = recording_bytes(profile);
  if (!bytes) return tl::unexpected(bytes.error());
  return write_output(path, [&](std::ostream& out) { out << *bytes; });
}

std::vector<int> ranks_of(const Recording& recording) {
  std::vector<int> ranks;
  if (recording.family)
    for (const RankRun& run : recording.family->runs) ranks.push_back(run.rank);
  return ranks;
}

std::string model_words(const Recording& recording) {
  if (!recording.family) return recording.profile.model;
  return fmt::format("{} at ranks {}", recording.family->shape, fmt::join(ranks_of(recording), ", "));
}

}  // namespace

ProfileRows rows_named(const std::string& name) {
  return name == "layer" ? ProfileRows::layers : name == "stage" ? ProfileRows::stages : ProfileRows::kinds;
}

void add_profile_files(CLI::App& command, ProfileFiles& files, const std::vector<std::string>& measuring) {
  CLI::Option* saves = add_output_option(command, "--save", files.save,
                                         "Keep everything that was measured in a file that --open, compare and the "
                                         "window read",
                                         "FILE.profile");
  CLI::Option* opens = command
                           .add_option("--open", files.open,
                                       "Print and export a recorded profile in place of measuring: a file, or the "
                                       "name of one that comes with the program (--list)")
                           ->type_name("FILE|NAME")
                           ->check(not_empty("a file or a name"));
  CLI::Option* lists = command.add_flag("--list", files.list, "List the recorded profiles that come with the program");
  opens->excludes(saves)->excludes(lists);
  for (const std::string& name : measuring) {
    opens->excludes(command.get_option(name));
    lists->excludes(command.get_option(name));
  }
  CLI::Option* traces =
      add_output_option(command, "--trace", files.trace, "Write a Chrome trace that Perfetto opens", "FILE.json");
  command
      .add_option("--trace-limit", files.trace_limit_mib,
                  "Size that a trace may have, in MiB; tokens that do not fit are left out, and it says how many")
      ->check(number_in(0.01, 65536))
      ->capture_default_str()
      ->needs(traces);
  CLI::Option* tables =
      add_output_option(command, "--csv", files.csv, "Write one line for each piece of work", "FILE.csv");
  lists->excludes(traces)->excludes(tables);
}

engine::Result<void> keep_profile(const ProfileResult& profile, const ProfileFiles& files) {
  if (!files.save.empty()) {
    if (auto saved = save(profile, files.save); !saved) return saved;
    fmt::print(stderr, "mambascope: wrote {}\n", engine::printable(files.save));
  }
  if (!files.trace.empty() || !files.csv.empty()) {
    const profiler::Export work = profile_rows(profile);
    profiler::LeftOut left_out;
    if (!files.trace.empty()) {
      const auto most = static_cast<std::size_t>(files.trace_limit_mib * 1024 * 1024);
      auto written = write_output(files.trace,
                                  [&](std::ostream& out) { left_out = profiler::write_chrome_trace(out, work, most); });
      if (!written) return written;
    }
    if (left_out.tokens + left_out.samples > 0)
      fmt::print(stderr,
                 "mambascope: {}: {} of {} tokens{} are left out, for they do not fit into {:g} MiB (--trace-limit)\n",
                 engine::printable(files.trace), left_out.tokens, work.steps.size(),
                 left_out.samples > 0 ? fmt::format(" and the hardware's samples of {} more", left_out.samples) : "",
                 files.trace_limit_mib);
    if (!files.csv.empty()) {
      auto written = write_output(files.csv, [&](std::ostream& out) { write_csv(out, work); });
      if (!written) return written;
    }
  }
  return {};
}

int open_profile(const ProfileFiles& files, ProfileRows rows, bool json) {
  if (auto opened = open_any_recording(files.open); opened && opened->family) {
    if (!files.trace.empty())
      return report(
          {engine::ErrorKind::input, fmt::format("{} holds several ranks: name one for --trace, such as {}@{}.",
                                                 files.open, files.open, opened->family->runs.front().rank)});
    if (rows != ProfileRows::kinds)
      return report({engine::ErrorKind::input,
                     fmt::format("{} holds several ranks, whose table has the kinds: name one for --by, such as {}@{}.",
                                 files.open, files.open, opened->family->runs.front().rank)});
    return keep_and_print(*opened->family, files, json);
  }
  const auto profile = open_recording(files.open);
  if (!profile) return report(profile.error());
  if (const auto kept = keep_profile(*profile, files); !kept) return report(kept.error());
  const CopyRate copy{profile->copy_bytes_per_second, "the recording has none"};
  if (json) {
    auto printed = profile_json(*profile);
    printed["accounting"] = accounting_json(*profile, copy);
    if (profile->samples) printed["samples"] = samples_report_json(*profile->samples, *profile);
    if (profile->counters) printed["counters"] = counters_report_json(*profile->counters, *profile);
    print_json(printed);
  } else {
    fmt::print("{}{}", profile_text(*profile, rows), accounting_text(*profile, copy));
    if (profile->samples) fmt::print("{}", samples_text(*profile->samples, *profile));
    if (profile->counters) fmt::print("{}", counters_text(*profile->counters, *profile));
  }
  return 0;
}

int list_profiles(bool json) {
  const std::vector<std::string> names = shipped_recordings();
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::size_t widest = 4, model = 5;
  std::vector<engine::Result<Recording>> opened;
  for (const std::string& name : names) {
    opened.push_back(open_any_recording(name));
    widest = std::max(widest, name.size());
    if (opened.back()) model = std::max(model, model_words(*opened.back()).size());
  }
  int code = 0;
  if (!json && !names.empty())
    fmt::print("{:<{}}  {:<{}}  {:<8} {:>5} {:>7} {:>12}  recorded\n", "name", widest, "model", model, "variant",
               "batch", "tokens", "us a step");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!opened[i]) {
      code = report(opened[i].error());
      continue;
    }
    const ProfileResult& p = opened[i]->profile;
    if (json)
      list.push_back({{"name", names[i]},
                      {"model", opened[i]->family ? opened[i]->family->shape : p.model},
                      {"ranks", ranks_of(*opened[i])},
                      {"variant", p.plan.variant},
                      {"graph", p.backend.graph},
                      {"batch", p.plan.batch},
                      {"tokens", p.tokens.size()},
                      {"wall_us", median_wall_us(p)},
                      {"device", p.backend.device},
                      {"recorded_at", p.recorded_at}});
    else
      fmt::print("{:<{}}  {:<{}}  {:<8} {:>5} {:>7} {:>12.1f}  {}, {}{}\n", names[i], widest, model_words(*opened[i]),
                 model, p.plan.variant, p.plan.batch, p.tokens.size(), median_wall_us(p), p.backend.device,
                 p.recorded_at.substr(0, 10),
                 (p.backend.graph ? ", CUDA graph" : "") +
                     (opened[i]->family ? fmt::format(", times of rank {}", ranks_of(*opened[i]).front()) : ""));
  }
  if (json) print_json({{"profiles", list}});
  if (names.empty()) fmt::print(stderr, "mambascope: no recorded profiles in {}/profiles.\n", engine::assets_folder());
  return code;
}

}  // namespace app
