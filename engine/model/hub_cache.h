// Models that lie where the Hugging Face tools keep what they have downloaded: hub/models--ORG--NAME/snapshots/REVISION/,
// with the revision of a branch in refs/. Files are only looked for, never fetched.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace engine {

struct CachedModel {
  std::string name;    // "state-spaces/mamba3-1.5b"
  std::string folder;  // of its snapshot
};

// HF_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub; empty: none is known.
std::string hub_cache_folder();

// The snapshot of the branch "main", else the only one there is, that holds a config.json. Nothing for what is no
// "ORG/NAME".
std::optional<std::string> find_in_hub_cache(const std::string& name, const std::string& cache = hub_cache_folder());

// Why find_in_hub_cache() finds nothing although the model's folder is there, and what to do, in sentences; empty: it is
// not there, or it is found.
std::string why_not_in_hub_cache(const std::string& name, const std::string& cache = hub_cache_folder());

// Those whose config.json is that of a model that can be opened, sorted by name.
std::vector<CachedModel> list_hub_cache(const std::string& cache = hub_cache_folder());

}  // namespace engine
