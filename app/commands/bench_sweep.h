// What `bench --sweep` goes through: batches, or a preset's shape with one size changed and nothing else.
#pragma once

#include "engine/model/config.h"

#include <string>
#include <vector>

namespace app {

struct SweptShape {
  std::string mark;  // " at rank 4"
  engine::ModelConfig config;
};

// "rank": 1, 2, 4, 8, where 1 is SISO; "state": N = 32, 64, 128, 256. The MLP keeps its width, so ranks do not pay for
// themselves as they do between the released models.
std::vector<SweptShape> swept_shapes(const std::string& sweep, const engine::ModelConfig& config);

// 1, 2, 4 ... 512.
std::vector<int> swept_batches();

}  // namespace app
