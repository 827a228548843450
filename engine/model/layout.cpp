#include "engine/model/layout.h"

namespace engine {

std::int64_t TensorSlot::count() const {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) product *= size;
  return product;
}

std::vector<TensorSlot> tensor_slots(Weights& weights) {
  weights.layers.clear();
  weights.layers.resize(static_cast<std::size_t>(weights.config.n_layer));
  return filled_slots(weights);
}

std::vector<TensorSlot> filled_slots(Weights& weights) {
  const ModelConfig& c = weights.config;
  const std::int64_t d = c.d_model, inner = c.d_inner(), h = c.heads(), n = c.d_state, p = c.headdim, r = c.rank();
  const std::int64_t hidden = c.mlp_width();
  std::vector<TensorSlot> slots;
  slots.reserve(weights.layers.size() * 16 + 1);
  const auto matrix = [&](std::string name, std::int64_t rows, std::int64_t cols, kernels::Matrix& to) {
    slots.push_back({std::move(name), {rows, cols}, &to, nullptr});
  };
  const auto small = [&](std::string name, std::vector<std::int64_t> shape, std::vector<float>& to) {
    slots.push_back({std::move(name), std::move(shape), nullptr, &to});
  };
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    LayerWeights& layer = weights.layers[i];
    const std::string block = "backbone.layers." + std::to_string(i) + ".";
    const std::string mixer = block + "mixer.";
    small(block + "norm.weight", {d}, layer.norm);
    small(mixer + "dt_bias", {h}, layer.dt_bias);
    small(mixer + "B_bias", {h, r, n}, layer.b_bias);
    small(mixer + "C_bias", {h, r, n}, layer.c_bias);
    if (c.is_mimo) {
      small(mixer + "mimo_x", {h, r, p}, layer.mimo_x);
      small(mixer + "mimo_z", {h, r, p}, layer.mimo_z);
      small(mixer + "mimo_o", {h, r, p}, layer.mimo_o);
    }
    small(mixer + "D", {h}, layer.d);
    matrix(mixer + "in_proj.weight", c.in_proj().rows, d, layer.in_proj);
    small(mixer + "B_norm.weight", {n}, layer.b_norm);
    small(mixer + "C_norm.weight", {n}, layer.c_norm);
    if (c.is_outproj_norm) small(mixer + "norm.weight", {inner}, layer.outproj_norm);
    matrix(mixer + "out_proj.weight", d, inner, layer.out_proj);
    if (c.has_mlp()) {
      small(block + "norm2.weight", {d}, layer.norm2);
      matrix(block + "mlp.fc1.weight", 2 * hidden, d, layer.fc1);
      matrix(block + "mlp.fc2.weight", d, hidden, layer.fc2);
    }
  }
  small("backbone.norm_f.weight", {d}, weights.norm_f);
  return slots;
}

}  // namespace engine
