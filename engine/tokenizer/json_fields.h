// Fields of a tokenizer.json, each read or refused by name. Include only in .cpp files.
#pragma once

#include "engine/base/quote.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace engine::tokenizer_json {

using Json = nlohmann::json;

// What is wrong with the file; never leaves parse_tokenizer().
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class... Values>
[[noreturn]] void refuse(fmt::format_string<Values...> form, Values&&... values) {
  throw Refused(fmt::format(form, std::forward<Values>(values)...));
}

// An object at a place of the file, such as "pre_tokenizer".
class Fields {
 public:
  Fields(const Json& object, std::string place) : object_(object), place_(std::move(place)) {
    if (!object.is_object()) refuse("{} is not an object", place_);
  }

  // Refuses fields that nobody reads: they may mean other ids.
  void allow(std::initializer_list<std::string_view> names) const {
    for (const auto& item : object_.items()) {
      if (std::find(names.begin(), names.end(), item.key()) == names.end()) {
        refuse("{} has the field {}, which is not known here", place_, in_quotes(item.key()));
      }
    }
  }

  const std::string& place() const { return place_; }
  std::string place_of(const char* name) const { return place_.empty() ? name : place_ + "." + name; }

  // Null where it is absent or null.
  const Json* find(const char* name) const {
    const auto at = object_.find(name);
    return at == object_.end() || at->is_null() ? nullptr : &*at;
  }

  const Json& at(const char* name) const {
    const Json* const value = find(name);
    if (value == nullptr) refuse("{} is missing", place_of(name));
    return *value;
  }

  const Json& list(const char* name) const {
    const Json& value = at(name);
    if (!value.is_array()) refuse("{} is not a list", place_of(name));
    return value;
  }

  std::string text(const char* name) const {
    const Json& value = at(name);
    if (!value.is_string()) refuse("{} is not a text", place_of(name));
    return value.get<std::string>();
  }

  bool flag(const char* name) const {
    const Json& value = at(name);
    if (!value.is_boolean()) refuse("{} is neither true nor false", place_of(name));
    return value.get<bool>();
  }
  bool flag(const char* name, bool otherwise) const { return find(name) == nullptr ? otherwise : flag(name); }

 private:
  const Json& object_;
  std::string place_;
};

constexpr std::int32_t largest_id = (1 << 22) - 1;

inline std::int32_t id_of(const Json& value, const std::string& place) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > static_cast<std::uint64_t>(largest_id)) {
    refuse("{} is not an id from 0 to {}", place, largest_id);
  }
  return static_cast<std::int32_t>(value.get<std::uint64_t>());
}

}  // namespace engine::tokenizer_json
