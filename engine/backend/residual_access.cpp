#include "engine/backend/residual_access.h"

#include <fmt/format.h>

namespace engine {

Result<void> ResidualAccess::check_residual_size(const ModelConfig& config, std::size_t given, bool whole) {
  if (!whole)
    return input_error(
        "The products of many sequences add the residual later: it is not whole between stages. Use a smaller batch.");
  if (given == static_cast<std::size_t>(config.d_model)) return {};
  return input_error(fmt::format("The residual has {} values, and {} were given.", config.d_model, given));
}

}  // namespace engine
