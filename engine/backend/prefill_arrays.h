// What a piece of a text needs of a GPU's memory while it is prefilled: the arrays of CudaPrefill, as offsets into one
// allocation. Plain arithmetic, so that the need is known before there is a device. T: the most tokens of a piece.
#pragma once

#include "engine/model/config.h"

#include <cstddef>

namespace engine {

struct PrefillArrays {
  static constexpr int most_tokens = 512;
  static constexpr int product_tokens = 64;  // pieces are filled up to a multiple of this where a library multiplies

  std::size_t ids = 0, residual = 0;                              // (T), (T, d)
  std::size_t projected = 0;                                      // (T, widest output), twice with parts
  std::size_t raw = 0;                                            // (T, 3 H + S); with parts
  std::size_t parts = 0;                                          // (2 T, widest input) bf16; with parts
  std::size_t normed = 0;                                         // (T, d)
  std::size_t out = 0, hidden = 0;                                // (T, H P), (T, MLP width); without parts
  std::size_t dt = 0, a = 0, lambda = 0, rest = 0, turn = 0;      // (T, H), turn (T, S)
  std::size_t normed_keys = 0, turned = 0, read = 0, k_last = 0;  // see kernels::PrefillArgs
  std::size_t bytes = 0;
};

// `parts`: activations are two bf16 parts (kernels/product).
PrefillArrays prefill_arrays(const ModelConfig& config, bool parts);

}  // namespace engine
