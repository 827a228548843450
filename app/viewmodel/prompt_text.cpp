#include "app/viewmodel/prompt_text.h"

#include "engine/tokenizer/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace app {
namespace {

engine::Result<std::vector<std::int32_t>> read_numbers(const std::string& text, int vocab_size) {
  std::vector<std::int32_t> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto separates = [](char c) { return c == ' ' || c == ',' || c == '\t' || c == '\n' || c == '#'; };
  while (true) {
    at = std::find_if_not(at, end, separates);
    if (at == end) return ids;
    const char* word_end = std::find_if(at, end, separates);
    std::int32_t id = 0;
    const auto [stopped, problem] = std::from_chars(at, word_end, id);
    if (problem != std::errc{} || stopped != word_end)
      return engine::input_error(
          fmt::format("'{}' is no token id: this model has no symbols, so give numbers such as "
                      "1 2 3.",
                      std::string(at, word_end)));
    if (id < 0 || id >= vocab_size)
      return engine::input_error(fmt::format("Token id {} lies outside 0 to {}.", id, vocab_size - 1));
    ids.push_back(id);
    at = word_end;
  }
}

// The ids without what the tokenizer puts before every text.
std::vector<std::int32_t> without_special(const engine::Model& model, const std::vector<std::int32_t>& ids) {
  const auto skipped = begins_with_special(model, ids) ? model.tokenizer->before().size() : 0;
  return {ids.begin() + static_cast<std::ptrdiff_t>(skipped), ids.end()};
}

}  // namespace

engine::Result<std::vector<std::int32_t>> read_prompt(const engine::Model& model, const std::string& text,
                                                      bool special) {
  if (model.takes_text()) return model.encode(text, special);
  return read_numbers(text, model.config().vocab_size);
}

std::string write_prompt(const engine::Model& model, const std::vector<std::int32_t>& ids) {
  if (model.tokenizer != nullptr) return model.text_of(without_special(model, ids));
  if (model.card.bytes) return model.bytes_of(ids);
  const auto& symbols = model.card.symbols;
  const bool single =
      !symbols.empty() && std::all_of(symbols.begin(), symbols.end(), [](const auto& s) { return s.size() == 1; });
  std::string text;
  for (const std::int32_t id : ids) {
    if (!single && !text.empty()) text += ' ';
    text += symbols.empty() ? std::to_string(id) : model.symbol(id);
  }
  return text;
}

bool begins_with_special(const engine::Model& model, const std::vector<std::int32_t>& ids) {
  if (model.tokenizer == nullptr || model.tokenizer->before().empty()) return false;
  const auto& before = model.tokenizer->before();
  return ids.size() >= before.size() && std::equal(before.begin(), before.end(), ids.begin());
}

std::string on_one_line(const std::string& text) {
  std::string line;
  for (const char c : text) line += c == '\n' ? "↵" : c == '\t' ? "↦" : std::string(1, c);
  return line;
}

}  // namespace app
