#include "engine/model/read_ahead.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace engine {

namespace {

constexpr std::size_t page = 4096;
constexpr std::size_t piece = std::size_t{8} << 20;  // between two looks at the progress

std::vector<const kernels::Matrix*> matrices_of(const Weights& weights) {
  std::vector<const kernels::Matrix*> all{&weights.embedding};
  if (!weights.config.tie_embeddings) all.push_back(&weights.head);
  for (const LayerWeights& layer : weights.layers) {
    for (const kernels::Matrix* matrix : {&layer.in_proj, &layer.out_proj, &layer.fc1, &layer.fc2}) {
      if (matrix->data != nullptr) all.push_back(matrix);
    }
  }
  return all;
}

// The system is told first, so that it reads in large pieces; then a byte of each page is waited for.
void read_pages(const std::byte* from, std::size_t bytes) {
  const std::uintptr_t begin = reinterpret_cast<std::uintptr_t>(from) / page * page;
  madvise(reinterpret_cast<void*>(begin), reinterpret_cast<std::uintptr_t>(from) + bytes - begin, MADV_WILLNEED);
  for (std::size_t at = 0; at < bytes; at += page) {
    static_cast<void>(*static_cast<const volatile std::byte*>(from + at));
  }
}

}  // namespace

Result<void> read_ahead(const Weights& weights, OpenProgress* progress) {
  const std::vector<const kernels::Matrix*> matrices = matrices_of(weights);
  if (progress != nullptr) {
    for (const kernels::Matrix* matrix : matrices) progress->total += matrix->bytes();
  }
  for (const kernels::Matrix* matrix : matrices) {
    const auto* data = static_cast<const std::byte*>(matrix->data);
    for (std::size_t at = 0; at < matrix->bytes(); at += piece) {
      const std::size_t bytes = std::min(piece, matrix->bytes() - at);
      read_pages(data + at, bytes);
      if (progress == nullptr) continue;
      if (progress->cancelled) return input_error(opening_cancelled);
      progress->bytes += bytes;
    }
  }
  return {};
}

}  // namespace engine
