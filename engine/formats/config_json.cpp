#include "engine/formats/config_json.h"

#include "engine/base/quote.h"
#include "engine/formats/json_text.h"
#include "engine/formats/mapped_file.h"
#include "engine/model/supported.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>

namespace engine {

namespace {

using nlohmann::json;

// Reads fields of one object by name and keeps the first fault.
class Fields {
 public:
  Fields(const json& object, std::string prefix, std::string& fault)
      : object_(object), prefix_(std::move(prefix)), fault_(fault) {}

  void read(const char* name, int& out) {
    const json* value = find(name);
    if (value == nullptr) return;
    if (!value->is_number_integer()) return wrong_type(name, *value, "an integer");
    const bool fits = value->is_number_unsigned()
                          ? value->get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<int>::max()}
                          : value->get<std::int64_t>() >= std::numeric_limits<int>::min();
    if (!fits) return fail(fmt::format("{}{} is {}, which is absurdly large.", prefix_, name, value->dump()));
    out = value->get<int>();
  }
  void read(const char* name, double& out) {
    const json* value = find(name);
    if (value == nullptr) return;
    if (!value->is_number()) return wrong_type(name, *value, "a number");
    out = value->get<double>();
  }
  void read(const char* name, bool& out) {
    const json* value = find(name);
    if (value == nullptr) return;
    if (!value->is_boolean()) return wrong_type(name, *value, "true or false");
    out = value->get<bool>();
  }
  // Null: absent or of another type than `is`.
  const json* part(const char* name, bool (json::*is)() const noexcept, const char* expected) {
    const json* value = find(name);
    if (value == nullptr || (value->*is)()) return value;
    wrong_type(name, *value, expected);
    return nullptr;
  }
  void fail(std::string message) {
    if (fault_.empty()) fault_ = std::move(message);
  }

 private:
  const json* find(const char* name) const {
    const auto at = object_.find(name);
    return at == object_.end() ? nullptr : &*at;
  }
  void wrong_type(const char* name, const json& value, const char* expected) {
    fail(fmt::format("{}{} is of the type {}; expected {}.", prefix_, name, value.type_name(), expected));
  }

