// Finds and opens libcupti at run time; nothing links it. Knows no CUPTI header. Any thread.
#pragma once

#include "profiler/cupti/api.h"

#include <tl/expected.hpp>

#include <functional>
#include <string>
#include <vector>

namespace profiler {

// An open shared library; never closed, because CUPTI's callbacks may outlive any owner.
struct OpenLibrary {
  void* handle = nullptr;
  std::string path;  // as the dynamic linker resolved it
};

// Paths to try, in order: `configured` (a folder, or the library itself), the names that the dynamic linker knows, the
// toolkit folders (CUDA_HOME, CUDA_PATH, /usr/local/cuda) with their lib64, lib and extras/CUPTI/lib64. Empty folders
// are skipped.
std::vector<std::string> cupti_candidates(const std::string& configured, const std::vector<std::string>& toolkits);
// The same, with the folder from MAMBASCOPE_CUPTI and the toolkits from the environment.
std::vector<std::string> cupti_candidates();

// A library that the process already holds (under a tool, or linked by somebody) wins over opening a second one. The
// error lists what was tried.
tl::expected<OpenLibrary, Unavailable> open_cupti_library(const std::vector<std::string>& candidates);

// Finds a library's functions by name and notes which of the needed ones it lacks.
class FunctionLookup {
 public:
  explicit FunctionLookup(const std::function<void*(const char*)>& resolve) : resolve_(resolve) {}
  // Null where there is none.
  template <class Function>
  void find(Function& function, const char* name, bool needed = true) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how dlsym gives functions
    function = reinterpret_cast<Function>(resolve_(name));
    if (function == nullptr && needed) missing_ += missing_.empty() ? name : std::string(", ") + name;
  }
  const std::string& missing() const { return missing_; }  // names with commas between

 private:
  const std::function<void*(const char*)>& resolve_;
  std::string missing_;
};

}  // namespace profiler
