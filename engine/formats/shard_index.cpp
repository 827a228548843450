#include "engine/formats/shard_index.h"

#include "engine/base/quote.h"
#include "engine/formats/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace engine {

namespace {

constexpr std::size_t most_shards = 1000, longest_name = 255;

bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name.size() <= longest_name && name.front() != '.' &&
         std::none_of(name.begin(), name.end(), [](char c) { return c == '/' || c == '\\' || c == ':' || c == '\0'; });
}

std::string read(const nlohmann::json& object, ShardIndex& out) {
  const auto map = object.find("weight_map");
  if (map == object.end() || !map->is_object()) return "has no weight_map that maps tensors to files";
  std::set<std::string> files;
  for (const auto& item : map->items()) {
    if (!item.value().is_string())
      return fmt::format("maps the tensor {} to something other than a file", in_quotes(item.key()));
    auto file = item.value().get<std::string>();
    if (!is_plain_file_name(file)) {
      return fmt::format("maps the tensor {} to {}, which is not the plain name of a file beside it",
                         in_quotes(item.key()), in_quotes(file));
    }
    files.insert(file);
    out.file_of.emplace(item.key(), std::move(file));
  }
  if (files.empty()) return "has an empty weight_map";
  if (files.size() > most_shards) return fmt::format("names {} files; at most {} are read", files.size(), most_shards);
  return {};
}

}  // namespace

Result<ShardIndex> parse_shard_index(std::string_view text, const std::string& where) {
  auto object = parse_json_object(text, where);
  if (!object) return tl::unexpected(object.error());
  ShardIndex out;
  if (const std::string wrong = read(*object, out); !wrong.empty()) {
    return input_error(fmt::format("{} {}. Fetch it again.", in_quotes(where), wrong));
  }
  return out;
}

}  // namespace engine
