// Kernel names, kept once each and named by a small number; CUPTI's own text dies with its buffer. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace profiler {

class Names {
 public:
  static constexpr std::size_t most = 65536;  // names beyond are 0

  // The number of a mangled name; 0 for null or empty.
  std::uint32_t intern(const char* mangled);
  // The readable name; empty for 0 and for numbers never given.
  std::string text(std::uint32_t name) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<std::string> texts_;  // of number i + 1
};

// A mangled C++ name made readable; anything else is given back as it is.
std::string demangled(const char* mangled);

}  // namespace profiler
