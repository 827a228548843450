// Finds a model's files from what the user gave, reads and joins them.
#include "engine/base/quote.h"
#include "engine/formats/config_json.h"
#include "engine/formats/mapped_file.h"
#include "engine/formats/task_json.h"
#include "engine/formats/weight_file.h"
#include "engine/model/bind_weights.h"
#include "engine/model/hub_cache.h"
#include "engine/model/model.h"
#include "engine/tokenizer/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace engine {

namespace {

namespace fs = std::filesystem;

struct Place {
  fs::path folder;
  fs::path weights;
};

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

Result<Place> find_in_folder(const fs::path& folder) {
  if (!is_there(folder / "config.json")) {
    return input_error(
        fmt::format("The folder {} holds no config.json. Give a model's folder.", in_quotes(folder.string())));
  }
  if (const auto weights = find_weights(folder)) return Place{folder, *weights};
  return input_error(
      fmt::format("The folder {} holds no model.safetensors and no pytorch_model.bin, whole or with an index. Put the "
                  "weights beside config.json.",
                  in_quotes(folder.string())));
}

Result<Place> find_model(const std::string& name_or_path) {
  const fs::path given(name_or_path);
  const std::vector<std::string> names = builtin_models();
  const bool builtin = std::find(names.begin(), names.end(), name_or_path) != names.end();
  // A folder of the same name in the working directory hides a built-in model only if it is a model.
  if (is_folder(given) && (!builtin || is_there(given / "config.json"))) return find_in_folder(given);
  if (builtin) return find_in_folder(fs::path(assets_folder()) / "models" / name_or_path);
  if (!is_there(given)) {
    if (const auto cached = find_in_hub_cache(name_or_path)) return find_in_folder(*cached);
    if (const std::string why = why_not_in_hub_cache(name_or_path); !why.empty()) return input_error(why);
    std::string known;
    for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
    return input_error(
        fmt::format("There is no model {}. Give a folder with config.json and model.safetensors or pytorch_model.bin, "
                    "a weight file beside its config.json, the ORG/NAME of a model in the Hugging Face cache, or a "
                    "built-in model ({}).",
                    in_quotes(name_or_path), known.empty() ? "none are installed" : known));
  }
  const fs::path folder = given.has_parent_path() ? given.parent_path() : fs::path(".");
  if (!is_there(folder / "config.json")) {
    return input_error(
        fmt::format("There is no config.json beside {}. Put the model's config there.", in_quotes(name_or_path)));
  }
  return Place{folder, given};
}

std::string name_of_folder(const fs::path& folder) {
  std::error_code failure;
  const fs::path whole = fs::canonical(folder, failure);
  const fs::path& named = failure ? folder : whole;
  // .../models--ORG--NAME/snapshots/REVISION
  const std::string repository = named.parent_path().parent_path().filename().string();
  const std::size_t dashes = repository.rfind("--");
  if (named.parent_path().filename() == "snapshots" && repository.rfind("models--", 0) == 0 &&
      dashes != std::string::npos) {
    return repository.substr(dashes + 2);
  }
  return named.filename().string();
}

// A model is looked at without its text, too: what is wrong with its tokenizer is said, and ids are shown.
void add_tokenizer(Model& model, const fs::path& folder, const ModelConfig& config) {
  const fs::path path = folder / "tokenizer.json";
  if (model.card.takes_text() || !is_there(path)) return;
  auto read = read_tokenizer(path.string());
  if (read && (*read)->largest_id() >= config.padded_vocab()) {
    read = input_error(fmt::format("{} is for another model: it has ids up to {}, where this one has {}.",
                                   in_quotes(path.string()), (*read)->largest_id(), config.padded_vocab()));
  }
  if (read) {
    model.tokenizer = std::move(*read);
  } else {
    model.tokenizer_fault = "Token ids are shown instead of text: " + read.error().message;
  }
}

}  // namespace

Result<std::shared_ptr<const Model>> load_model(const std::string& name_or_path, const LoadOptions& options) {
  const auto place = find_model(name_or_path);
  if (!place) return tl::unexpected(place.error());
  auto config = read_config((place->folder / "config.json").string());
  if (!config) return tl::unexpected(config.error());
  config->a_activation = options.a_activation;

  auto model = std::make_shared<Model>();
  model->name = printable(name_of_folder(place->folder));
  model->path = place->weights.string();
  if (const fs::path card = place->folder / "task.json"; is_there(card)) {
    auto task = read_task(card.string(), config->vocab_size);
    if (!task) return tl::unexpected(task.error());
    model->card = std::move(task->card);
    config->lambda_override = task->lambda_override;
  }
  add_tokenizer(*model, place->folder, *config);
  auto file = read_weights(model->path);
  if (!file) return tl::unexpected(file.error());
  model->file_bytes = file->file_bytes;
  auto weights = bind_weights(std::make_shared<const TensorFile>(std::move(*file)), *config, model->path);
  if (!weights) return tl::unexpected(weights.error());
  model->weights = std::move(*weights);
  for (const std::string& prompt : model->card.prompts) {
    if (auto ids = model->encode(prompt); !ids) {
      return input_error(fmt::format("{}: the example prompt {} cannot be read: {}",
                                     in_quotes((place->folder / "task.json").string()), in_quotes(prompt),
                                     ids.error().message));
    }
  }
  return std::shared_ptr<const Model>(std::move(model));
}

}  // namespace engine
