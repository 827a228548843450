#include "app/wiring/counters_json.h"

#include <nlohmann/json.hpp>

#include <limits>

namespace app {

namespace {
using nlohmann::ordered_json;
constexpr double none = std::numeric_limits<double>::quiet_NaN();
}  // namespace

StageCounters no_counters(std::string reason, std::string remedy) {
  StageCounters out;
  out.why = {std::move(reason), std::move(remedy)};
  return out;
}

ordered_json counters_json(const StageCounters& counters) {
  if (!counters.why.reason.empty()) {
    return {{"available", false}, {"reason", counters.why.reason}, {"remedy", counters.why.remedy}};
  }
  return {{"available", true},
          {"chip", counters.chip},
          {"library", counters.library},
          {"passes", counters.passes},
          {"seconds", counters.seconds},
          {"same_bits_in_every_pass", counters.same_bits},
          {"ranges_dropped", counters.dropped},
          {"metrics", counters.metrics},
          {"not_on_this_chip", counters.missing},
          {"stages", counters.values}};
}

StageCounters counters_from(const std::string& text) {
  try {
    const auto printed = nlohmann::json::parse(text);
    if (!printed.at("available").get<bool>()) {
      return no_counters(printed.at("reason").get<std::string>(), printed.at("remedy").get<std::string>());
    }
    StageCounters out;
    printed.at("chip").get_to(out.chip);
    printed.at("library").get_to(out.library);
    printed.at("passes").get_to(out.passes);
    printed.at("seconds").get_to(out.seconds);
    printed.at("same_bits_in_every_pass").get_to(out.same_bits);
    printed.at("ranges_dropped").get_to(out.dropped);
    printed.at("metrics").get_to(out.metrics);
    printed.at("not_on_this_chip").get_to(out.missing);
    // A value that is no number was printed as null.
    for (const auto& stage : printed.at("stages")) {
      std::vector<double> values;
      for (const auto& value : stage) values.push_back(value.is_number() ? value.get<double>() : none);
      out.values.push_back(std::move(values));
    }
    return out;
  } catch (const nlohmann::json::exception&) {
    return no_counters("The second process printed no counters.", "Run it by itself: profile --counters-only --json.");
  }
}

}  // namespace app
