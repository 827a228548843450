#include "engine/tokenizer/model_json.h"

#include <map>
#include <set>

namespace engine::tokenizer_json {

namespace {

constexpr std::size_t most_tokens = std::size_t{1} << 20U, most_merges = std::size_t{1} << 21U;
constexpr std::size_t most_added = std::size_t{1} << 16U, longest_token = 4096;

void check_length(const std::string& token) {
  if (token.size() > longest_token) refuse("the token {} has more than {} bytes", in_quotes(token), longest_token);
}

std::vector<std::pair<std::string, std::int32_t>> read_tokens(const Json& vocab) {
  if (!vocab.is_object()) refuse("model.vocab is not an object");
  if (vocab.empty()) refuse("model.vocab is empty");
  if (vocab.size() > most_tokens) refuse("model.vocab has {} tokens; at most {}", vocab.size(), most_tokens);
  std::vector<std::pair<std::string, std::int32_t>> tokens;
  tokens.reserve(vocab.size());
  std::vector<bool> taken;
  for (const auto& item : vocab.items()) {
    check_length(item.key());
    if (!item.value().is_number_unsigned()) refuse("the id of the token {} is no whole number", in_quotes(item.key()));
    const std::int32_t id = id_of(item.value(), "the id of the token " + in_quotes(item.key()));
    if (taken.size() <= static_cast<std::size_t>(id)) taken.resize(static_cast<std::size_t>(id) + 1);
    if (taken[static_cast<std::size_t>(id)])
      refuse("the id {} of the token {} is there twice", id, in_quotes(item.key()));
    taken[static_cast<std::size_t>(id)] = true;
    tokens.emplace_back(item.key(), id);
  }
  return tokens;
}

// A merge as "a b" or as ["a", "b"].
std::pair<std::string, std::string> read_pair(const Json& merge, std::size_t index) {
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const std::size_t blank = text.find(' ');
    if (blank == std::string::npos || text.find(' ', blank + 1) != std::string::npos) {
      refuse("model.merges[{}] is {}; expected two tokens with one blank between", index, in_quotes(text));
    }
    return {text.substr(0, blank), text.substr(blank + 1)};
  }
  if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) {
    refuse("model.merges[{}] is no pair of tokens", index);
  }
  return {merge[0].get<std::string>(), merge[1].get<std::string>()};
}

std::vector<Merge> read_merges(const Json& list, const Bpe& tokens) {
  if (list.size() > most_merges) refuse("model.merges has {} entries; at most {}", list.size(), most_merges);
  std::vector<Merge> merges;
  merges.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].type() != list[0].type()) refuse("model.merges has texts and pairs");
    // As its first line a file of merges once had its version.
    if (list[i].is_string() && list[i].get_ref<const std::string&>().rfind("#version", 0) == 0) continue;
    const auto [left, right] = read_pair(list[i], i);
    check_length(left);
    check_length(right);
    Merge merge;
    merge.left = tokens.find(left);
    merge.right = tokens.find(right);
    merge.token = tokens.find(left + right);
    if (merge.left < 0 || merge.right < 0 || merge.token < 0) {
      const std::string missing = merge.left < 0 ? left : merge.right < 0 ? right : left + right;
      refuse("model.merges[{}] needs the token {}, which is not in model.vocab", i, in_quotes(missing));
    }
    merges.push_back(merge);
  }
  return merges;
}

void refuse_if_set(const Fields& model, const char* name) {
  const Json* const value = model.find(name);
  if (value != nullptr && !(value->is_string() && value->get_ref<const std::string&>().empty())) {
    refuse("model.{} is set, which is not done: byte-level BPE has none", name);
  }
}

}  // namespace

Bpe read_model(const Json& object) {
  const Fields model(object, "model");
  if (model.find("type") != nullptr && model.text("type") != "BPE") {
    refuse("model.type is {}; only BPE is done", in_quotes(model.text("type")));
  }
  model.allow({"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
               "byte_fallback", "ignore_merges", "vocab", "merges"});
  const Json* const dropout = model.find("dropout");
  if (dropout != nullptr && !(dropout->is_number() && dropout->get<double>() == 0)) {
    refuse("model.dropout is set, with which a text has other ids each time");
  }
  refuse_if_set(model, "continuing_subword_prefix");
  refuse_if_set(model, "end_of_word_suffix");
  BpeOptions options;
  options.ignore_merges = model.flag("ignore_merges", false);
  options.byte_fallback = model.flag("byte_fallback", false);
  options.fuse_unknown = model.flag("fuse_unk", false);
  auto tokens = read_tokens(model.at("vocab"));
  const Bpe plain(tokens, {}, options);
  if (model.find("unk_token") != nullptr) {
    options.unknown = plain.find(model.text("unk_token"));
    if (options.unknown < 0) refuse("model.unk_token {} is no token", in_quotes(model.text("unk_token")));
  }
  return {std::move(tokens), read_merges(model.list("merges"), plain), options};
}

std::vector<AddedToken> read_added(const Json& list, const Bpe& bpe) {
  if (list.size() > most_added) refuse("added_tokens has {} entries; at most {}", list.size(), most_added);
  std::vector<AddedToken> out;
  std::set<std::string> contents;
  std::set<std::int32_t> ids;
  std::int32_t next = static_cast<std::int32_t>(bpe.size());
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Fields fields(list[i], fmt::format("added_tokens[{}]", i));
    fields.allow({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    AddedToken token;
    token.content = fields.text("content");
    token.single_word = fields.flag("single_word");
    token.lstrip = fields.flag("lstrip");
    token.rstrip = fields.flag("rstrip");
    token.normalized = fields.flag("normalized");
    token.special = fields.flag("special");
    if (token.content.empty()) refuse("{}.content is empty", fields.place());
    check_length(token.content);
    if (!contents.insert(token.content).second) refuse("the added token {} is there twice", in_quotes(token.content));
    const std::int32_t said = id_of(fields.at("id"), fields.place_of("id"));
    token.id = bpe.find(token.content);
    if (token.id < 0) token.id = next;
    // Counted on from the largest id so far, but never below the size of the vocabulary.
    next = std::max(next, token.id + 1);
    if (token.id != said) {
      refuse("the added token {} has the id {}, where Hugging Face tokenizers counts {}", in_quotes(token.content),
             said, token.id);
    }
    if (!ids.insert(token.id).second) refuse("the id {} of an added token is there twice", token.id);
    out.push_back(std::move(token));
  }
  return out;
}

}  // namespace engine::tokenizer_json
