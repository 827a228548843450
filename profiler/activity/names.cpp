#include "profiler/activity/names.h"

#include <cxxabi.h>

#include <cstdlib>
#include <memory>

namespace profiler {

std::uint32_t Names::intern(const char* mangled) {
  if (mangled == nullptr || *mangled == '\0') return 0;
  const std::lock_guard lock(mutex_);
  const std::string key(mangled);
  if (const auto known = numbers_.find(key); known != numbers_.end()) return known->second;
  if (texts_.size() >= most) return 0;
  texts_.push_back(demangled(mangled));
  const auto number = static_cast<std::uint32_t>(texts_.size());
  numbers_.emplace(key, number);
  return number;
}

std::string Names::text(std::uint32_t name) const {
  const std::lock_guard lock(mutex_);
  return name == 0 || name > texts_.size() ? std::string() : texts_[name - 1];
}

std::string demangled(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(abi::__cxa_demangle(mangled, nullptr, nullptr, &status), std::free);
  return status == 0 && text ? std::string(text.get()) : std::string(mangled);
}

}  // namespace profiler
