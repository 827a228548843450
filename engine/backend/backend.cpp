#include "engine/backend/backend.h"

#include <chrono>

namespace engine {

Result<void> Backend::time_steps(std::span<const std::int32_t> ids, std::span<double> milliseconds, CacheState cache) {
  if (cache == CacheState::cold) return input_error("Only a GPU's cache can be emptied between two steps.");
  for (double& taken : milliseconds) {
    const auto start = std::chrono::steady_clock::now();
    if (auto done = step(ids, nullptr); !done) return done;
    taken = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  }
  return {};
}

Result<void> Backend::time_stages(std::span<const StageKind>, int, std::span<double>) {
  return input_error("This backend does not time stages by themselves.");
}

Result<void> Backend::publish(PublishRequest request) {
  if (!request.receive) return {};
  return input_error("This backend does not publish what its steps leave.");
}

}  // namespace engine
