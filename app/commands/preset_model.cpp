#include "app/commands/preset_model.h"

#include "engine/model/presets.h"
#include "engine/model/random_weights.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace app {

void add_preset_option(CLI::App& command, std::string& preset, CLI::Option* model) {
  command
      .add_option("--preset", preset,
                  fmt::format("Random weights in bf16 of a released model's shape in place of MODEL: {}",
                              fmt::join(engine::preset_names(), ", ")))
      ->check(not_empty("the name of a preset"))
      ->excludes(model);
}

engine::Result<std::shared_ptr<const engine::Model>> open_model_or_preset(const CommonOptions& options,
                                                                          const std::string& preset,
                                                                          const char* command) {
  if (preset.empty()) {
    if (options.model.empty()) {
      return engine::input_error(fmt::format("{} needs a MODEL, or a --preset with random weights.", command));
    }
    return load_model(options);
  }
  const auto config = engine::preset(preset);
  if (!config) return tl::unexpected<engine::Error>(config.error());
  return random_model(options, preset, *config);
}

engine::Result<std::shared_ptr<const engine::Model>> random_model(const CommonOptions& options, const std::string& name,
                                                                  const engine::ModelConfig& shape) {
  engine::ModelConfig config = shape;
  config.a_activation = options.load.a_activation;
  const bool on_gpu = engine::choice_made(options.backend) == engine::BackendChoice::cuda;
  const auto make = on_gpu ? engine::plan_random_weights : engine::make_random_weights;
  auto weights = make(config, kernels::DType::bf16, options.seed);
  if (!weights) return tl::unexpected<engine::Error>(weights.error());
  auto model = std::make_shared<engine::Model>();
  model->name = name + " with random weights";
  model->weights = std::move(*weights);
  return model;
}

}  // namespace app
