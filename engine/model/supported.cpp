#include "engine/model/supported.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace engine {

namespace {

constexpr int most_inner = 1 << 20;
constexpr std::int64_t most_rows = std::int64_t{1} << 28;

std::string outside(const char* field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return fmt::format("{} is {}; expected {} to {}.", field, value, low, high);
}

std::string first_fault(const ModelConfig& c) {
  for (const std::string& fault :
       {outside("d_model", c.d_model, 1, 65536), outside("d_intermediate", c.d_intermediate, 0, 1 << 20),
        outside("n_layer", c.n_layer, 1, 1024), outside("vocab_size", c.vocab_size, 1, 1 << 22),
        outside("pad_vocab_size_multiple", c.pad_vocab_size_multiple, 1, 65536),
        outside("ssm_cfg.d_state", c.d_state, 8, 256), outside("ssm_cfg.headdim", c.headdim, 8, 256)}) {
    if (!fault.empty()) return fault;
  }
  if (c.d_state % 8 != 0) return fmt::format("ssm_cfg.d_state is {}; expected a multiple of 8.", c.d_state);
  if (!(c.expand > 0) || !(c.expand * c.d_model >= 1) || c.expand * c.d_model > most_inner) {
    return fmt::format("ssm_cfg.expand is {}; expand * d_model must lie in 1 to {}.", c.expand, most_inner);
  }
  if (c.d_inner() % c.headdim != 0) {
    return fmt::format("ssm_cfg.headdim is {}; it must divide expand * d_model = {}.", c.headdim, c.d_inner());
  }
  if (c.ngroups < 1 || c.heads() % c.ngroups != 0) {
    return fmt::format("ssm_cfg.ngroups is {}; it must divide the {} heads.", c.ngroups, c.heads());
  }
  if (c.is_mimo && (c.mimo_rank < 1 || c.mimo_rank > 8)) {
    return fmt::format("ssm_cfg.mimo_rank is {}; expected 1 to 8.", c.mimo_rank);
  }
  if (c.rope_fraction != 0.5 && c.rope_fraction != 1.0) {
    return fmt::format("ssm_cfg.rope_fraction is {}; expected 0.5 or 1.", c.rope_fraction);
  }
  if (!std::isfinite(c.a_floor) || c.a_floor < 0) {
    return fmt::format("ssm_cfg.A_floor is {}; expected a finite number that is not negative.", c.a_floor);
  }
  if (c.lambda_override > 1) return fmt::format("override.lambda is {}; expected 0 to 1.", c.lambda_override);
  const std::int64_t rows = std::int64_t{2} * c.d_inner() + std::int64_t{2} * c.d_state * c.ngroups * c.rank() +
                            std::int64_t{3} * c.heads() + c.angles();
  if (rows > most_rows) {
    return fmt::format("The input projection would have {} rows; this program takes at most {}.", rows, most_rows);
  }
  return {};
}

}  // namespace

Result<void> check_supported(const ModelConfig& config) {
  const std::string fault = first_fault(config);
  if (!fault.empty()) return input_error(fault);
  return {};
}

}  // namespace engine
