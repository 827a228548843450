#include "engine/formats/task_json.h"

#include "engine/base/quote.h"
#include "engine/formats/json_text.h"
#include "engine/formats/mapped_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace engine {

namespace {

using nlohmann::json;

constexpr std::size_t longest_name = 64;  // bytes of a text that is drawn in a legend

// Each returns what is wrong, or empty.
std::string read_string(const std::string& name, const json& value, std::string& out) {
  if (!value.is_string()) return fmt::format("{} is not a string.", name);
  out = value.get<std::string>();
  return {};
}

std::string read_short(const std::string& name, const json& value, std::string& out) {
  if (std::string fault = read_string(name, value, out); !fault.empty()) return fault;
  if (out.empty() || out.size() > longest_name) {
    return fmt::format("{} has {} bytes; expected 1 to {}.", name, out.size(), longest_name);
  }
  return {};
}

std::string read_strings(const std::string& name, const json& value, std::vector<std::string>& out) {
  if (!value.is_array()) return fmt::format("{} is not a list of strings.", name);
  for (const json& item : value) {
    if (!item.is_string()) return fmt::format("{} is not a list of strings.", name);
    out.push_back(item.get<std::string>());
  }
  return {};
}

std::string read_fraction(const std::string& name, const json& value, double& out) {
  if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= 1)) {
    return fmt::format("{} is not a number from 0 to 1.", name);
  }
  out = value.get<double>();
  return {};
}

std::string read_accuracy(const json& value, std::vector<std::pair<int, double>>& out) {
  if (!value.is_object()) return "accuracy is not an object such as {\"256\": 0.999}.";
  for (const auto& item : value.items()) {
    const std::string& key = item.key();
    int length = 0;
    const auto [end, failure] = std::from_chars(key.data(), key.data() + key.size(), length);
    if (failure != std::errc() || end != key.data() + key.size() || length < 1) {
      return fmt::format("accuracy has the key {}; expected a length such as \"256\".", in_quotes(key));
    }
    double accuracy = 0;
    if (std::string fault = read_fraction("accuracy." + key, item.value(), accuracy); !fault.empty()) return fault;
    out.emplace_back(length, accuracy);
  }
  std::sort(out.begin(), out.end());
  return {};
}

std::string read_vocabulary(const json& value, bool& bytes) {
  std::string text;
  if (std::string fault = read_string("vocabulary", value, text); !fault.empty()) return fault;
  bytes = text == "bytes";
  return bytes ? "" : fmt::format("vocabulary is {}; only 'bytes' is known.", in_quotes(text));
}

std::string read_bits(const json& value, double& out) {
  if (!value.is_number() || !(value.get<double>() > 0 && value.get<double>() <= 8)) {
    return "bits_per_byte is not a number above 0 and up to 8.";
  }
  out = value.get<double>();
  return {};
}

std::string read_override(const json& value, double& lambda) {
  if (!value.is_object()) return "override is not an object.";
  for (const auto& item : value.items()) {
    if (item.key() != "lambda") return fmt::format("override.{} is not known; only lambda is.", in_quotes(item.key()));
    if (std::string fault = read_fraction("override.lambda", item.value(), lambda); !fault.empty()) return fault;
  }
  return {};
}

std::string read_field(const std::string& name, const json& value, TaskFile& out) {
  TaskCard& card = out.card;
  if (name == "name") return read_string(name, value, card.name);
  if (name == "task") return read_string(name, value, card.task);
  if (name == "kind") return read_string(name, value, card.kind);
  if (name == "description") return read_string(name, value, card.description);
  if (name == "origin") return read_string(name, value, card.origin);
  if (name == "license") return read_string(name, value, card.license);
  if (name == "vocabulary") return read_vocabulary(value, card.bytes);
  if (name == "symbols") return read_strings(name, value, card.symbols);
  if (name == "labels") return read_strings(name, value, card.labels);
  if (name == "prompts") return read_strings(name, value, card.prompts);
  if (name == "accuracy") return read_accuracy(value, card.accuracy);
  if (name == "family") return read_short(name, value, card.family);
  if (name == "variant") return read_short(name, value, card.variant);
  if (name == "bits_per_byte") return read_bits(value, card.bits_per_byte);
  if (name == "override") return read_override(value, out.lambda_override);
  return fmt::format("{} is not a field of task.json. Remove it.", in_quotes(name));
}

