// A model as people name it: its folder, its file, its name. Any thread.
#pragma once

#include "engine/model/model.h"

#include <memory>
#include <string>

namespace app {

// engine::load_model. Where that fails because the file is a profile, a recording or a damaged one, the error (input) says
// so, and what opens it.
engine::Result<std::shared_ptr<const engine::Model>> open_model(const std::string& name_or_path,
                                                                const engine::LoadOptions& options);

}  // namespace app
