#include "engine/backend/stage_failures.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

namespace engine {

bool sync_stages() {
#ifndef NDEBUG
  return true;
#else
  const char* set = std::getenv("MAMBASCOPE_SYNC_STAGES");
  return set != nullptr && std::strcmp(set, "0") != 0;
#endif
}

std::string place_of(const Stage& stage) {
  if (stage.layer < 0) return fmt::format("stage {}", name_of(stage.kind));
  return fmt::format("stage {} of layer {}", name_of(stage.kind), stage.layer);
}

}  // namespace engine
