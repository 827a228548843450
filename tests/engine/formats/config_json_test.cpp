// config.json: the official defaults, the official strictness, and what this program refuses by name.
#include "engine/formats/config_json.h"

#include <doctest/doctest.h>

#include <string>

namespace {

// A whole config with one field replaced: field is "d_model" or "ssm_cfg.d_state".
std::string config_with(const std::string& ssm, const std::string& top) {
  return "{\"d_model\":64,\"n_layer\":2,\"vocab_size\":250,\"ssm_cfg\":{\"layer\":\"Mamba3\"" + ssm + "}" + top + "}";
}

}  // namespace

TEST_CASE("config: absent fields take the official defaults") {
  const auto config = engine::parse_config(R"({"ssm_cfg":{"layer":"Mamba3"}})", "test");
  REQUIRE_MESSAGE(config.has_value(), (config ? "" : config.error().message));
  CHECK(config->d_model == 2560);
  CHECK(config->n_layer == 64);
  CHECK(config->vocab_size == 50277);
  CHECK(config->padded_vocab() == 50280);
  CHECK(config->d_state == 128);
  CHECK(config->heads() == 80);
  CHECK(config->angles() == 32);
  CHECK(config->rank() == 1);
  CHECK(config->tie_embeddings);
  CHECK_FALSE(config->has_mlp());
}

TEST_CASE("config: the published 1.5B shapes, unknown ssm_cfg keys ignored") {
  const std::string text =
      R"({"d_model":2048,"d_intermediate":3824,"n_layer":24,"vocab_size":128256,"ssm_cfg":{"layer":"Mamba3","d_state":128,
      "expand":2,"headdim":64,"ngroups":1,"rope_fraction":0.5,"dt_min":0.001,"A_floor":0.0001,"chunk_size":16,"is_mimo":true,
      "mimo_rank":4,"a_new_key":[1]},"attn_layer_idx":[],"attn_cfg":{},"rms_norm":true,"residual_in_fp32":true,
      "fused_add_norm":true,"pad_vocab_size_multiple":16,"tie_embeddings":true})";
  const auto config = engine::parse_config(text, "test");
  REQUIRE_MESSAGE(config.has_value(), (config ? "" : config.error().message));
  CHECK(config->in_proj().rows == 9440);
  CHECK(config->in_proj().angle == 9408);
  CHECK(config->mlp_width() == 3840);
}

TEST_CASE("config: expand may be a fraction, and every state size has its angles") {
  const auto config = engine::parse_config(config_with(R"(,"expand":1.5,"headdim":32)", ""), "test");
  REQUIRE(config.has_value());
  CHECK(config->d_inner() == 96);
  CHECK(config->heads() == 3);
  for (int n = 8; n <= 256; n += 8) {
    for (const char* fraction : {"0.5", "1.0", "1"}) {
      CAPTURE(n);
      const std::string ssm = ",\"d_state\":" + std::to_string(n) + ",\"rope_fraction\":" + fraction;
      const auto shape = engine::parse_config(config_with(ssm, ""), "test");
      REQUIRE(shape.has_value());
      CHECK(shape->angles() == (fraction[0] == '0' ? n / 4 : n / 2));
    }
  }
}

TEST_CASE("config: what is wrong or not supported is refused by name") {
  struct Row {
    std::string text, says;
  };
  const Row rows[] = {
      {"", "not valid JSON"},
      {"[]", "not a JSON object"},
      {"{\"d_model\":64,}", "not valid JSON at its byte"},
      {"{\"d_model\":64,\"d_model\":64}", "'d_model' twice"},
      {std::string(1000000, '['), "deeper"},
      {"{\"n_layer\":1e999}", "not valid JSON"},
      {config_with("", ",\"model_type\":\"mamba\""), "model_type is 'mamba'"},
      {R"({"model_type":"mamba3","hidden_size":2048,"num_hidden_layers":24})", "flash-linear-attention"},
      {R"({"model_type":"fla_mamba3"})", "its decay A is a softplus"},
      {config_with("", ",\"model_type\":3"), "'model_type' is not a field"},
      {"{\"d_model\":64}", "ssm_cfg.layer is 'Mamba1'"},
      {R"({"ssm_cfg":{"layer":"Mamba2"}})", "'Mamba2'"},
      {R"({"ssm_cfg":{"layer":3}})", "ssm_cfg.layer is of the type number"},
      {R"({"ssm_cfg":[]})", "ssm_cfg is of the type array"},
      {config_with("", ",\"attn_layer_idx\":[1]"), "attn_layer_idx"},
      {config_with("", ",\"attn_layer_idx\":1"), "attn_layer_idx"},
      {config_with("", ",\"attn_cfg\":null"), "attn_cfg is of the type null"},
      {config_with("", ",\"rms_norm\":false"), "rms_norm"},
      {config_with("", ",\"rms_norm\":1"), "rms_norm is of the type number"},
      {config_with("", ",\"tie_embeddings\":\"yes\""), "tie_embeddings is of the type string"},
      {config_with("", ",\"d_intermediate\":-1"), "d_intermediate is -1"},
      {config_with("", ",\"d_intermediate\":99999999"), "d_intermediate is 99999999"},
      {config_with("", ",\"d_intermediate\":128.5"), "expected an integer"},
      {config_with("", ",\"pad_vocab_size_multiple\":0"), "pad_vocab_size_multiple is 0"},
      {R"({"d_model":0,"ssm_cfg":{"layer":"Mamba3"}})", "d_model is 0"},
      {R"({"d_model":65537,"ssm_cfg":{"layer":"Mamba3"}})", "d_model is 65537"},
      {R"({"n_layer":18446744073709551615,"ssm_cfg":{"layer":"Mamba3"}})", "absurdly large"},
      {R"({"n_layer":-9223372036854775808,"ssm_cfg":{"layer":"Mamba3"}})", "absurdly"},
      {R"({"vocab_size":2147483647,"ssm_cfg":{"layer":"Mamba3"}})", "vocab_size is 2147483647"},
      {config_with(",\"rope_fraction\":0.25", ""), "rope_fraction is 0.25"},
      {config_with(",\"ngroups\":3", ""), "ngroups is 3"},
      {config_with(",\"ngroups\":0", ""), "ngroups is 0"},
      {config_with(",\"headdim\":48", ""), "headdim is 48"},
      {config_with(",\"headdim\":4", ""), "headdim is 4"},
      {config_with(",\"headdim\":512", ""), "headdim is 512"},
      {config_with(",\"d_state\":12", ""), "d_state is 12"},
      {config_with(",\"d_state\":264", ""), "d_state is 264"},
      {config_with(",\"is_mimo\":true,\"mimo_rank\":9", ""), "mimo_rank is 9"},
      {config_with(",\"is_mimo\":true,\"mimo_rank\":0", ""), "mimo_rank is 0"},
      {config_with(",\"expand\":-2", ""), "expand is -2"},
      {config_with(",\"expand\":1e300", ""), "expand is 1e+300"},
      {config_with(",\"expand\":1e-300", ""), "expand is 1e-300"},
      {config_with(",\"A_floor\":-1", ""), "A_floor is -1"},
      {config_with(",\"d_model\":64", ""), "ssm_cfg.d_model"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text.substr(0, 300));
    const auto config = engine::parse_config(row.text, "test");
    REQUIRE_FALSE(config.has_value());
    CHECK(config.error().kind == engine::ErrorKind::input);
    CAPTURE(config.error().message);
    CHECK(config.error().message.find(row.says) != std::string::npos);
  }
}
