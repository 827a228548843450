// Runs this program once more with other arguments, and takes what it prints.
#pragma once

#include "engine/base/result.h"

#include <string>
#include <vector>

namespace app {

// Standard output of this executable run with `arguments` (without the program's name); its standard error goes to ours.
// Error: it could not be started, or did not end with exit code 0.
engine::Result<std::string> run_this_program(const std::vector<std::string>& arguments);

}  // namespace app
