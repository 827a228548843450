// A MODEL, or a released model's shape with random weights (--preset): for commands that measure time.
#pragma once

#include "app/commands/options.h"

#include <string>

namespace app {

// --preset NAME, which excludes MODEL.
void add_preset_option(CLI::App& command, std::string& preset, CLI::Option* model);

// A preset's matrices are left to the GPU to draw where there is one (engine::plan_random_weights): the first CUDA call.
// Errors (input): neither was given, or it can't be opened. `command` is named in the message.
engine::Result<std::shared_ptr<const engine::Model>> open_model_or_preset(const CommonOptions& options,
                                                                          const std::string& preset,
                                                                          const char* command);

}  // namespace app
