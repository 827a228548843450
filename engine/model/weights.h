// A model's weights on the host. Matrices stay where the file is mapped, in the file's dtype; small tensors are widened
// to fp32.
#pragma once

#include "engine/formats/mapped_file.h"
#include "engine/model/config.h"
#include "kernels/matrix.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace engine {

struct LayerWeights {
  std::vector<float> norm;                    // (d)
  kernels::Matrix in_proj;                    // (2 D_in + 2 N G R + 3 H + S, d)
  std::vector<float> dt_bias;                 // (H)
  std::vector<float> b_norm, c_norm;          // (N)
  std::vector<float> b_bias, c_bias;          // (H, R, N)
  std::vector<float> d;                       // (H)
  std::vector<float> mimo_x, mimo_z, mimo_o;  // (H, R, P); empty for SISO
  std::vector<float> outproj_norm;            // (D_in); empty unless is_outproj_norm
  kernels::Matrix out_proj;                   // (d, D_in)
  std::vector<float> norm2;                   // (d); empty without MLP
  kernels::Matrix fc1;                        // (2 hid, d): value rows, then gate rows
  kernels::Matrix fc2;                        // (d, hid)
};

struct Weights {
  ModelConfig config;
  kernels::Matrix embedding;  // (V, d)
  kernels::Matrix head;       // (V, d); the embedding itself when tied
  std::vector<float> norm_f;  // (d)
  std::vector<LayerWeights> layers;
  std::int64_t parameters = 0;          // counted once where tied, as the papers do
  std::shared_ptr<const void> backing;  // keeps the mapped file alive
  MappedFiles files;                    // whose bytes the matrices are; asked after each use whether they still are
  // Set: random weights that are planned only (model/random_weights.h). Their matrices have a shape and no data, and the
  // CUDA backend draws them on the device from this seed.
  std::optional<std::uint64_t> seed_to_draw;
};

}  // namespace engine
