// What `mambascope inspect` says about a recording.
#pragma once

#include "engine/base/result.h"

#include <string>

namespace app {

// Prints what the file holds; returns the exit code.
int inspect_recording(const std::string& path, bool json);

}  // namespace app
