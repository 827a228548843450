#include "app/wiring/samples_json.h"

#include <nlohmann/json.hpp>

#include <limits>

namespace app {

namespace {
using nlohmann::ordered_json;
}  // namespace

TokenSamples no_samples(std::string reason, std::string remedy) {
  TokenSamples out;
  out.why = {std::move(reason), std::move(remedy)};
  return out;
}

ordered_json samples_json(const TokenSamples& samples) {
  if (!samples.why.reason.empty())
    return {{"available", false}, {"reason", samples.why.reason}, {"remedy", samples.why.remedy}};
  ordered_json tokens = ordered_json::array();
  for (const SampledToken& token : samples.tokens)
    tokens.push_back({{"token", token.token}, {"start_ns", token.start_ns}, {"values", token.values}});
  return {{"available", true},
          {"chip", samples.chip},
          {"library", samples.library},
          {"interval_ns", samples.interval_ns},
          {"overflow", samples.overflow},
          {"metrics", samples.metrics},
          {"not_sampled", samples.missing},
          {"tokens", std::move(tokens)}};
}

TokenSamples samples_from(const std::string& text) {
  try {
    const auto printed = nlohmann::json::parse(text);
    if (!printed.at("available").get<bool>())
      return no_samples(printed.at("reason").get<std::string>(), printed.at("remedy").get<std::string>());
    TokenSamples out;
    printed.at("chip").get_to(out.chip);
    printed.at("library").get_to(out.library);
    printed.at("interval_ns").get_to(out.interval_ns);
    printed.at("overflow").get_to(out.overflow);
    printed.at("metrics").get_to(out.metrics);
    printed.at("not_sampled").get_to(out.missing);
    for (const auto& from : printed.at("tokens")) {
      SampledToken token;
      from.at("token").get_to(token.token);
      from.at("start_ns").get_to(token.start_ns);
      for (const auto& sample : from.at("values")) {
        std::vector<double> values;
        // A value that is no number was printed as null.
        for (const auto& value : sample)
          values.push_back(value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
        if (values.size() != out.metrics.size()) throw std::out_of_range("values");
        token.values.push_back(std::move(values));
      }
      if (token.values.size() != token.start_ns.size()) throw std::out_of_range("samples");
      out.tokens.push_back(std::move(token));
    }
    return out;
  } catch (const std::exception&) {
    return no_samples("The second process printed no samples.", "Run it by itself: profile --samples-only --json.");
  }
}

}  // namespace app
