#include "engine/backend/prefill_arrays.h"

#include "kernels/device/buffer.h"

#include <algorithm>

namespace engine {

PrefillArrays prefill_arrays(const ModelConfig& config, bool parts) {
  const auto size = [](int value) { return static_cast<std::size_t>(value); };
  const std::size_t tokens = PrefillArrays::most_tokens, heads = size(config.heads()), inner = size(config.d_inner());
  const std::size_t width = size(config.d_model), mlp = config.has_mlp() ? size(config.mlp_width()) : 0;
  const std::size_t keys = size(config.rank()) * size(config.d_state);
  kernels::Layout layout;
  const auto floats = [&](std::size_t of_token) { return layout.add(4 * tokens * of_token); };
  PrefillArrays at;
  at.ids = floats(1);
  at.residual = floats(width);
  at.normed = floats(width);
  if (parts) {
    at.projected = floats(2 * std::max({size(config.in_proj().dd_dt), width, 2 * mlp}));
    at.raw = floats(size(config.in_proj().rows - config.in_proj().dd_dt));
    at.parts = floats(std::max({width, inner, mlp}));
  } else {
    at.projected = floats(size(config.in_proj().rows));
    at.out = floats(inner);
    at.hidden = floats(mlp);
  }
  for (std::size_t* of_heads : {&at.dt, &at.a, &at.lambda, &at.rest}) *of_heads = floats(heads);
  at.turn = floats(size(config.angles()));
  at.normed_keys = floats(2 * keys * size(config.ngroups));
  at.turned = floats(2 * heads * size(config.angles()));
  at.read = floats(size(config.rank()) * inner);
  at.k_last = layout.add(4 * heads * keys);
  at.bytes = layout.bytes();
  return at;
}

}  // namespace engine
