// A model with random weights and a tokenizer of ASCII, of the bytes of é, and of a few merges, written to a folder.
#pragma once

#include "tests/support/byte_model.h"

#include <string>

namespace tests {

// Ids: <s> (special, in front of every text) 0, then !..~, a blank, a line break, the two bytes of é, th, the, and " the".
inline std::string ascii_tokenizer() {
  std::string vocab = R"("<s>":0)";
  int id = 1;
  const auto add = [&](const std::string& token) { vocab += ",\"" + token + "\":" + std::to_string(id++); };
  for (char c = '!'; c <= '~'; ++c) add((c == '"' || c == '\\' ? "\\" : "") + std::string(1, c));
  for (const char* token : {"Ġ", "Ċ", "Ã", "©", "th", "the", "Ġthe"}) add(token);
  return R"({"version":"1.0","added_tokens":[{"id":0,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,)"
         R"("normalized":false,"special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},)"
         R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],)"
         R"("special_tokens":{"<s>":{"ids":[0]}}},"decoder":{"type":"ByteLevel"},"model":{"type":"BPE","vocab":{)" +
         vocab + R"(},"merges":["t h","th e","Ġ the"]}})";
}

inline void write_tokenizer_model(const TemporaryFolder& folder, const std::string& tokenizer = ascii_tokenizer()) {
  write_byte_model(folder);
  std::filesystem::remove(folder.file("task.json"));
  folder.write("tokenizer.json", tokenizer);
}

}  // namespace tests
