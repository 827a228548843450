// What opening a model takes, estimated from its shape before anything is allocated, and whether there is as much.
#pragma once

#include "engine/backend/backend.h"

#include <cstdint>

namespace engine {

struct MemoryNeed {
  std::uint64_t weights = 0;  // bytes of all matrices and vectors, a tied head once
  std::uint64_t state = 0;    // of all sequences
  std::uint64_t work = 0;     // activations and logits of a step; on a GPU also those of a piece of a text (prefill)
  std::uint64_t total() const { return weights + state + work; }
};

// In the memory of the device for a cuda backend. For the host's backends the matrices of a file count nothing: they stay
// where the file is mapped, and the system takes their pages back when it must.
MemoryNeed memory_need(const Weights& weights, const BackendOptions& options);

// Bytes that could be had now without pushing others out; 0: not known.
std::uint64_t available_host_memory();

// Error (system): the need of `where` ("the GPU", "this machine") is more than `available`; says what would help. Nothing is
// refused where what is available is not known (0).
Result<void> check_memory(const MemoryNeed& need, const BackendOptions& options, std::uint64_t available,
                          const char* where);

}  // namespace engine
