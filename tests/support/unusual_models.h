// Models whose shapes the golden files do not have, with random weights: written in the official layout, so that the
// whole way from the file to the logits is tried, and with their known output computed in double.
#pragma once

#include "engine/backend/backend.h"
#include "engine/formats/safetensors_writer.h"
#include "engine/model/layout.h"
#include "engine/model/random_weights.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tests {

struct UnusualModel {
  std::string name;
  engine::ModelConfig config;
  kernels::DType dtype = kernels::DType::f32;
  // Multiplies the rows of the input projection that make dt, A, lambda and the angles, and adds to dt_bias: random
  // weights as initialised have angles and steps so small that much could go wrong unseen.
  float drive = 1;
  float dt_offset = 0;
};

inline std::vector<UnusualModel> unusual_models() {
  using kernels::DType;
  engine::ModelConfig base;
  base.d_model = 64;
  base.d_intermediate = 96;
  base.n_layer = 2;
  base.vocab_size = 61;
  base.d_state = 64;
  base.headdim = 32;
  std::vector<UnusualModel> models;
  const auto add = [&](std::string name, DType dtype, float drive, float dt_offset, auto change) {
    engine::ModelConfig config = base;
    change(config);
    models.push_back({std::move(name), config, dtype, drive, dt_offset});
  };
  const auto mimo = [](engine::ModelConfig& c, int rank) { c.is_mimo = true, c.mimo_rank = rank; };
  add("siso-p8-n8", DType::f32, 4, 2, [](auto& c) { c.headdim = 8, c.d_state = 8; });
  add("siso-p256-n256-rope1", DType::f32, 2, 1,
      [](auto& c) { c.d_model = 256, c.headdim = 256, c.d_state = 256, c.rope_fraction = 1.0; });
  add("siso-p24-n40-g4-untied", DType::bf16, 4, 2,
      [](auto& c) { c.d_model = 48, c.headdim = 24, c.d_state = 40, c.ngroups = 4, c.tie_embeddings = false; });
  add("siso-one-head-softplus-norm", DType::f16, 4, 2, [](auto& c) {
    c.d_model = 32, c.headdim = 64, c.a_activation = engine::AActivation::softplus, c.is_outproj_norm = true;
  });
  add("siso-many-turns", DType::f32, 40, 3, [](auto& c) { c.n_layer = 1, c.d_intermediate = 0; });
  add("siso-n24-expand3", DType::f32, 4, 2, [](auto& c) { c.d_state = 24, c.expand = 3, c.headdim = 16; });
  add("mimo-r3-p24-n72-g2-norm", DType::f32, 4, 2, [&](auto& c) {
    mimo(c, 3), c.d_model = 48, c.headdim = 24, c.d_state = 72, c.ngroups = 2, c.is_outproj_norm = true;
  });
  add("mimo-r8-p8-n256-rope1", DType::bf16, 4, 2,
      [&](auto& c) { mimo(c, 8), c.d_model = 32, c.headdim = 8, c.d_state = 256, c.rope_fraction = 1.0; });
  add("mimo-r1-untied-no-mlp", DType::f32, 4, 2,
      [&](auto& c) { mimo(c, 1), c.tie_embeddings = false, c.d_intermediate = 0; });
  add("mimo-r5-g-equals-h", DType::f16, 4, 2, [&](auto& c) { mimo(c, 5), c.ngroups = 4, c.d_state = 40; });
  add("mimo-r7-softplus-n8", DType::f32, 20, 3,
      [&](auto& c) { mimo(c, 7), c.a_activation = engine::AActivation::softplus, c.d_state = 8, c.headdim = 128; });
  return models;
}

// The model's weights, driven as it says.
inline engine::Weights weights_of(const UnusualModel& model, std::uint64_t seed) {
  auto made = engine::make_random_weights(model.config, model.dtype, seed);
  if (!made) throw std::runtime_error(made.error().message);
  const engine::InProjLayout at = model.config.in_proj();
  for (engine::LayerWeights& layer : made->layers) {
    for (float& bias : layer.dt_bias) bias += model.dt_offset;
    // The storage is this model's own. Powers of two keep a narrow dtype's values exact; others round to its grid.
    for (int row = at.dd_dt; row < at.rows; ++row) {
      for (int col = 0; col < model.config.d_model; ++col) {
        const std::size_t i = static_cast<std::size_t>(row) * static_cast<std::size_t>(model.config.d_model) +
                              static_cast<std::size_t>(col);
        void* data = const_cast<void*>(layer.in_proj.data);
        if (model.dtype == kernels::DType::f32) {
          static_cast<float*>(data)[i] *= model.drive;
        } else if (model.dtype == kernels::DType::f16) {
          static_cast<_Float16*>(data)[i] =
              static_cast<_Float16>(static_cast<float>(static_cast<_Float16*>(data)[i]) * model.drive);
        } else {
          std::uint16_t& bits = static_cast<std::uint16_t*>(data)[i];
          const std::uint32_t wide = std::uint32_t{bits} << 16U;
          float value = 0;
          std::memcpy(&value, &wide, sizeof value);
          value *= model.drive;
          std::uint32_t driven = 0;
          std::memcpy(&driven, &value, sizeof driven);
          bits = static_cast<std::uint16_t>(driven >> 16U);
        }
      }
    }
  }
  return std::move(*made);
}

inline void must(const engine::Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().message);
}