  const json& object_;
  std::string prefix_;
  std::string& fault_;
};

void read_mixer(const json& ssm, ModelConfig& config, std::string& fault) {
  Fields fields(ssm, "ssm_cfg.", fault);
  const json* layer = fields.part("layer", &json::is_string, "a string");
  const std::string mixer = layer == nullptr ? "Mamba1" : layer->get<std::string>();
  if (mixer != "Mamba3") {
    fields.fail(fmt::format("ssm_cfg.layer is {}{}; only Mamba3 models can be opened. Give a Mamba-3 model.",
                            in_quotes(mixer),
                            layer == nullptr ? " (the official default, as the field is absent)" : ""));
  }
  fields.read("d_state", config.d_state);
  fields.read("expand", config.expand);
  fields.read("headdim", config.headdim);
  fields.read("ngroups", config.ngroups);
  fields.read("rope_fraction", config.rope_fraction);
  fields.read("A_floor", config.a_floor);
  fields.read("is_outproj_norm", config.is_outproj_norm);
  fields.read("is_mimo", config.is_mimo);
  fields.read("mimo_rank", config.mimo_rank);
  fields.read("chunk_size", config.chunk_size);
  // Officially the width is given by d_model outside; a second one is an error there too.
  if (ssm.contains("d_model")) fields.fail("ssm_cfg.d_model is set; the width belongs in the top-level d_model.");
}

// Hugging Face configs name a model_type, which the official ones never do.
std::string refuse_other_package(const std::string& type) {
  if (type.find("mamba3") == std::string::npos) {
    return fmt::format("model_type is {}; only official Mamba-3 configs, which have no model_type, are read.",
                       in_quotes(type));
  }
  return fmt::format(
      "model_type is {}: a model of flash-linear-attention or Hugging Face. Its tensors have other names, and its "
      "decay A "
      "is a softplus; it is not converted. Give the model in the official layout (state-spaces/mamba).",
      in_quotes(type));
}

std::string read_all(const json& object, ModelConfig& config) {
  if (const auto type = object.find("model_type"); type != object.end() && type->is_string()) {
    return refuse_other_package(type->get<std::string>());
  }
  constexpr std::array known = {"d_model",          "d_intermediate", "n_layer",        "vocab_size",
                                "ssm_cfg",          "attn_layer_idx", "attn_cfg",       "rms_norm",
                                "residual_in_fp32", "fused_add_norm", "tie_embeddings", "pad_vocab_size_multiple"};
  for (const auto& item : object.items()) {
    bool found = false;
    for (const char* name : known) found = found || item.key() == name;
    if (!found) {
      return fmt::format(
          "{} is not a field of an official Mamba config. Remove it, or give the model's own config.json.",
          in_quotes(item.key()));
    }
  }
  std::string fault;
  Fields fields(object, "", fault);
  fields.read("d_model", config.d_model);
  fields.read("d_intermediate", config.d_intermediate);
  fields.read("n_layer", config.n_layer);
  fields.read("vocab_size", config.vocab_size);
  fields.read("pad_vocab_size_multiple", config.pad_vocab_size_multiple);
  fields.read("residual_in_fp32", config.residual_in_fp32);
  fields.read("fused_add_norm", config.fused_add_norm);
  fields.read("tie_embeddings", config.tie_embeddings);

  bool rms_norm = true;
  fields.read("rms_norm", rms_norm);
  if (!rms_norm) fields.fail("rms_norm is false; models with LayerNorm cannot be opened. Give one with rms_norm true.");
  const json* attention = fields.part("attn_layer_idx", &json::is_array, "a list");
  if (attention != nullptr && !attention->empty()) {
    fields.fail(
        "attn_layer_idx is not empty; models with attention layers cannot be opened. Give a pure Mamba-3 model.");
  }
  fields.part("attn_cfg", &json::is_object, "an object");
  const json* ssm = fields.part("ssm_cfg", &json::is_object, "an object");
  read_mixer(ssm == nullptr ? json::object() : *ssm, config, fault);
  return fault;
}

}  // namespace

Result<ModelConfig> parse_config(std::string_view text, const std::string& where) {
  auto object = parse_json_object(text, where);
  if (!object) return tl::unexpected(object.error());
  ModelConfig config;
  std::string fault = read_all(*object, config);
  if (fault.empty()) {
    if (auto checked = check_supported(config); !checked) fault = checked.error().message;
  }
  if (!fault.empty()) return input_error(fmt::format("{}: {}", in_quotes(where), fault));
  return config;
}

Result<ModelConfig> read_config(const std::string& path) {
  auto text = read_text_file(path, std::size_t{1} << 20U);
  if (!text) return tl::unexpected(text.error());
  return parse_config(*text, path);
}

std::string config_text(const ModelConfig& c) {
  const bool whole = c.expand == std::floor(c.expand);
  const nlohmann::ordered_json object = {
      {"d_model", c.d_model},
      {"d_intermediate", c.d_intermediate},
      {"n_layer", c.n_layer},
      {"vocab_size", c.vocab_size},
      {"pad_vocab_size_multiple", c.pad_vocab_size_multiple},
      {"residual_in_fp32", c.residual_in_fp32},
      {"fused_add_norm", c.fused_add_norm},
      {"tie_embeddings", c.tie_embeddings},
      {"ssm_cfg",
       {{"layer", "Mamba3"},
        {"d_state", c.d_state},
        {"expand", whole ? nlohmann::ordered_json(static_cast<int>(c.expand)) : nlohmann::ordered_json(c.expand)},
        {"headdim", c.headdim},
        {"ngroups", c.ngroups},
        {"rope_fraction", c.rope_fraction},
        {"A_floor", c.a_floor},
        {"is_outproj_norm", c.is_outproj_norm},
        {"is_mimo", c.is_mimo},
        {"mimo_rank", c.mimo_rank},
        {"chunk_size", c.chunk_size}}}};
  return object.dump();
}

}  // namespace engine
