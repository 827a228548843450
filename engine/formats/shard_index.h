// The index of weights that are split over several files (model.safetensors.index.json, pytorch_model.bin.index.json):
// which file beside it holds which tensor. Any thread.
#pragma once

#include "engine/base/result.h"

#include <map>
#include <string>
#include <string_view>

namespace engine {

struct ShardIndex {
  std::map<std::string, std::string> file_of;  // tensor name: plain file name
};

// `where` names the text in errors. Errors (input): not JSON, no weight_map or one that is empty or maps to something
// other than text, a tensor twice, more than 1,000 files, or a file name that is not a plain one (a path, "..", hidden).
Result<ShardIndex> parse_shard_index(std::string_view text, const std::string& where);

}  // namespace engine
