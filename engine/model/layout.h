// The official tensor names and shapes of a model, in the order of the state dict, each with the place in Weights that
// it fills. Names and shapes as state-spaces/mamba creates them (modules/mamba3.py, models/mixer_seq_simple.py).
#pragma once

#include "engine/model/weights.h"

#include <cstdint>
#include <string>
#include <vector>

namespace engine {

struct TensorSlot {
  std::string name;
  std::vector<std::int64_t> shape;
  kernels::Matrix* matrix = nullptr;     // exactly one of the two
  std::vector<float>* values = nullptr;  // small: widened to fp32

  std::int64_t count() const;
};

// Every tensor of the model but the embedding and the head, which may be tied. Sizes `weights.layers` to n_layer; the
// slots point into `weights`, which must not move while they are used.
std::vector<TensorSlot> tensor_slots(Weights& weights);
// The same of weights that are there already: their layers stay as they are.
std::vector<TensorSlot> filled_slots(Weights& weights);

}  // namespace engine
