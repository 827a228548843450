// An opened model: weights, where they came from, and what its task.json says about its symbols and its task.
#pragma once

#include "engine/base/result.h"
#include "engine/model/task_card.h"
#include "engine/model/weights.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace engine {

struct Model {
  std::string name;  // folder or built-in name
  std::string path;  // the weight file
  Weights weights;
  TaskCard card;
  std::uint64_t file_bytes = 0;

  const ModelConfig& config() const { return weights.config; }
  // The text of a token id: its symbol, else "#id". Of a byte: itself where it is printable ASCII, else a mark for a
  // blank, a line break and a tab, else "\xE9".
  std::string symbol(std::int32_t id) const;
  // The text of a prediction: its label for a model that labels positions, else its symbol.
  std::string label(std::int32_t id) const;
  // Ids of a prompt written in symbols (longest match; blanks between symbols are skipped); unknown text is an input
  // error that says where. For a vocabulary of bytes the prompt's bytes, every one. A model without symbols takes ids
  // only and says so.
  Result<std::vector<std::int32_t>> encode(const std::string& prompt) const;
  // The reverse for a vocabulary of bytes: what the ids say, which need not be valid UTF-8.
  std::string bytes_of(const std::vector<std::int32_t>& ids) const;
};

struct LoadOptions {
  AActivation a_activation = AActivation::heavy_tail;
};

// Opens a folder (config.json with model.safetensors or pytorch_model.bin, whole or in shards with their index), a
// single weight file or index beside its config, a built-in model's name, or the ORG/NAME of one in the Hugging Face cache.
// Errors: input (exit code 2) for anything wrong with the files, each named with what was expected and what was found.
Result<std::shared_ptr<const Model>> load_model(const std::string& name_or_path, const LoadOptions& options = {});

// Folder of the program's assets: MAMBASCOPE_ASSETS, else beside the executable, else the source tree.
std::string assets_folder();
// Names of the built-in models: the folders of assets/models that hold a config.json, sorted.
std::vector<std::string> builtin_models();

}  // namespace engine
