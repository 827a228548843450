// An opened model: weights, where they came from, what its task.json says about its symbols and its task, and the
// tokenizer beside it.
#pragma once

#include "engine/base/result.h"
#include "engine/model/task_card.h"
#include "engine/model/weights.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace engine {

class Tokenizer;

struct Model {
  std::string name;  // folder or built-in name
  std::string path;  // the weight file
  Weights weights;
  TaskCard card;
  std::uint64_t file_bytes = 0;
  // From tokenizer.json beside a model whose card names no vocabulary; null: none.
  std::shared_ptr<const Tokenizer> tokenizer;
  // Why the tokenizer.json that is there is not used, as a sentence: the model is opened all the same. Empty: nothing is wrong.
  std::string tokenizer_fault;

  const ModelConfig& config() const { return weights.config; }
  // Whether ids spell out running text: bytes, or a tokenizer's.
  bool has_text() const { return card.bytes || tokenizer != nullptr; }
  // Whether a prompt can be written as text; else it is token ids.
  bool takes_text() const { return card.takes_text() || tokenizer != nullptr; }
  // The text of a token id: its symbol, else "#id". Of a byte: itself where it is printable ASCII, else a mark for a
  // blank, a line break and a tab, else "\xE9". Of a tokenizer's token likewise, with whole characters as they are.
  std::string symbol(std::int32_t id) const;
  // The text of a prediction: its label for a model that labels positions, else its symbol.
  std::string label(std::int32_t id) const;
  // Ids of a prompt written in symbols (longest match; blanks between symbols are skipped); unknown text is an input
  // error that says where. For a vocabulary of bytes the prompt's bytes, every one. By a tokenizer, with the special
  // tokens that it puts around a text (<|begin_of_text|>) unless `special` is false. A model without any of these takes
  // ids only and says so.
  Result<std::vector<std::int32_t>> encode(const std::string& prompt, bool special = true) const;
  // The reverse where ids spell out text: the bytes, which need not be valid UTF-8; and as text that can be shown.
  std::string bytes_of(const std::vector<std::int32_t>& ids) const;
  std::string text_of(const std::vector<std::int32_t>& ids) const;
  // What a text begins with: the tokenizer's special token, else a line break; -1: ids spell no text.
  std::int32_t text_beginning() const;
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
