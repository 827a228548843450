#include "engine/model/supported.h"

#include <fmt/format.h>

namespace engine {
namespace {

template <class T>
tl::unexpected<Error> unsupported(const char* field, T value, const char* supported) {
  return input_error(fmt::format("config: {} is {}; supported: {}.", field, value, supported));
}

}  // namespace

Result<void> check_supported(const ModelConfig& config) {
  const struct {
    const char* name;
    int value, most;
  } sizes[] = {{"d_model", config.d_model, 1 << 20},
               {"n_layer", config.n_layer, 1 << 16},
               {"vocab_size", config.vocab_size, 1 << 26},
               {"pad_vocab_size_multiple", config.pad_vocab_size_multiple, 1 << 20},
               {"expand", config.expand, 64},
               {"ngroups", config.ngroups, 1 << 16}};
  for (const auto& size : sizes) {
    if (size.value < 1 || size.value > size.most) {
      return input_error(fmt::format("config: {} is {}; supported: 1 to {}.", size.name, size.value, size.most));
    }
  }
  if (config.d_intermediate < 0 || config.d_intermediate > (1 << 20)) {
    return unsupported("d_intermediate", config.d_intermediate, "0 (no MLP) to 1048576");
  }
  if (config.headdim < 8 || config.headdim > 256) return unsupported("headdim", config.headdim, "8 to 256");
  if (config.d_inner() % config.headdim != 0) {
    return input_error(
        fmt::format("config: headdim {} does not divide expand * d_model = {}.", config.headdim, config.d_inner()));
  }
  if (config.d_state < 8 || config.d_state > 256 || config.d_state % 8 != 0) {
    return unsupported("d_state", config.d_state, "multiples of 8 from 8 to 256");
  }
  if (config.rope_fraction != 0.5 && config.rope_fraction != 1.0) {
    return unsupported("rope_fraction", config.rope_fraction, "0.5 and 1.0");
  }
  if (config.rank() < 1 || config.rank() > 8) return unsupported("mimo_rank", config.mimo_rank, "1 to 8");
  if (config.heads() % config.ngroups != 0) {
    return input_error(
        fmt::format("config: ngroups {} does not divide the number of heads, {}.", config.ngroups, config.heads()));
  }
  if (!(config.a_floor >= 0)) return unsupported("A_floor", config.a_floor, "0 and above");
  if (config.lambda_override > 1) return unsupported("lambda override", config.lambda_override, "0 to 1");
  return {};
}

}  // namespace engine
