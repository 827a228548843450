#include "app/viewmodel/lambda_mark.h"

#include <fmt/format.h>

namespace app {

std::string lambda_mark(const engine::ModelConfig& config) {
  return config.lambda_override < 0 ? "" : fmt::format("λ = {:g} override", config.lambda_override);
}

}  // namespace app
