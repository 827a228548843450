// mambascope compare: two recorded profiles, row by row, and whether the second is slower than a threshold allows.
#include "app/commands/command_line.h"
#include "app/commands/compare_report.h"
#include "app/commands/options.h"
#include "app/commands/profile_files.h"
#include "app/wiring/recorded_profile.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <charconv>
#include <system_error>

namespace app {

namespace {

struct Options : CommonOptions {
  std::string a, b, by = "kind", threshold = "5%";
  bool force = false;
};

// "5%", "5 %" or 0.05: below 10,000 %, and without the sign below 1, where 5 would as likely mean 5 %. Negative: it is none.
double share_of(const std::string& text) {
  double value = 0;
  const char* const last = text.data() + text.size();
  auto [end, failed] = std::from_chars(text.data(), last, value);
  if (failed != std::errc()) return -1;
  while (end != last && *end == ' ') ++end;
  const bool percent = end != last && *end == '%';
  if (percent) ++end;
  const double share = percent ? value / 100 : value;
  return end == last && share >= 0 && share < (percent ? 100 : 1) ? share : -1;
}

int compare(const Options& options) {
  const auto a = open_recording(options.a);
  if (!a) return report(a.error());
  const auto b = open_recording(options.b);
  if (!b) return report(b.error());
  const std::vector<std::string> reasons = why_not_comparable(*a, *b);
  if (!reasons.empty() && !options.force)
    return report({engine::ErrorKind::input,
                   fmt::format("{} and {} measure different things: {}. Give --force to compare them all the same.",
                               options.a, options.b, fmt::join(reasons, "; "))});
  const ProfileComparison comparison =
      compare_profiles(*a, *b, rows_named(options.by), share_of(options.threshold), options.seed);
  if (options.json)
    print_json(comparison_json(*a, *b, comparison, reasons));
  else
    fmt::print("{}", comparison_text(*a, *b, comparison, reasons));
  if (!comparison.regressed() && comparison.too_few_tokens())
    return report({engine::ErrorKind::input,
                   fmt::format("{} and {} hold too few tokens to compare. Measure more: profile --steps 64.", options.a,
                               options.b)});
  return comparison.regressed() ? 1 : 0;
}

}  // namespace

void add_compare(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "compare",
      "Compare two recorded profiles; exit code 1 where the second is slower, 2 where they cannot be compared");
  command
      ->add_option("A", options->a,
                   "A profile that `profile --save` wrote, or the name of one that comes with the program")
      ->required();
  command->add_option("B", options->b, "The one to hold against it")->required();
  command->add_option("--by", options->by, "Rows that are compared")
      ->check(CLI::IsMember({"kind", "layer", "stage"}))
      ->capture_default_str();
  command
      ->add_option("--threshold", options->threshold,
                   "How much slower is too slow: exit code 1 where a row is significantly slower and the whole 95 % "
                   "interval of its ratio lies beyond")
      ->check([](const std::string& text) {
        return share_of(text) >= 0 ? std::string() : text + " is no share such as 5% or 0.05";
      })
      ->type_name("SHARE")
      ->capture_default_str();
  command->add_flag("--force", options->force, "Compare profiles of different shapes, batches, weights or clocks, too");
  add_seed_option(*command, *options);
  add_json_option(*command, *options);
  command->footer(
      "Examples:\n  mambascope profile --preset siso-187m --save before.profile\n  mambascope compare before.profile "
      "after.profile\n  mambascope compare before.profile after.profile --by layer --threshold 2%");
  command->callback([options, &action] { action = [options] { return compare(*options); }; });
}

}  // namespace app