std::string check_card(const TaskCard& card, int vocab_size) {
  if (card.kind != "labels" && card.kind != "next-token") {
    return fmt::format("kind is {}; expected 'labels' or 'next-token'.", in_quotes(card.kind));
  }
  const auto most = static_cast<std::size_t>(vocab_size);
  if (card.symbols.size() > most || card.labels.size() > most) {
    return fmt::format("there are {} symbols and {} labels for a vocabulary of {}.", card.symbols.size(),
                       card.labels.size(), vocab_size);
  }
  if (card.labels_positions() && card.labels.size() < 2) {
    return "kind is 'labels', which needs the texts of at least two classes in labels.";
  }
  if (card.bytes && (card.labels_positions() || vocab_size != 256)) {
    return fmt::format(
        "vocabulary is 'bytes', which needs the kind 'next-token' and a vocabulary of 256; this is {} and "
        "{}.",
        in_quotes(card.kind), vocab_size);
  }
  if (card.bytes && !card.symbols.empty())
    return "vocabulary is 'bytes', which leaves no room for symbols. Remove one.";
  if (card.family.empty() != card.variant.empty()) {
    return fmt::format("there is a {} without a {}. Give both or neither.", card.family.empty() ? "variant" : "family",
                       card.family.empty() ? "family" : "variant");
  }
  if (card.labels_positions() && card.bits_per_byte >= 0)
    return "bits_per_byte needs a model of the kind 'next-token'.";
  std::set<std::string> seen;
  for (const std::string& symbol : card.symbols) {
    if (symbol.empty()) return "one of the symbols is empty.";
    if (!seen.insert(symbol).second) return fmt::format("the symbol {} is there twice.", in_quotes(symbol));
  }
  return {};
}

}  // namespace

Result<TaskFile> parse_task(std::string_view text, const std::string& where, int vocab_size) {
  auto object = parse_json_object(text, where);
  if (!object) return tl::unexpected(object.error());
  TaskFile out;
  std::string fault;
  for (const auto& item : object->items()) {
    if (fault.empty()) fault = read_field(item.key(), item.value(), out);
  }
  if (fault.empty()) fault = check_card(out.card, vocab_size);
  if (!fault.empty()) return input_error(fmt::format("{}: {}", in_quotes(where), fault));
  return out;
}

Result<TaskFile> read_task(const std::string& path, int vocab_size) {
  auto text = read_text_file(path, std::size_t{1} << 20U);
  if (!text) return tl::unexpected(text.error());
  return parse_task(*text, path, vocab_size);
}

std::string task_text(const TaskFile& task) {
  const TaskCard& card = task.card;
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [name, text] :
       {std::pair{"name", &card.name}, std::pair{"task", &card.task}, std::pair{"kind", &card.kind},
        std::pair{"description", &card.description}, std::pair{"origin", &card.origin},
        std::pair{"license", &card.license}, std::pair{"family", &card.family}, std::pair{"variant", &card.variant}}) {
    if (!text->empty()) object[name] = *text;
  }
  if (card.bytes) object["vocabulary"] = "bytes";
  for (const auto& [name, texts] :
       {std::pair{"symbols", &card.symbols}, std::pair{"labels", &card.labels}, std::pair{"prompts", &card.prompts}}) {
    if (!texts->empty()) object[name] = *texts;
  }
  for (const auto& [length, accuracy] : card.accuracy) object["accuracy"][std::to_string(length)] = accuracy;
  if (card.bits_per_byte > 0) object["bits_per_byte"] = card.bits_per_byte;
  if (task.lambda_override >= 0) object["override"]["lambda"] = task.lambda_override;
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace engine
