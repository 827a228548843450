// A MODEL, or a released model's shape with random weights (--preset): for commands that measure time.
#pragma once

#include "app/commands/options.h"

#include <string>

namespace app {

// Random matrices are left to the GPU to draw where there is one (engine::plan_random_weights), and asking for it is the
// program's first CUDA call.

// --preset NAME, which excludes MODEL.
void add_preset_option(CLI::App& command, std::string& preset, CLI::Option* model);

// Errors (input): neither was given, or it can't be opened. `command` is named in the message.
engine::Result<std::shared_ptr<const engine::Model>> open_model_or_preset(const CommonOptions& options,
                                                                          const std::string& preset,
                                                                          const char* command);

// A shape with random weights in bf16, of the options' seed. Error (input): a shape that the engine does not support.
engine::Result<std::shared_ptr<const engine::Model>> random_model(const CommonOptions& options, const std::string& name,
                                                                  const engine::ModelConfig& config);

}  // namespace app
