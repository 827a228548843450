#include "profiler/cupti/library.h"

#include <fmt/format.h>

#include <dlfcn.h>
#include <link.h>

#include <cstdlib>
#include <filesystem>

namespace profiler {

namespace {

namespace fs = std::filesystem;

constexpr const char* names[] = {"libcupti.so.13", "libcupti.so"};

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nobody sets the environment
  return value == nullptr ? std::string() : std::string(value);
}

std::string path_of(void* handle, const std::string& asked) {
  link_map* map = nullptr;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr && map->l_name != nullptr && *map->l_name != '\0') {
    return map->l_name;
  }
  return asked;
}

}  // namespace

std::vector<std::string> cupti_candidates(const std::string& configured, const std::vector<std::string>& toolkits) {
  std::vector<std::string> found;
  if (!configured.empty()) {
    std::error_code ignored;
    if (fs::is_regular_file(configured, ignored)) {
      found.push_back(configured);
    } else {
      for (const char* name : names) found.push_back((fs::path(configured) / name).string());
    }
  }
  for (const char* name : names) found.emplace_back(name);
  for (const std::string& toolkit : toolkits) {
    if (toolkit.empty()) continue;
    for (const char* folder : {"lib64", "lib", "extras/CUPTI/lib64"}) {
      for (const char* name : names) found.push_back((fs::path(toolkit) / folder / name).string());
    }
  }
  return found;
}

std::vector<std::string> cupti_candidates() {
  return cupti_candidates(from_environment("MAMBASCOPE_CUPTI"),
                          {from_environment("CUDA_HOME"), from_environment("CUDA_PATH"), "/usr/local/cuda"});
}

tl::expected<OpenLibrary, Unavailable> open_cupti_library(const std::vector<std::string>& candidates) {
  for (const char* name : names) {
    if (void* handle = dlopen(name, RTLD_NOW | RTLD_NOLOAD)) return OpenLibrary{handle, path_of(handle, name)};
  }
  std::string broken;
  for (const std::string& candidate : candidates) {
    if (void* handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      return OpenLibrary{handle, path_of(handle, candidate)};
    }
    const char* error = dlerror();
    std::error_code ignored;
    // A file that is there and cannot be opened is worth its own words; a file that is not there is not.
    if (error != nullptr && candidate.find('/') != std::string::npos && fs::exists(candidate, ignored)) {
      broken += fmt::format(" {}.", error);
    }
  }
  return tl::unexpected<Unavailable>(
      Unavailable{fmt::format("libcupti was not found in {} places, the last of them {}.{}", candidates.size(),
                              candidates.empty() ? std::string("none") : candidates.back(), broken),
                  "Install CUPTI (part of the CUDA Toolkit, package cuda-cupti), or set MAMBASCOPE_CUPTI to the folder "
                  "that holds libcupti.so."});
}

}  // namespace profiler
