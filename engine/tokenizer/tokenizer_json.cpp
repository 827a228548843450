#include "engine/tokenizer/tokenizer_json.h"

#include "engine/base/utf8.h"
#include "engine/formats/json_text.h"
#include "engine/formats/mapped_file.h"
#include "engine/tokenizer/model_json.h"
#include "engine/tokenizer/normal_form.h"
#include "engine/tokenizer/pattern_text.h"

#include <set>

namespace engine {

namespace {

using tokenizer_json::Fields;
using tokenizer_json::Json;
using tokenizer_json::refuse;
using tokenizer_json::Refused;

constexpr std::size_t largest_file = std::size_t{64} << 20U, most_steps = 16, most_special = 64;

// GPT-2's, which ByteLevel cuts by.
constexpr const char* gpt2_pattern =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

Pattern compile(const std::string& text, const std::string& place) {
  auto compiled = Pattern::compile(text);
  if (!compiled) refuse("{} {}", place, compiled.error().message);
  return std::move(*compiled);
}

Pattern translated(const std::string& text, const std::string& place) {
  const auto in_pcre2 = translate_pattern(text);
  if (!in_pcre2) refuse("{} {}: it is {}", place, in_pcre2.error().message, in_quotes(text));
  return compile(*in_pcre2, place);
}

// The members of a Sequence, or the thing itself; `what` is the field that holds a sequence's list.
template <class Visit>
void each_of(const Json* value, const std::string& place, const char* what, const Visit& visit) {
  if (value == nullptr) return;
  const Fields fields(*value, place);
  if (fields.text("type") != "Sequence") return visit(fields, fields.text("type"));
  fields.allow({"type", what});
  const Json& list = fields.list(what);
  if (list.size() > most_steps) refuse("{} has {} steps; at most {}", place, list.size(), most_steps);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Fields member(list[i], fmt::format("{}.{}[{}]", place, what, i));
    visit(member, member.text("type"));
  }
}

bool read_normalizer(const Json* value) {
  bool nfc = false;
  each_of(value, "normalizer", "normalizers", [&](const Fields& fields, const std::string& type) {
    if (type != "NFC") {
      refuse("{} is {}; only NFC is done", fields.place(), in_quotes(type));
    }
    fields.allow({"type"});
    nfc = true;
  });
  return nfc;
}

PreTokenisation read_split(const Fields& fields) {
  fields.allow({"type", "pattern", "behavior", "invert"});
  const Fields pattern(fields.at("pattern"), fields.place_of("pattern"));
  pattern.allow({"Regex", "String"});
  PreTokenisation step;
  if (pattern.find("Regex") != nullptr && pattern.find("String") == nullptr) {
    step.pattern = translated(pattern.text("Regex"), pattern.place_of("Regex"));
  } else {
    const std::string text = pattern.text("String");
    if (text.empty() || text.size() > 1024)
      refuse("{} has {} bytes; expected 1 to 1024", pattern.place_of("String"), text.size());
    step.pattern = compile(literal_pattern(text), pattern.place_of("String"));
  }
  const std::string behaviour = fields.text("behavior");
  const bool inverted = fields.flag("invert");
  if (behaviour == "Removed") {
    (inverted ? step.keeps_rest : step.keeps_matches) = false;
  } else if (behaviour != "Isolated") {
    refuse("{} is {}; only Isolated and Removed are done", fields.place_of("behavior"), in_quotes(behaviour));
  }
  return step;
}

std::vector<PreTokenisation> read_pre_tokenizer(const Json* value) {
  std::vector<PreTokenisation> steps;
  each_of(value, "pre_tokenizer", "pretokenizers", [&](const Fields& fields, const std::string& type) {
    if (type == "Split") {
      steps.push_back(read_split(fields));
    } else if (type == "ByteLevel") {
      fields.allow({"type", "add_prefix_space", "trim_offsets", "use_regex"});
      PreTokenisation step;
      step.prefix_blank = fields.flag("add_prefix_space");
      if (fields.flag("use_regex", true)) step.pattern = translated(gpt2_pattern, fields.place());
      step.to_bytes = true;
      steps.push_back(std::move(step));
    } else {
      refuse("{} is {}; only ByteLevel and Split are done", fields.place(), in_quotes(type));
    }
  });
  return steps;
}

// Fuse joins texts, which changes nothing; bytes that the one knows are no tokens of the other.
Decoding read_decoder(const Json* value) {
  if (value == nullptr) refuse("decoder is missing; without one, blanks would be put between tokens");
  bool bytes = false, fallback = false;
  each_of(value, "decoder", "decoders", [&](const Fields& fields, const std::string& type) {
    if (type == "ByteLevel" && !bytes && !fallback) {
      fields.allow({"type", "add_prefix_space", "trim_offsets", "use_regex"});
      bytes = true;
    } else if (type == "ByteFallback" && !bytes && !fallback) {
      fields.allow({"type"});
      fallback = true;
    } else if (type == "Fuse" && (bytes || fallback)) {
      fields.allow({"type"});
    } else {
      refuse("{} is {} in this place; only ByteLevel or ByteFallback are done, and Fuse behind one", fields.place(),
             in_quotes(type));
    }
  });
  if (!bytes && !fallback) refuse("decoder does nothing");
  return bytes ? Decoding::byte_level : Decoding::byte_fallback;
}

void read_template(const Fields& fields, TokenizerParts& parts) {
  fields.allow({"type", "single", "pair", "special_tokens"});
  const Fields specials(fields.at("special_tokens"), fields.place_of("special_tokens"));
  const Json& pieces = fields.list("single");
  bool text_seen = false;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const std::string place = fmt::format("{}.single[{}]", fields.place(), i);
    const Fields piece(pieces[i], place);
    piece.allow({"SpecialToken", "Sequence"});
    if (piece.find("Sequence") != nullptr) {
      const Fields sequence(piece.at("Sequence"), place + ".Sequence");
      if (sequence.text("id") != "A" || text_seen)
        refuse("{} does not hold the text A once", fields.place_of("single"));
      text_seen = true;
      continue;
    }
    const std::string name = Fields(piece.at("SpecialToken"), place + ".SpecialToken").text("id");
    const Fields special(specials.at(name.c_str()), specials.place_of(name.c_str()));
    for (const Json& id : special.list("ids")) {
      auto& list = text_seen ? parts.after : parts.before;
      list.push_back(tokenizer_json::id_of(id, special.place_of("ids")));
      if (list.size() > most_special) refuse("{} has more than {} special tokens", fields.place(), most_special);
    }
  }
  if (!text_seen) refuse("{} does not hold the text A", fields.place_of("single"));
}

