#include "app/commands/inspect_recording.h"

#include "app/commands/options.h"
#include "app/commands/text.h"
#include "engine/base/quote.h"
#include "engine/intervention/text.h"
#include "engine/recording/intervention_text.h"
#include "engine/recording/model_digest.h"
#include "engine/recording/recording.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace app {

namespace {

using nlohmann::ordered_json;

void line(const char* name, const std::string& text) { fmt::print("  {:<17} {}\n", name, engine::printable(text)); }

// A field's rows of all tokens, as one looks at a tensor; a cut one has fewer.
std::int64_t not_finite(const engine::Recording& recording, const engine::Field& field) {
  std::int64_t count = 0;
  for (std::int64_t token = 0; token < recording.tokens(); token += field.every) {
    engine::Tensor row;
    row.type = field.type;
    row.bytes = recording.row(field, token);
    count += engine::count_not_finite(row);
  }
  return count;
}

std::vector<std::int64_t> shape_of(const engine::Recording& recording, const engine::Field& field) {
  std::vector<std::int64_t> shape = {field.rows(recording.tokens())};
  shape.insert(shape.end(), field.row.begin(), field.row.end());
  return shape;
}

// Whether the built-in model of that name is the one that was recorded; empty: there is none.
std::string here(const engine::RecordingInfo& info) {
  const auto builtin = engine::builtin_models();
  if (std::find(builtin.begin(), builtin.end(), info.model) == builtin.end()) return {};
  engine::LoadOptions options;
  options.a_activation = info.config.a_activation;
  const auto model = engine::load_model(info.model, options);
  if (!model) return model.error().message;
  const auto same = engine::check_same_model(info, **model);
  return same ? "the built-in model of that name is the same" : same.error().message;
}

ordered_json describe(const engine::Recording& recording) {
  const engine::RecordingInfo& info = recording.info();
  ordered_json tensors = ordered_json::array();
  for (const engine::Field& field : recording.fields())
    tensors.push_back({{"name", field.name},
                       {"dtype", engine::name_of(field.type)},
                       {"shape", shape_of(recording, field)},
                       {"axes", field.axes},
                       {"unit", field.unit},
                       {"about", field.about},
                       {"not_finite", not_finite(recording, field)}});
  return {{"recording", true},
          {"model", info.model},
          {"tokens", recording.tokens()},
          {"complete", recording.cut_words().empty()},
          {"cut", recording.cut_words()},
          {"file_bytes", recording.file_bytes()},
          {"program", info.program},
          {"recorded_at", info.recorded_at},
          {"backend", info.backend.name},
          {"device", info.backend.device},
          {"variant", info.plan.variant},
          {"sampler", info.sampler},
          {"seed", info.seed},
          {"config_digest", fmt::format("{:016x}", info.config_digest)},
          {"weights_digest", fmt::format("{:016x}", info.weights_digest)},
          {"model_here", here(info)},
          {"cache_layers", info.cache_layers},
          {"ssm_layers", info.ssm_layers},
          {"ssm_every", info.ssm_every},
          {"timing_source", info.timing_source},
          {"interventions", ordered_json::parse(engine::text_of(info.interventions))},
          {"tensors", tensors}};
}

void print_tensors(const engine::Recording& recording) {
  fmt::print("\nTensors ({})\n", recording.fields().size());
  fmt::print("  {:<26} {:<5} {:<24} {:<38} {:<14} {}\n", "name", "dtype", "shape", "axes", "unit", "values");
  for (const engine::Field& field : recording.fields()) {
    const std::int64_t bad = not_finite(recording, field);
    fmt::print("  {:<26} {:<5} {:<24} {:<38} {:<14} {}\n", field.name, engine::name_of(field.type),
               engine::text_of(shape_of(recording, field)), field.axes, field.unit,
               bad == 0 ? "finite" : fmt::format("{} NaN or infinite", grouped(bad)));
  }
}

// "in force at tokens 8 to 23".
std::string tokens_words(const engine::Intervention& by, std::int64_t tokens) {
  const std::int64_t end = by.tokens.end < 0 ? tokens : std::min(by.tokens.end, tokens);
  if (by.tokens.first >= end) return "in force at none of the tokens";
  if (by.tokens.first == 0 && end == tokens) return "in force at all tokens";
  return fmt::format("in force at tokens {} to {}", by.tokens.first, end - 1);
}

void print_text(const engine::Recording& recording) {
  const engine::RecordingInfo& info = recording.info();
  const engine::ModelConfig& c = info.config;
  fmt::print("A recording of {} tokens of {}\n", grouped(recording.tokens()), engine::printable(info.model));
  line("file", readable_bytes(recording.file_bytes()));
  if (!recording.cut_words().empty()) line("cut off", recording.cut_words());
  line("recorded", fmt::format("{} by {}", info.recorded_at, info.program));
  line("on", fmt::format("{}, {}, variant {}", info.backend.name, info.backend.device, info.plan.variant));
  line("model", fmt::format("{}, {} layers, {} heads of {} x {}, {} weights",
                            c.is_mimo ? fmt::format("MIMO of rank {}", c.rank()) : "SISO", c.n_layer, c.heads(),
                            c.headdim, c.d_state, info.weights));
  line("digests", fmt::format("config {:016x}, weights {:016x}", info.config_digest, info.weights_digest));
  if (const std::string words = here(info); !words.empty()) line("here", words);
  line("caches", fmt::format("of layers {}", fmt::join(info.cache_layers, ", ")));
  line("matrix states", !info.keeps_ssm()
                            ? "none"
                            : fmt::format("of layers {}, every {} token{}", fmt::join(info.ssm_layers, ", "),
                                          info.ssm_every, info.ssm_every == 1 ? "" : "s"));
  line("times", info.timing_source.empty() ? "none" : info.timing_source);
  if (!info.sampler.empty()) line("sampler", fmt::format("{}, seed {}", info.sampler, info.seed));
  line("interventions", info.interventions.empty() ? "none" : fmt::format("{}", info.interventions.size()));
  for (const engine::Intervention& by : info.interventions)
    fmt::print("    {}   {}\n", engine::format_intervention(by), tokens_words(by, recording.tokens()));
  print_tensors(recording);
}

}  // namespace

int inspect_recording(const std::string& path, bool json) {
  const auto recording = engine::Recording::open(path);
  if (!recording) return report(recording.error());
  if (json) {
    print_json(describe(**recording));
  } else {
    print_text(**recording);
  }
  return 0;
}

}  // namespace app
