#include "engine/model/presets.h"

#include "engine/model/supported.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>

namespace {

// Counted as the papers do: a tied head once.
std::int64_t parameters(const engine::ModelConfig& c) {
  const std::int64_t d = c.d_model, h = c.heads(), r = c.rank(), n = c.d_state, p = c.headdim, inner = c.d_inner();
  std::int64_t layer = d + std::int64_t{c.in_proj().rows} * d + h + 2 * n + 2 * h * r * n + h + d * inner;
  if (c.is_mimo) layer += 3 * h * r * p;
  if (c.has_mlp()) layer += d + 3 * std::int64_t{c.mlp_width()} * d;
  return c.n_layer * layer + std::int64_t{c.padded_vocab()} * d + d;
}

}  // namespace

TEST_CASE("presets have the released models' parameter counts") {
  const std::map<std::string, std::int64_t> published = {{"siso-187m", 186'849'600},   {"mimo-187m", 187'291'968},
                                                         {"siso-443m", 443'015'680},   {"mimo-444m", 444'195'328},
                                                         {"siso-893m", 892'782'336},   {"mimo-894m", 894'551'808},
                                                         {"siso-1.5b", 1'494'723'584}, {"mimo-1.5b", 1'497'082'880}};
  CHECK(engine::preset_names().size() == published.size());
  for (const std::string& name : engine::preset_names()) {
    CAPTURE(name);
    const auto config = engine::preset(name);
    REQUIRE(config);
    CHECK(engine::check_supported(*config));
    CHECK(parameters(*config) == published.at(name));
  }
  const auto unknown = engine::preset("siso-2b");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == engine::ErrorKind::input);
  CHECK(unknown.error().message.find("mimo-1.5b") != std::string::npos);
}
