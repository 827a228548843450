#include "app/commands/bench_sweep.h"

namespace app {

std::vector<SweptShape> swept_shapes(const std::string& sweep, const engine::ModelConfig& config) {
  std::vector<SweptShape> shapes;
  if (sweep == "rank") {
    for (const int rank : {1, 2, 4, 8}) {
      shapes.push_back({" at rank " + std::to_string(rank), config});
      shapes.back().config.is_mimo = rank > 1;
      shapes.back().config.mimo_rank = rank;
    }
  } else {
    for (const int d_state : {32, 64, 128, 256}) {
      shapes.push_back({" at N " + std::to_string(d_state), config});
      shapes.back().config.d_state = d_state;
    }
  }
  return shapes;
}

std::vector<int> swept_batches() { return {1, 2, 4, 8, 16, 32, 64, 128, 256, 512}; }

}  // namespace app
