// How the commands that run a model beside itself end: the result as JSON or as text on standard output, and as a CSV file
// where one is asked for.
#pragma once

#include "app/commands/options.h"
#include "app/commands/output_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ostream>
#include <string>

namespace app {

// `json`, `text` and `csv` are of (model, result), (model, result) and (result). The exit code.
template <class Measured, class Json, class Text, class Csv>
int print_effect(const CommonOptions& options, const std::string& csv_file, const engine::Model& model,
                 const Measured& result, const Json& json, const Text& text, const Csv& csv) {
  if (options.json) {
    auto object = json(model, result);
    object["lambda_override"] = lambda_override_json(model);
    print_json(object);
  } else {
    fmt::print("{} on {}{}\n{}", model.name, result.device, lambda_override_words(model), text(model, result));
  }
  if (csv_file.empty()) return 0;
  const auto written = write_output(csv_file, [&](std::ostream& out) { out << csv(result); });
  return written ? 0 : report(written.error());
}

}  // namespace app