void read_post_processor(const Json* value, TokenizerParts& parts) {
  bool has_template = false;
  each_of(value, "post_processor", "processors", [&](const Fields& fields, const std::string& type) {
    if (type == "TemplateProcessing" && !has_template) {
      read_template(fields, parts);
      has_template = true;
    } else if (type == "ByteLevel") {
      fields.allow({"type", "add_prefix_space", "trim_offsets", "use_regex"});  // moves offsets, no ids
    } else {
      refuse("{} is {}; only ByteLevel and one TemplateProcessing are done", fields.place(), in_quotes(type));
    }
  });
}

// What the tokens are looked for by must tell them apart.
void check_normalised(const TokenizerParts& parts) {
  std::set<std::string> seen;
  for (const AddedToken& token : parts.added) {
    if (!parts.nfc || !token.normalized) continue;
    if (!seen.insert(to_nfc(token.content)).second) {
      refuse("the added token {} is the same as another one in normal form C", in_quotes(token.content));
    }
  }
}

TokenizerParts read_parts(const Json& object) {
  const Fields file(object, "");
  file.allow({"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
              "decoder", "model"});
  if (file.text("version") != "1.0") refuse("version is {}; only 1.0 is known", in_quotes(file.text("version")));
  for (const char* name : {"truncation", "padding"}) {
    if (file.find(name) != nullptr) refuse("{} is set, which would cut or fill texts. Set it to null", name);
  }
  TokenizerParts parts{tokenizer_json::read_model(file.at("model")), {}, false, {}, {}, {}, Decoding::byte_level};
  if (file.find("added_tokens") != nullptr)
    parts.added = tokenizer_json::read_added(file.list("added_tokens"), parts.bpe);
  parts.nfc = read_normalizer(file.find("normalizer"));
  parts.steps = read_pre_tokenizer(file.find("pre_tokenizer"));
  read_post_processor(file.find("post_processor"), parts);
  parts.decoding = read_decoder(file.find("decoder"));
  check_normalised(parts);
  return parts;
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> parse_tokenizer(std::string_view text, const std::string& where) {
  auto object = parse_json_object(text, where);
  if (!object) return tl::unexpected(object.error());
  try {
    auto made = std::make_shared<const Tokenizer>(read_parts(*object));
    for (const auto* list : {&made->before(), &made->after()}) {
      for (const std::int32_t id : *list) {
        if (!made->has(id)) refuse("post_processor puts in the id {}, which is no token", id);
      }
    }
    return std::shared_ptr<const Tokenizer>(std::move(made));
  } catch (const Refused& refused) {
    return input_error(fmt::format("{}: {}.", in_quotes(where), refused.what()));
  }
}

Result<std::shared_ptr<const Tokenizer>> read_tokenizer(const std::string& path) {
  const auto text = read_text_file(path, largest_file);
  if (!text) return tl::unexpected(text.error());
  return parse_tokenizer(*text, path);
}

}  // namespace engine
