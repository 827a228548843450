// Where the program's own data lies, and which models are among it.
#include "engine/model/model.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace engine {

namespace fs = std::filesystem;

std::string assets_folder() {
  std::error_code failure;
  if (const char* set = std::getenv("MAMBASCOPE_ASSETS"); set != nullptr && *set != '\0') return set;
  const fs::path program = fs::read_symlink("/proc/self/exe", failure);
  if (!failure && fs::is_directory(program.parent_path() / "assets", failure)) {
    return (program.parent_path() / "assets").string();
  }
  return MAMBASCOPE_SOURCE_ASSETS;
}

std::vector<std::string> builtin_models() {
  std::vector<std::string> names;
  std::error_code failure;
  for (fs::directory_iterator at(fs::path(assets_folder()) / "models", failure), end; !failure && at != end;
       at.increment(failure)) {
    std::error_code ignored;
    if (fs::exists(at->path() / "config.json", ignored)) names.push_back(at->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace engine
