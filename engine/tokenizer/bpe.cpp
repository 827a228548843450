#include "engine/tokenizer/bpe.h"

#include "engine/base/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

namespace engine {

namespace {

constexpr std::size_t least_remembered = 64, most_remembered = std::size_t{1} << 14U, longest_remembered = 64;

}  // namespace

Bpe::Bpe(std::vector<std::pair<std::string, std::int32_t>> tokens, const std::vector<Merge>& merges,
         const BpeOptions& options)
    : tokens_(std::move(tokens)), options_(options) {
  std::sort(tokens_.begin(), tokens_.end());
  for (char32_t c = 0; c < characters_.size(); ++c) {
    std::string text;
    append_utf8(text, c);
    characters_[c] = find(text);
  }
  for (unsigned b = 0; b < 256; ++b) fallback_[b] = find(fmt::format("<0x{:02X}>", b));

  std::int32_t most = -1;
  for (const auto& token : tokens_) most = std::max(most, token.second);
  rights_from_.assign(static_cast<std::size_t>(most) + 2, 0);
  for (const Merge& merge : merges) ++rights_from_[static_cast<std::size_t>(merge.left) + 1];
  for (std::size_t i = 1; i < rights_from_.size(); ++i) rights_from_[i] += rights_from_[i - 1];
  rights_.resize(merges.size());
  std::vector<std::uint32_t> next(rights_from_.begin(), rights_from_.end() - 1);
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const Merge& merge = merges[rank];
    rights_[next[static_cast<std::size_t>(merge.left)]++] = {merge.right, static_cast<std::int32_t>(rank), merge.token};
  }
  // Of equal pairs the one that came last in front, where the search finds it.
  for (std::size_t i = 0; i + 1 < rights_from_.size(); ++i) {
    std::sort(rights_.begin() + rights_from_[i], rights_.begin() + rights_from_[i + 1],
              [](const Right& a, const Right& b) { return a.right != b.right ? a.right < b.right : a.rank > b.rank; });
  }
}

std::int32_t Bpe::find(std::string_view text) const {
  const auto at = std::lower_bound(tokens_.begin(), tokens_.end(), text,
                                   [](const auto& token, std::string_view sought) { return token.first < sought; });
  return at != tokens_.end() && at->first == text ? at->second : -1;
}

const Bpe::Right* Bpe::merged(std::int32_t left, std::int32_t right) const {
  const Right* const begin = rights_.data() + rights_from_[static_cast<std::size_t>(left)];
  const Right* const end = rights_.data() + rights_from_[static_cast<std::size_t>(left) + 1];
  const Right* const at =
      std::lower_bound(begin, end, right, [](const Right& r, std::int32_t sought) { return r.right < sought; });
  return at != end && at->right == right ? at : nullptr;
}

Merging::Merging(const Bpe& bpe, std::size_t text_bytes)
    : bpe_(bpe), words_(std::clamp(text_bytes / 8, least_remembered, most_remembered)) {}

void Merging::add(std::int32_t token) {
  const auto at = static_cast<std::int32_t>(symbols_.size());
  if (at > 0) symbols_.back().next = at;
  symbols_.push_back({token, at - 1, -1, false});
}

// A word's characters as tokens. In the order of Hugging Face: an unknown token that waits for more unknown characters
// comes after the byte tokens that were found meanwhile.
void Merging::begin(std::string_view word) {
  symbols_.clear();
  const BpeOptions& options = bpe_.options_;
  bool waiting = false;
  while (!word.empty()) {
    const std::size_t length = first_character(word).length;
    const std::string_view character = word.substr(0, length);
    const char32_t code = code_point(word);
    word.remove_prefix(length);
    const std::int32_t token = code < bpe_.characters_.size() ? bpe_.characters_[code] : bpe_.find(character);
    if (token >= 0) {
      if (std::exchange(waiting, false)) add(options.unknown);
      add(token);
      continue;
    }
    const auto has_token = [&](char c) { return bpe_.fallback_[static_cast<unsigned char>(c)] >= 0; };
    if (options.byte_fallback && std::all_of(character.begin(), character.end(), has_token)) {
      for (const char c : character) add(bpe_.fallback_[static_cast<unsigned char>(c)]);
      continue;
    }
    if (options.unknown < 0) continue;
    if (waiting && !options.fuse_unknown) add(options.unknown);
    waiting = true;
  }
  if (waiting) add(options.unknown);
}

// Puts the pair that begins with a symbol into the queue, where it is one that merges.
void Merging::consider(std::int32_t left) {
  const Symbol& symbol = symbols_[static_cast<std::size_t>(left)];
  if (symbol.next < 0) return;
  const auto* found = bpe_.merged(symbol.token, symbols_[static_cast<std::size_t>(symbol.next)].token);
  if (found == nullptr) return;
  queue_.push_back({found->rank, left, found->token});
}

void Merging::merge() {
  // The lowest rank first, and of equal ones the leftmost.
  const auto later = [](const Candidate& a, const Candidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
  };
  queue_.clear();
  for (std::size_t i = 0; i + 1 < symbols_.size(); ++i) consider(static_cast<std::int32_t>(i));
  std::make_heap(queue_.begin(), queue_.end(), later);
  while (!queue_.empty()) {
    std::pop_heap(queue_.begin(), queue_.end(), later);
    const Candidate best = queue_.back();
    queue_.pop_back();
    Symbol& left = symbols_[static_cast<std::size_t>(best.at)];
    if (left.gone || left.next < 0) continue;
    Symbol& right = symbols_[static_cast<std::size_t>(left.next)];
    const auto* now = bpe_.merged(left.token, right.token);
    if (now == nullptr || now->token != best.token) continue;  // one of the two has changed meanwhile
    left.token = best.token;
    left.next = right.next;
    right.gone = true;
    if (left.next >= 0) symbols_[static_cast<std::size_t>(left.next)].previous = best.at;
    const auto push = [&](std::int32_t at) {
      const std::size_t size = queue_.size();
      consider(at);
      if (queue_.size() > size) std::push_heap(queue_.begin(), queue_.end(), later);
    };
    if (left.previous >= 0) push(left.previous);
    push(best.at);
  }
}

void Merging::encode(std::string_view word, std::vector<std::int32_t>& out) {
  if (word.empty()) return;
  Remembered* place = nullptr;
  if (word.size() <= longest_remembered) {
    place = &words_[std::hash<std::string_view>{}(word) % words_.size()];
    if (place->word == word) {
      out.insert(out.end(), place->ids.begin(), place->ids.end());
      return;
    }
  }
  const std::size_t from = out.size();
  const std::int32_t whole = bpe_.options_.ignore_merges ? bpe_.find(word) : -1;
  if (whole >= 0) {
    out.push_back(whole);
  } else {
    begin(word);
    merge();
    for (const Symbol& symbol : symbols_) {
      if (!symbol.gone) out.push_back(symbol.token);
    }
  }
  if (place != nullptr) {
    place->word = word;
    place->ids.assign(out.begin() + static_cast<std::ptrdiff_t>(from), out.end());
  }
}

}  // namespace engine
