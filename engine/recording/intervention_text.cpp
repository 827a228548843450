#include "engine/recording/intervention_text.h"

#include "engine/formats/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace engine {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// In the order of the enumerations. The words of the file stay as they are, whatever the program calls things later.
constexpr std::array quantities = {"rotation", "lambda",     "dt",        "a",    "b_bias", "c_bias",
                                   "d",        "rank_write", "rank_read", "head", "state"};
constexpr std::array operations = {"scale", "add", "set", "shuffle"};
constexpr std::size_t most = 4096;

struct Range {
  const char* name;
  IndexRange Intervention::*field;
};
constexpr std::array<Range, 5> ranges = {{{"layers", &Intervention::layers},
                                          {"heads", &Intervention::heads},
                                          {"ranks", &Intervention::ranks},
                                          {"pairs", &Intervention::pairs},
                                          {"tokens", &Intervention::tokens}}};

// Index of the word that a field holds; -1: none of them.
template <std::size_t N>
int index_of(const json& object, const char* field, const std::array<const char*, N>& words) {
  const auto at = object.find(field);
  if (at == object.end() || !at->is_string()) return -1;
  const auto& text = at->get_ref<const std::string&>();
  const auto found = std::find_if(words.begin(), words.end(), [&](const char* word) { return text == word; });
  return found == words.end() ? -1 : static_cast<int>(found - words.begin());
}

bool read_whole(const json& value, std::int64_t least, std::int64_t& out) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > (std::uint64_t{1} << 40U)) return false;
  out = value.get<std::int64_t>();
  return out >= least;
}

bool read_index(const json& object, const char* field, int& out) {
  const auto at = object.find(field);
  std::int64_t value = 0;
  if (at == object.end() || !read_whole(*at, 0, value) || value > (1 << 24)) return false;
  out = static_cast<int>(value);
  return true;
}

// The field that is wrong; null: none.
const char* read(const json& object, Intervention& out) {
  if (!object.is_object()) return "list";
  const int quantity = index_of(object, "quantity", quantities), operation = index_of(object, "operation", operations);
  if (quantity < 0) return "quantity";
  if (operation < 0) return "operation";
  out.quantity = static_cast<Quantity>(quantity);
  out.operation = static_cast<Operation>(operation);
  const auto value = object.find("value");
  if (value == object.end() || !value->is_number() || !std::isfinite(value->get<double>())) return "value";
  out.value = value->get<double>();
  for (const Range& range : ranges) {
    const auto at = object.find(range.name);
    IndexRange& to = out.*range.field;
    if (at == object.end() || !at->is_array() || at->size() != 2 || !read_whole((*at)[0], 0, to.first) ||
        !read_whole((*at)[1], -1, to.end))
      return range.name;
  }
  if (!read_index(object, "row", out.row)) return "row";
  if (!read_index(object, "channel", out.channel)) return "channel";
  return nullptr;
}

}  // namespace

std::string text_of(std::span<const Intervention> interventions) {
  ordered_json list = ordered_json::array();
  for (const Intervention& change : interventions) {
    ordered_json object = {{"quantity", quantities[static_cast<std::size_t>(change.quantity)]},
                           {"operation", operations[static_cast<std::size_t>(change.operation)]},
                           {"value", change.value}};
    for (const Range& range : ranges) {
      const IndexRange& indices = change.*range.field;
      object[range.name] = {indices.first, indices.end};
    }
    object["row"] = change.row;
    object["channel"] = change.channel;
    list.push_back(std::move(object));
  }
  return list.dump();
}

Result<std::vector<Intervention>> interventions_of(std::string_view text) {
  const auto object = parse_json_object("{\"list\":" + std::string(text) + "}", "its list of interventions");
  if (!object) return tl::unexpected(object.error());
  const json& list = object->at("list");
  if (object->size() != 1 || !list.is_array() || list.size() > most) {
    return input_error(fmt::format("its interventions are not a list of at most {}", most));
  }
  std::vector<Intervention> out;
  for (const json& entry : list) {
    if (const char* wrong = read(entry, out.emplace_back()); wrong != nullptr) {
      return input_error(fmt::format("intervention {} has no {} that this program knows", out.size(), wrong));
    }
  }
  return out;
}

}  // namespace engine