inline std::string config_text(const engine::ModelConfig& c) {
  const auto flag = [](bool value) { return std::string(value ? "true" : "false"); };
  std::string text = "{\"d_model\": " + std::to_string(c.d_model);
  text += ", \"d_intermediate\": " + std::to_string(c.d_intermediate);
  text += ", \"n_layer\": " + std::to_string(c.n_layer) + ", \"vocab_size\": " + std::to_string(c.vocab_size);
  text += ", \"ssm_cfg\": {\"layer\": \"Mamba3\", \"d_state\": " + std::to_string(c.d_state);
  text += ", \"expand\": " + std::to_string(static_cast<int>(c.expand));
  text += ", \"headdim\": " + std::to_string(c.headdim) + ", \"ngroups\": " + std::to_string(c.ngroups);
  text += std::string(", \"rope_fraction\": ") + (c.rope_fraction == 1.0 ? "1.0" : "0.5");
  text += ", \"is_outproj_norm\": " + flag(c.is_outproj_norm) + ", \"is_mimo\": " + flag(c.is_mimo);
  text += ", \"mimo_rank\": " + std::to_string(c.mimo_rank) + "}";
  text += ", \"attn_layer_idx\": [], \"attn_cfg\": {}, \"rms_norm\": true, \"residual_in_fp32\": true";
  text += ", \"fused_add_norm\": true, \"pad_vocab_size_multiple\": " + std::to_string(c.pad_vocab_size_multiple);
  return text + ", \"tie_embeddings\": " + flag(c.tie_embeddings) + "}\n";
}

// config.json and model.safetensors in the official layout.
inline void write_model(const std::filesystem::path& folder, const engine::Weights& weights) {
  using engine::TensorType;
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "config.json") << config_text(weights.config);
  const auto type_of = [](kernels::DType dtype) {
    return dtype == kernels::DType::f32   ? TensorType::f32
           : dtype == kernels::DType::f16 ? TensorType::f16
                                          : TensorType::bf16;
  };
  std::vector<engine::Tensor> tensors;
  const auto matrix = [&](const std::string& name, const kernels::Matrix& m) {
    tensors.push_back({name, type_of(m.dtype), {m.rows, m.cols}, {static_cast<const std::byte*>(m.data), m.bytes()}});
  };
  matrix("backbone.embedding.weight", weights.embedding);
  matrix("lm_head.weight", weights.head);
  engine::Weights places;  // the slots point into it, and are filled afterwards
  places.config = weights.config;
  const std::vector<engine::TensorSlot> slots = engine::tensor_slots(places);
  for (std::size_t l = 0; l < places.layers.size(); ++l) places.layers[l] = weights.layers[l];
  places.norm_f = weights.norm_f;
  for (const engine::TensorSlot& slot : slots) {
    if (slot.matrix != nullptr) {
      matrix(slot.name, *slot.matrix);
    } else {
      tensors.push_back({slot.name, TensorType::f32, slot.shape, std::as_bytes(std::span(*slot.values))});
    }
  }
  must(engine::write_safetensors((folder / "model.safetensors").string(), tensors));
}

// golden.safetensors: what the reference backend says to `tokens` random ids.
inline void write_golden(const std::filesystem::path& folder, const engine::Weights& weights, int tokens,
                         std::uint64_t seed) {
  using engine::TensorType;
  const engine::ModelConfig& c = weights.config;
  auto backend = engine::make_backend(weights, {engine::BackendChoice::reference, 1, 1});
  if (!backend) throw std::runtime_error(backend.error().message);
  const std::size_t v = static_cast<std::size_t>(c.padded_vocab());
  std::vector<std::int32_t> ids;
  std::vector<float> logits(v * static_cast<std::size_t>(tokens));
  for (int t = 0; t < tokens; ++t) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    ids.push_back(static_cast<std::int32_t>((seed >> 33U) % static_cast<std::uint64_t>(c.vocab_size)));
    must((*backend)->step(std::span(&ids.back(), 1), nullptr));
    must((*backend)->read_logits(0, std::span(logits).subspan(static_cast<std::size_t>(t) * v, v)));
  }
  std::vector<int> layers;
  for (int l = 0; l < c.n_layer; ++l) layers.push_back(l);
  engine::SequenceState state;
  must((*backend)->read_state(0, layers, true, state));
  std::vector<engine::Tensor> tensors;
  tensors.push_back({"input_ids", TensorType::i32, {tokens}, std::as_bytes(std::span(ids))});
  tensors.push_back(
      {"reference.logits", TensorType::f32, {tokens, c.padded_vocab()}, std::as_bytes(std::span(logits))});
  const std::int64_t heads = c.heads();
  for (int l = 0; l < c.n_layer; ++l) {
    const std::string prefix = "reference.state." + std::to_string(l) + ".";
    const engine::LayerState& s = state.layers[static_cast<std::size_t>(l)];
    const auto put = [&](const char* name, std::vector<std::int64_t> shape, const std::vector<float>& values) {
      tensors.push_back({prefix + name, TensorType::f32, std::move(shape), std::as_bytes(std::span(values))});
    };
    put("angle", {heads, c.angles()}, s.angle);
    put("ssm", {heads, c.headdim, c.d_state}, s.ssm);
    put("k", {c.rank(), heads, c.d_state}, s.k);
    put("v", {heads, c.headdim}, s.v);
  }
  must(engine::write_safetensors((folder / "golden.safetensors").string(), tensors));
}

}  // namespace tests
