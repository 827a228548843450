// The file of a family: what was written comes back, and no bytes do harm.
#include "profiler/recording/family_file.h"

#include "profiler/recording/profile_file.h"

#include <doctest/doctest.h>

#include <cmath>

namespace {

profiler::RecordedProfile profile(int tokens) {
  profiler::RecordedProfile out;
  out.stages.push_back({-1, "embed", 10, 20, 30});
  out.names = {""};
  for (int i = 0; i < tokens; ++i) {
    auto token = std::make_shared<profiler::TokenTimes>();
    token->token = static_cast<std::uint32_t>(i);
    token->wall_start_ns = 1000 * i;
    token->wall_ns = 900;
    profiler::StageTime piece;
    piece.tag.stage = 0;
    piece.start_ns = token->wall_start_ns + 5;
    piece.duration_ns = 100;
    token->stages.push_back(piece);
    out.tokens.push_back(token);
  }
  return out;
}

profiler::RecordedFamily family() {
  profiler::RecordedFamily out;
  out.shape = "a shape";
  for (const int rank : {1, 2, 8}) out.members.push_back({rank, 1000U, "cpu", 1e-6, 1e-4, profile(rank)});
  return out;
}

tl::expected<profiler::RecordedFamily, std::string> read(const std::string& text) {
  return profiler::decode_family(std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace

TEST_CASE("a family is the same after its way through a file") {
  const auto bytes = profiler::encode_family(family());
  REQUIRE(bytes.has_value());
  const auto back = read(*bytes);
  if (!back) FAIL(back.error());
  CHECK(back->shape == "a shape");
  REQUIRE(back->members.size() == 3);
  CHECK(back->members[2].rank == 8);
  CHECK(back->members[2].parameters == 1000);
  CHECK(back->members[2].twin == "cpu");
  CHECK(back->members[2].worst == 1e-6);
  CHECK(back->members[2].profile.tokens.size() == 8);
  CHECK(profiler::is_family(std::as_bytes(std::span(bytes->data(), bytes->size()))));
}

TEST_CASE("a family that is cut, damaged or impossible is refused") {
  const std::string bytes = *profiler::encode_family(family());
  for (std::size_t size = 0; size < bytes.size(); size += 7) CHECK_FALSE(read(bytes.substr(0, size)).has_value());
  CHECK_FALSE(read(bytes + "x").has_value());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x41);
    (void)read(changed);  // whatever it says, it ends
  }
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = bytes;
    changed.replace(changed.find(from), from.size(), to);
    return read(changed);
  };
  REQUIRE_FALSE(with("\"rank\":8", "\"rank\":2").has_value());
  CHECK(with("\"rank\":8", "\"rank\":2").error().find("do not rise") != std::string::npos);
  CHECK_FALSE(with("\"rank\":1", "\"rank\":0").has_value());
  CHECK_FALSE(with("\"worst\"", "\"wurst\"").has_value());
  profiler::RecordedFamily none;
  CHECK_FALSE(profiler::encode_family(none).has_value());
  none.members.push_back({1, 0, "", 0, 0, {}});
  CHECK_FALSE(profiler::encode_family(none).has_value());
}

TEST_CASE("counters and peaks of a profile come back; those of another number of stages do not") {
  profiler::RecordedProfile with = profile(2);
  with.fp32_flops_per_second = 6.69e13;
  with.peak_source = "a product";
  with.counters =
      profiler::RecordedCounters{"GH100", "lib", {"a", "b"}, {"c"}, 8, 0, 1.5, true, {{1.0}, {std::nan("")}}};
  const auto bytes = profiler::encode(with);
  REQUIRE(bytes.has_value());
  const auto back = profiler::decode(std::as_bytes(std::span(bytes->data(), bytes->size())));
  if (!back) FAIL(back.error());
  CHECK(back->fp32_flops_per_second == 6.69e13);
  CHECK(back->peak_source == "a product");
  REQUIRE(back->counters.has_value());
  CHECK(back->counters->chip == "GH100");
  CHECK(back->counters->same_bits);
  CHECK(back->counters->passes == 8);
  CHECK(back->counters->values[0][0] == 1.0);
  CHECK(std::isnan(back->counters->values[1][0]));
  with.counters->values[1].push_back(2);
  const auto more = profiler::encode(with);
  REQUIRE(more.has_value());
  CHECK_FALSE(profiler::decode(std::as_bytes(std::span(more->data(), more->size()))).has_value());
}
