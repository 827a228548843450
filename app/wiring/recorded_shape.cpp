#include "app/wiring/recorded_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace app {

namespace {

struct WholeNumber {
  const char* name;
  int engine::ModelConfig::*field;
  int least;
};
struct Flag {
  const char* name;
  bool engine::ModelConfig::*field;
};
struct RealNumber {
  const char* name;
  double engine::ModelConfig::*field;
  double least, most;
};

constexpr int most_width = 1 << 24;
using Config = engine::ModelConfig;
constexpr std::array<WholeNumber, 10> whole_numbers = {
    {{"d_model", &Config::d_model, 1},
     {"d_intermediate", &Config::d_intermediate, 0},
     {"n_layer", &Config::n_layer, 1},
     {"vocab_size", &Config::vocab_size, 1},
     {"pad_vocab_size_multiple", &Config::pad_vocab_size_multiple, 1},
     {"d_state", &Config::d_state, 1},
     {"headdim", &Config::headdim, 1},
     {"ngroups", &Config::ngroups, 1},
     {"mimo_rank", &Config::mimo_rank, 1},
     {"chunk_size", &Config::chunk_size, 1}}};
constexpr std::array<Flag, 3> flags = {{{"tie_embeddings", &Config::tie_embeddings},
                                        {"is_outproj_norm", &Config::is_outproj_norm},
                                        {"is_mimo", &Config::is_mimo}}};
constexpr std::array<RealNumber, 3> real_numbers = {{{"expand", &Config::expand, 1e-3, 64},
                                                     {"rope_fraction", &Config::rope_fraction, 0, 1},
                                                     {"lambda_override", &Config::lambda_override, -1, 1}}};

tl::unexpected<engine::Error> wrong(const char* name) {
  return engine::input_error(fmt::format("its shape has no {} that a model can have", name));
}

}  // namespace

std::vector<std::pair<std::string, double>> shape_numbers(const engine::ModelConfig& config) {
  std::vector<std::pair<std::string, double>> out;
  for (const WholeNumber& number : whole_numbers) out.emplace_back(number.name, config.*number.field);
  for (const Flag& flag : flags) out.emplace_back(flag.name, config.*flag.field ? 1 : 0);
  for (const RealNumber& number : real_numbers) out.emplace_back(number.name, config.*number.field);
  return out;
}

engine::Result<engine::ModelConfig> shape_of(const std::vector<std::pair<std::string, double>>& numbers) {
  engine::ModelConfig config;
  const auto find = [&](const char* name) {
    const auto found = std::find_if(numbers.begin(), numbers.end(), [&](const auto& n) { return n.first == name; });
    return found == numbers.end() ? std::nan("") : found->second;
  };
  for (const WholeNumber& number : whole_numbers) {
    const double value = find(number.name);
    if (!(value >= number.least && value <= most_width) || value != std::floor(value)) return wrong(number.name);
    config.*number.field = static_cast<int>(value);
  }
  for (const Flag& flag : flags) {
    const double value = find(flag.name);
    if (value != 0 && value != 1) return wrong(flag.name);
    config.*flag.field = value != 0;
  }
  for (const RealNumber& number : real_numbers) {
    const double value = find(number.name);
    if (!(value >= number.least && value <= number.most)) return wrong(number.name);
    config.*number.field = value;
  }
  return config;
}

}  // namespace app
