#include "engine/model/model.h"

#include "engine/base/quote.h"

#include <fmt/format.h>

namespace engine {

namespace {

std::string text_or_number(const std::vector<std::string>& texts, std::int32_t id) {
  if (id >= 0 && static_cast<std::size_t>(id) < texts.size()) return texts[static_cast<std::size_t>(id)];
  return "#" + std::to_string(id);
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::string Model::symbol(std::int32_t id) const { return text_or_number(card.symbols, id); }

std::string Model::label(std::int32_t id) const {
  return text_or_number(card.labels_positions() ? card.labels : card.symbols, id);
}

Result<std::vector<std::int32_t>> Model::encode(const std::string& prompt) const {
  if (card.symbols.empty()) {
    return input_error(fmt::format("The model {} has no symbols to write a prompt in. Give token ids (--tokens 1,2,3).",
                                   in_quotes(name)));
  }
  std::vector<std::int32_t> ids;
  for (std::size_t at = 0; at < prompt.size();) {
    std::size_t longest = 0, which = 0;
    for (std::size_t i = 0; i < card.symbols.size(); ++i) {
      const std::string& text = card.symbols[i];
      if (text.size() > longest && prompt.compare(at, text.size(), text) == 0) {
        longest = text.size();
        which = i;
      }
    }
    if (longest > 0) {
      ids.push_back(static_cast<std::int32_t>(which));
      at += longest;
    } else if (is_blank(prompt[at])) {
      ++at;
    } else {
      std::string known;
      for (std::size_t i = 0; i < card.symbols.size() && i < 20; ++i) known += " " + in_quotes(card.symbols[i]);
      return input_error(fmt::format("The prompt has {} at byte {}, which is none of the model's symbols:{}{}.",
                                     in_quotes(prompt.substr(at, 16)), at, known,
                                     card.symbols.size() > 20 ? " and more" : ""));
    }
  }
  return ids;
}

}  // namespace engine
