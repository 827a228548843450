#include "engine/model/hub_cache.h"

#include "engine/base/quote.h"
#include "engine/formats/config_json.h"
#include "engine/formats/mapped_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace engine {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "models--";
constexpr std::size_t most_revision_bytes = 256;

std::string set_folder(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// What a repository or an organisation may be called; nothing that leads to another folder.
bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
           c == '.';
  };
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), allowed);
}

std::optional<std::string> snapshot_of(const fs::path& repository) {
  const fs::path snapshots = repository / "snapshots";
  const auto good = [](const fs::path& folder) { return is_there(folder / "config.json"); };
  if (auto main = read_text_file((repository / "refs" / "main").string(), most_revision_bytes)) {
    main->erase(std::find_if(main->begin(), main->end(), [](char c) { return c == '\n' || c == '\r'; }), main->end());
    if (is_name(*main) && good(snapshots / *main)) return (snapshots / *main).string();
  }
  std::vector<fs::path> found;
  std::error_code failure;
  for (fs::directory_iterator at(snapshots, failure), end; !failure && at != end; at.increment(failure)) {
    if (good(at->path())) found.push_back(at->path());
  }
  if (found.size() == 1) return found.front().string();
  return {};
}

}  // namespace

std::string hub_cache_folder() {
  if (const std::string set = set_folder("HF_HUB_CACHE"); !set.empty()) return set;
  if (const std::string set = set_folder("HF_HOME"); !set.empty()) return set + "/hub";
  if (const std::string set = set_folder("XDG_CACHE_HOME"); !set.empty()) return set + "/huggingface/hub";
  if (const std::string home = set_folder("HOME"); !home.empty()) return home + "/.cache/huggingface/hub";
  return {};
}

std::optional<std::string> find_in_hub_cache(const std::string& name, const std::string& cache) {
  const std::size_t slash = name.find('/');
  if (cache.empty() || slash == std::string::npos) return {};
  const std::string organisation = name.substr(0, slash), repository = name.substr(slash + 1);
  if (!is_name(organisation) || !is_name(repository)) return {};
  return snapshot_of(fs::path(cache) / (std::string(prefix) + organisation + "--" + repository));
}

std::string why_not_in_hub_cache(const std::string& name, const std::string& cache) {
  const std::size_t slash = name.find('/');
  if (cache.empty() || slash == std::string::npos) return {};
  const std::string organisation = name.substr(0, slash), repository = name.substr(slash + 1);
  if (!is_name(organisation) || !is_name(repository)) return {};
  const fs::path folder = fs::path(cache) / (std::string(prefix) + organisation + "--" + repository);
  std::error_code failure;
  if (!fs::is_directory(folder, failure) || snapshot_of(folder)) return {};
  int snapshots = 0, with_config = 0;
  for (fs::directory_iterator at(folder / "snapshots", failure), end; !failure && at != end; at.increment(failure)) {
    ++snapshots;
    with_config += is_there(at->path() / "config.json") ? 1 : 0;
  }
  const std::string where = in_quotes(folder.string());
  if (with_config > 1)
    return fmt::format(
        "{} is in the Hugging Face cache, but its refs/main leads to none of its {} snapshots that hold a config.json. "
        "Give the folder of one below {}, or download the model again.",
        in_quotes(name), with_config, in_quotes((folder / "snapshots").string()));
  return fmt::format("{} is in the Hugging Face cache, but {}. Download it again.", in_quotes(name),
                     snapshots == 0 ? fmt::format("{} holds no snapshot of it", where)
                                    : fmt::format("no snapshot in {} holds a config.json", where));
}

std::vector<CachedModel> list_hub_cache(const std::string& cache) {
  std::vector<CachedModel> models;
  if (cache.empty()) return models;
  std::error_code failure;
  for (fs::directory_iterator at(cache, failure), end; !failure && at != end; at.increment(failure)) {
    const std::string folder = at->path().filename().string();
    if (folder.compare(0, prefix.size(), prefix) != 0) continue;
    const std::size_t dashes = folder.find("--", prefix.size());
    if (dashes == std::string::npos) continue;
    const std::string name = folder.substr(prefix.size(), dashes - prefix.size()) + "/" + folder.substr(dashes + 2);
    const auto snapshot = find_in_hub_cache(name, cache);
    if (snapshot && read_config(*snapshot + "/config.json")) models.push_back({name, *snapshot});
  }
  std::sort(models.begin(), models.end(), [](const CachedModel& a, const CachedModel& b) { return a.name < b.name; });
  return models;
}

}  // namespace engine
