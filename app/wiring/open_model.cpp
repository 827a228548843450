#include "app/wiring/open_model.h"

#include "app/wiring/recorded_profile.h"
#include "engine/base/quote.h"
#include "engine/formats/mapped_file.h"
#include "engine/formats/safetensors.h"
#include "engine/recording/journal.h"
#include "engine/recording/recording.h"
#include "profiler/recording/family_file.h"
#include "profiler/recording/profile_file.h"

#include <fmt/format.h>

#include <filesystem>

namespace app {

namespace {

namespace fs = std::filesystem;

// What the file is, and why it is no model; success: nothing better than what load_model said.
engine::Result<void> check_is_no_other(const std::string& path) {
  std::error_code none;
  if (!fs::is_regular_file(path, none)) return {};
  const std::string name = engine::in_quotes(path), ending = fs::path(path).extension().string();
  const auto file = engine::MappedFile::open(path);
  if (ending == recording_ending ||
      (file && (profiler::is_profile(file->bytes()) || profiler::is_family(file->bytes())))) {
    return engine::input_error(fmt::format(
        "{} is a recorded profile, not a model. Print it with `mambascope profile --open FILE`, show it with "
        "`mambascope gui --profile FILE`, or hold it against another with `mambascope compare FILE OTHER`.",
        name));
  }
  if (engine::is_recording_file(path)) {
    return engine::input_error(
        fmt::format("{} is a recording of tokens, not a model: it has no weights to step. Show it with `mambascope gui "
                    "FILE`, or print what it holds with `mambascope inspect FILE`.",
                    name));
  }
  // Of a recording or of weights, and too damaged to tell which.
  const bool beside_config = engine::is_there(fs::path(path).parent_path() / "config.json");
  if (beside_config || (ending != ".safetensors" && ending != engine::journal_ending)) return {};
  if (!file) return tl::unexpected(file.error());
  const auto parsed = engine::parse_cut_safetensors(file->bytes(), path);
  return parsed ? engine::Result<void>() : tl::unexpected(parsed.error());
}

}  // namespace

engine::Result<std::shared_ptr<const engine::Model>> open_model(const std::string& name_or_path,
                                                                const engine::LoadOptions& options) {
  auto model = engine::load_model(name_or_path, options);
  if (model) return model;
  if (auto other = check_is_no_other(name_or_path); !other) return tl::unexpected(other.error());
  return model;
}

}  // namespace app
