#include "engine/model/presets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace engine {

namespace {

struct Row {
  const char* name;
  int layers, d_model, d_intermediate;
  bool mimo;
};

// Layers, width and MLP as in the released config.json files; a MIMO model of rank 4 pays for its ranks with a narrower
// MLP.
constexpr Row rows[] = {
    {"siso-187m", 12, 768, 1536, false},  {"mimo-187m", 12, 768, 1264, true},   {"siso-443m", 24, 1024, 2048, false},
    {"mimo-444m", 24, 1024, 1792, true},  {"siso-893m", 24, 1536, 3072, false}, {"mimo-894m", 24, 1536, 2800, true},
    {"siso-1.5b", 24, 2048, 4096, false}, {"mimo-1.5b", 24, 2048, 3824, true},
};

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const Row& row : rows) names.emplace_back(row.name);
  return names;
}

Result<ModelConfig> preset(const std::string& name) {
  const auto* const row = std::find_if(std::begin(rows), std::end(rows), [&](const Row& r) { return name == r.name; });
  if (row == std::end(rows)) {
    return input_error(fmt::format("There is no preset '{}'. Presets: {}.", name, fmt::join(preset_names(), ", ")));
  }
  ModelConfig config;
  config.n_layer = row->layers;
  config.d_model = row->d_model;
  config.d_intermediate = row->d_intermediate;
  config.is_mimo = row->mimo;
  config.vocab_size = 128256;
  config.pad_vocab_size_multiple = 16;
  config.chunk_size = row->mimo ? 16 : 64;
  return config;
}

}  // namespace engine
