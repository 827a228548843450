// mambascope inspect: what a model is made of, without stepping it.
#include "app/commands/command_line.h"
#include "app/commands/inspect_recording.h"
#include "app/commands/list_models.h"
#include "app/commands/options.h"
#include "app/commands/text.h"
#include "engine/base/quote.h"
#include "engine/formats/config_json.h"
#include "engine/formats/weight_file.h"
#include "engine/recording/recording.h"
#include "engine/tokenizer/tokenizer.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace app {

namespace {

using nlohmann::ordered_json;

struct Options : CommonOptions {
  bool list = false;
};

struct Memory {
  std::uint64_t stored = 0;              // bytes of the tensors as they are in the file, a tied head counted once
  std::uint64_t fp32 = 0;                // the same weights widened
  std::uint64_t state_per_sequence = 0;  // caches in fp32 with the count of turns
};

// A tied head that the file holds beside the embedding is the same tensor again.
bool is_second_copy(const engine::Model& model, const engine::TensorFile& file, const engine::Tensor& tensor) {
  return model.config().tie_embeddings && tensor.name == "lm_head.weight" &&
         file.find("backbone.embedding.weight") != nullptr;
}

Memory memory_of(const engine::Model& model, const engine::TensorFile& file) {
  const engine::ModelConfig& c = model.config();
  Memory memory;
  for (const engine::Tensor& tensor : file.tensors) {
    if (!is_second_copy(model, file, tensor)) memory.stored += tensor.bytes.size();
  }
  memory.fp32 = static_cast<std::uint64_t>(model.weights.parameters) * 4;
  const std::uint64_t h = static_cast<std::uint64_t>(c.heads()), n = static_cast<std::uint64_t>(c.d_state),
                      p = static_cast<std::uint64_t>(c.headdim), r = static_cast<std::uint64_t>(c.rank()),
                      s = static_cast<std::uint64_t>(c.angles());
  memory.state_per_sequence = 4 * static_cast<std::uint64_t>(c.n_layer) * h * (2 * s + p * n + r * n + p);
  return memory;
}

const char* name_of(engine::AActivation activation) {
  return activation == engine::AActivation::heavy_tail ? "heavy-tail" : "softplus";
}

// The types of the tensors, most bytes first: "BF16" or "BF16, F32".
std::string types_of(const engine::TensorFile& file) {
  std::map<std::string, std::size_t> bytes;
  for (const engine::Tensor& tensor : file.tensors) bytes[engine::name_of(tensor.type)] += tensor.bytes.size();
  std::vector<std::pair<std::size_t, std::string>> order;
  order.reserve(bytes.size());
  for (const auto& [name, size] : bytes) order.emplace_back(size, name);
  std::sort(order.rbegin(), order.rend());
  std::string text;
  for (const auto& [size, name] : order) text += (text.empty() ? "" : ", ") + name;
  return text;
}

ordered_json ids_json(const engine::Tokenizer& tokenizer, const std::vector<std::int32_t>& ids) {
  ordered_json list = ordered_json::array();
  for (const std::int32_t id : ids) list.push_back({{"id", id}, {"text", tokenizer.bytes_of(id)}});
  return list;
}

// Null without one; {"fault": "..."} where the one that is there is not used.
ordered_json tokenizer_json(const engine::Model& model) {
  if (!model.tokenizer_fault.empty()) return {{"fault", model.tokenizer_fault}};
  if (model.tokenizer == nullptr) return nullptr;
  const engine::Tokenizer& tokenizer = *model.tokenizer;
  ordered_json added = ordered_json::array();
  for (const engine::AddedToken& token : tokenizer.added()) {
    added.push_back({{"id", token.id}, {"text", token.content}, {"special", token.special}});
  }
  return {{"kind", "BPE"},
          {"tokens", tokenizer.vocabulary_size()},
          {"largest_id", tokenizer.largest_id()},
          {"normal_form", tokenizer.normalises() ? ordered_json("NFC") : ordered_json()},
          {"before", ids_json(tokenizer, tokenizer.before())},
          {"after", ids_json(tokenizer, tokenizer.after())},
          {"added", added}};
}

ordered_json describe(const engine::Model& model, const engine::TensorFile& file) {
  const engine::ModelConfig& c = model.config();
  const Memory memory = memory_of(model, file);
  ordered_json tensors = ordered_json::array();
  for (const engine::Tensor& tensor : file.tensors) {
    tensors.push_back({{"name", tensor.name},
                       {"dtype", engine::name_of(tensor.type)},
                       {"shape", tensor.shape},
                       {"bytes", tensor.bytes.size()},
                       {"not_finite", engine::count_not_finite(tensor)}});
  }
  return {{"model", model.name},
          {"file", model.path},
          {"file_bytes", model.file_bytes},
          {"mixer", c.is_mimo ? "MIMO" : "SISO"},
          {"parameters", model.weights.parameters},
          {"a_activation", name_of(c.a_activation)},
          {"lambda_override", lambda_override_json(model)},
          {"config", ordered_json::parse(engine::config_text(c))},
          {"derived",
           {{"d_inner", c.d_inner()},
            {"heads", c.heads()},
            {"rank", c.rank()},
            {"angles", c.angles()},
            {"mlp_width", c.has_mlp() ? c.mlp_width() : 0},
            {"padded_vocab", c.padded_vocab()},
            {"in_proj_rows", c.in_proj().rows}}},
          {"memory",
           {{"weight_bytes", memory.stored},
            {"weight_bytes_fp32", memory.fp32},
            {"state_bytes_per_sequence", memory.state_per_sequence}}},
          {"tokenizer", tokenizer_json(model)},
          {"task", card_json(model.card)},
          {"tensors", tensors}};
}

void line(const char* name, const std::string& text) { fmt::print("  {:<17} {}\n", name, engine::printable(text)); }

void print_card(const engine::TaskCard& card) {
  if (card.kind.empty()) return;
  fmt::print("\nTask card\n");
  const auto join = [](const std::vector<std::string>& texts) {
    std::string out;
    for (std::size_t i = 0; i < texts.size() && i < 16; ++i) out += (i == 0 ? "" : ", ") + texts[i];
    return out + (texts.size() > 16 ? fmt::format(", … ({} in all)", texts.size()) : "");
  };
  const auto line_if = [](const char* name, const std::string& text) {
    if (!text.empty()) line(name, text);
  };
  line_if("name", card.name);
  line_if("task", card.task);
  line("kind", card.kind);
  if (!card.family.empty()) line("family", fmt::format("{}: {}", card.family, card.variant));
  if (card.bytes) line("vocabulary", "bytes of UTF-8 text");
  line_if("symbols", join(card.symbols));
  line_if("labels", join(card.labels));
  for (const std::string& prompt : card.prompts) line("example prompt", prompt);
  for (const auto& [length, accuracy] : card.accuracy) {
    line("accuracy", fmt::format("{:.2f} % at length {}, measured after training", 100 * accuracy, length));
  }
  if (card.bits_per_byte >= 0) {
    line("bits per byte", fmt::format("{:.3f} on held-out text, measured after training", card.bits_per_byte));
  }
  line_if("description", card.description);
  line_if("origin", card.origin);
  line_if("licence", card.license);
}

void print_tokenizer(const engine::Model& model) {
  if (model.tokenizer == nullptr) return;
  const engine::Tokenizer& tokenizer = *model.tokenizer;
  const auto join = [](const std::vector<std::string>& texts) {
    std::string out;
    for (std::size_t i = 0; i < texts.size() && i < 8; ++i) out += (i == 0 ? "" : ", ") + texts[i];
    return texts.empty() ? "none" : out + (texts.size() > 8 ? fmt::format(", … ({} in all)", texts.size()) : "");
  };
  const auto texts_of = [&](const std::vector<std::int32_t>& ids) {
    std::vector<std::string> out;
    out.reserve(ids.size());
    for (const std::int32_t id : ids) out.push_back(model.symbol(id));
    return join(out);
  };
  std::vector<std::string> special, other;
  for (const engine::AddedToken& token : tokenizer.added()) {
    (token.special ? special : other).push_back(fmt::format("{} = {}", model.symbol(token.id), token.id));
  }
  fmt::print("\nTokenizer\n");
  line("kind", fmt::format("byte pair encoding{}", tokenizer.normalises() ? ", of text in normal form C" : ""));
  line("tokens", fmt::format("{}, ids up to {}", grouped(static_cast<std::int64_t>(tokenizer.vocabulary_size())),
                             tokenizer.largest_id()));
  line("before a text", texts_of(tokenizer.before()));
  if (!tokenizer.after().empty()) line("after a text", texts_of(tokenizer.after()));
  line("special tokens", join(special));
  if (!other.empty()) line("added tokens", join(other));
}

void print_tensors(const engine::TensorFile& file) {
  fmt::print("\nTensors ({})\n", file.tensors.size());
  std::size_t longest = 4;
  for (const engine::Tensor& tensor : file.tensors) longest = std::max(longest, tensor.name.size());
  fmt::print("  {:<{}}  {:<5} {:<16} {:>14}  {}\n", "name", longest, "dtype", "shape", "bytes", "values");
  for (const engine::Tensor& tensor : file.tensors) {
    const std::int64_t bad = engine::count_not_finite(tensor);
    fmt::print("  {:<{}}  {:<5} {:<16} {:>14}  {}\n", tensor.name, longest, engine::name_of(tensor.type),
               engine::text_of(tensor.shape), grouped(static_cast<std::int64_t>(tensor.bytes.size())),
               bad == 0 ? "finite" : fmt::format("{} NaN or infinite", grouped(bad)));
  }
}

void print_text(const engine::Model& model, const engine::TensorFile& file) {
  const engine::ModelConfig& c = model.config();
  const Memory memory = memory_of(model, file);
  fmt::print("{}: Mamba-3 {}, {} parameters, {}\n", model.name,
             c.is_mimo ? fmt::format("MIMO of rank {}", c.rank()) : "SISO", grouped(model.weights.parameters),
             types_of(file));
  line("file", fmt::format("{}, {}", model.path, readable_bytes(model.file_bytes)));
  fmt::print("\nShape\n");
  line("layers", std::to_string(c.n_layer));
  line("d_model", std::to_string(c.d_model));
  line("d_inner", fmt::format("{} = expand {} * d_model", c.d_inner(), c.expand));
  line("heads",
       fmt::format("{} of dimension {}, in {} group{}", c.heads(), c.headdim, c.ngroups, c.ngroups > 1 ? "s" : ""));
  line("d_state", fmt::format("{} channels, {} pairs of {} turn (rope_fraction {})", c.d_state, c.angles(),
                              c.d_state / 2, c.rope_fraction));
  line("pairs", c.is_mimo ? "channels (i, i + N/2)" : "channels (2i, 2i + 1)");
  line("MLP", c.has_mlp() ? fmt::format("{} wide, {} in the tensors", c.d_intermediate, c.mlp_width()) : "none");
  line("vocabulary", fmt::format("{}, {} with padding, head {}", c.vocab_size, c.padded_vocab(),
                                 c.tie_embeddings ? "tied to the embedding" : "of its own"));
  line("output norm", c.is_outproj_norm ? "per head, before the gate" : "none");
  line("in_proj rows", std::to_string(c.in_proj().rows));
  line("A activation", fmt::format("{}, floor {}", name_of(c.a_activation), c.a_floor));
  line("lambda",
       c.lambda_override < 0 ? "the model's own" : fmt::format("fixed at {} by task.json", c.lambda_override));
  fmt::print("\nMemory\n");
  line("weights", readable_bytes(memory.stored));
  line("weights as fp32", readable_bytes(memory.fp32));
  line("state", readable_bytes(memory.state_per_sequence) + " per sequence, fp32");
  print_card(model.card);
  print_tokenizer(model);
  print_tensors(file);
}

int inspect(const Options& options) {
  if (options.list) return list_models(options.json);
  if (options.model.empty()) {
    return report({engine::ErrorKind::input, "inspect needs a MODEL, or --list for the built-in ones."});
  }
  if (engine::is_recording_file(options.model)) return inspect_recording(options.model, options.json);
  const auto model = load_model(options);
  if (!model) return report(model.error());
  const auto file = engine::read_weights((*model)->path);
  if (!file) return report(file.error());
  if (options.json) {
    print_json(describe(**model, *file));
  } else {
    print_text(**model, *file);
  }
  if (auto whole = engine::check_whole(file->files); !whole) return report(whole.error());
  return 0;
}

}  // namespace

void add_inspect(CLI::App& program, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "inspect", "Print a model's configuration, tensors, parameters and memory, or what a recording holds");
  add_model_option(*command, *options);
  add_json_option(*command, *options);
  command->add_flag("--list", options->list, "List the built-in models: task, size, accuracy, origin")
      ->excludes("MODEL")
      ->excludes("--a-activation");
  command->footer(
      "Examples:\n  mambascope inspect parity\n  mambascope inspect path/to/folder --json\n  mambascope inspect "
      "--list");
  command->callback([options, &action] { action = [options] { return inspect(*options); }; });
}

}  // namespace app
