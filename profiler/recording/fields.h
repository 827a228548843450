// Reads fields of one JSON object from hostile bytes; remembers the first that is wrong. Values that are wrong read as empty
// or 0. One thread; the object and the problem outlive it.
#pragma once

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace profiler {

inline constexpr std::size_t longest_text = 4096, most_numbers = 64;

class Fields {
 public:
  explicit Fields(const nlohmann::json& object, std::string& problem) : object_(object), problem_(problem) {}

  const nlohmann::json* find(const char* name) {
    const auto found = object_.find(name);
    if (found == object_.end()) wrong(name, "is missing");
    return found == object_.end() ? nullptr : &*found;
  }
  std::string text(const char* name) {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string()) return wrong(name, "is no text"), std::string();
    if (value->get_ref<const std::string&>().size() > longest_text) return wrong(name, "is too long"), std::string();
    return value->get<std::string>();
  }
  bool flag(const char* name) {
    const nlohmann::json* value = find(name);
    if (value != nullptr && !value->is_boolean()) wrong(name, "is neither true nor false");
    return value != nullptr && value->is_boolean() && value->get<bool>();
  }
  std::uint64_t count(const char* name, std::uint64_t most) {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return 0;
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() > most)
      return wrong(name, fmt::format("is no whole number from 0 to {}", most).c_str()), 0;
    return value->get<std::uint64_t>();
  }
  double number(const char* name) {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return 0;
    if (!value->is_number() || !(value->get<double>() >= 0) || !(value->get<double>() < 1e300))
      return wrong(name, "is no number from 0 on"), 0.0;
    return value->get<double>();
  }
  // A list of at most `most` entries; null where it is wrong.
  const nlohmann::json* list(const char* name, std::size_t most) {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return nullptr;
    if (!value->is_array() || value->size() > most)
      return wrong(name, fmt::format("is no list of at most {}", most).c_str()), nullptr;
    return value;
  }
  const nlohmann::json* object(const char* name) {
    const nlohmann::json* value = find(name);
    if (value == nullptr) return nullptr;
    if (!value->is_object() || value->size() > most_numbers) return wrong(name, "is no object"), nullptr;
    return value;
  }
  void wrong(const char* name, const char* what) {
    if (problem_.empty()) problem_ = fmt::format("its field \"{}\" {}", name, what);
  }

 private:
  const nlohmann::json& object_;
  std::string& problem_;
};

}  // namespace profiler
