// A tokenizer.json of a few tokens, written by a test: ByteLevel without a pattern, so that a text is one word.
#pragma once

#include "engine/tokenizer/tokenizer_json.h"

#include <string>
#include <vector>

namespace tests {

inline std::string small_tokenizer_text(const std::vector<std::string>& tokens, const std::vector<std::string>& merges,
                                        const std::string& more_of_model = "", const std::string& more = "") {
  std::string vocab, list;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    vocab += (i > 0 ? ",\"" : "\"") + tokens[i] + "\":" + std::to_string(i);
  }
  for (std::size_t i = 0; i < merges.size(); ++i) list += (i > 0 ? ",\"" : "\"") + merges[i] + "\"";
  const std::string step = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":false})";
  return R"({"version":"1.0","pre_tokenizer":)" + step +
         R"(,"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{)" + vocab + R"(},"merges":[)" + list + "]" +
         more_of_model + "}" + more + "}";
}

inline engine::Result<std::shared_ptr<const engine::Tokenizer>> small_tokenizer(const std::vector<std::string>& tokens,
                                                                                const std::vector<std::string>& merges,
                                                                                const std::string& more_of_model = "",
                                                                                const std::string& more = "") {
  return engine::parse_tokenizer(small_tokenizer_text(tokens, merges, more_of_model, more), "tokenizer.json");
}

}  // namespace tests
