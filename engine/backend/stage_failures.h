// How a failure on the device gets the name of its stage.
#pragma once

#include "engine/plan/stage.h"

#include <string>

namespace engine {

// Whether every stage is waited for, so that a failure inside a kernel is known to be its own: a debug build, or
// MAMBASCOPE_SYNC_STAGES=1 in the environment.
bool sync_stages();

// "stage mixer of layer 3"
std::string place_of(const Stage& stage);

}  // namespace engine
