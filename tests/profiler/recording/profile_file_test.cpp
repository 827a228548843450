#include "profiler/recording/profile_file.h"

#include "profiler/recording/columns.h"
#include "profiler/recording/deflate.h"
#include "profiler/recording/header.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

using namespace profiler;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

RecordedProfile example(int tokens) {
  RecordedProfile out;
  out.program = "mambascope 0.1";
  out.recorded_at = "2026-11-23T11:20:00Z";
  out.model = "m \"quoted\" é";
  out.device = "a GPU";
  out.is_gpu = out.graph = out.ahead = true;
  out.batch = 3;
  out.seed = std::numeric_limits<std::uint64_t>::max();
  out.shape = {{"d_model", 64}, {"expand", 1.5}};
  out.status.source = TimeSource::cupti;
  out.status.dropped = 2;
  out.status.clock_uncertainty_ns = 345;
  out.copy_bytes_per_second = 3.01e12;
  out.cost = RecordedCost{11.5, 10.25, {}};
  out.stages = {{-1, "embed", 10, 20, 30}, {0, "norm", 100, 200, 300}};
  out.names = {"", "kernel one", "kernel two"};
  std::mt19937_64 random(7);
  std::int64_t now = 5'000'000'000'123;
  for (int i = 0; i < tokens; ++i) {
    auto token = std::make_shared<TokenTimes>();
    token->source = TimeSource::cupti;
    token->token = static_cast<std::uint32_t>(i == 2 ? 1000 : i);  // numbers need not follow each other
    token->wall_start_ns = now;
    token->wall_ns = 20'000 + static_cast<std::int64_t>(random() % 1000);
    std::int64_t at = now - 400;  // before the step: clocks agree only so well
    for (int piece = 0; piece < i % 4; ++piece) {
      StageTime time;
      time.tag = {1, token->token, piece == 2 ? between_stages : static_cast<std::uint16_t>(piece)};
      time.kind = piece == 2 ? WorkKind::memcpy : WorkKind::kernel;
      time.name = piece == 2 ? 0U : static_cast<std::uint32_t>(piece + 1);
      time.start_ns = at;
      time.duration_ns = static_cast<std::int64_t>(random() % 5000);
      at += time.duration_ns - 100;  // they overlap
      token->stages.push_back(time);
    }
    now += token->wall_ns + 333;
    out.tokens.push_back(std::move(token));
  }
  return out;
}

}  // namespace

TEST_CASE("whole numbers come back from their columns") {
  ColumnWriter out;
  const std::vector<std::uint64_t> plain = {0, 1, 127, 128, 300, UINT64_MAX, std::uint64_t{1} << 63};
  const std::vector<std::int64_t> folded = {0, -1, 1, -64, 64, INT64_MIN, INT64_MAX};
  for (const std::uint64_t value : plain) out.put(value);
  for (const std::int64_t value : folded) out.put_signed(value);
  const std::string bytes = out.take();
  ColumnReader in(bytes);
  for (const std::uint64_t value : plain) CHECK(in.get() == value);
  for (const std::int64_t value : folded) CHECK(in.get_signed() == value);
  CHECK(in.good());
  CHECK(in.left() == 0);
  CHECK(in.get() == 0);
  CHECK_FALSE(in.good());
  // More than 64 bits, and an endless number.
  ColumnReader over(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
  CHECK(over.get() == 0);
  CHECK_FALSE(over.good());
  const std::string endless(50, '\xff');
  ColumnReader reader(endless);
  CHECK(reader.get() == 0);
  CHECK_FALSE(reader.good());
}

TEST_CASE("packed bytes come back, and into no more than was promised") {
  std::string text(300'000, 'a');
  for (std::size_t i = 0; i < text.size(); i += 7) text[i] = static_cast<char>(i);
  const std::string packed = deflated(text);
  CHECK(packed.size() < text.size() / 10);
  CHECK(inflated(packed, text.size()) == text);
  CHECK(inflated(deflated({}), 0) == std::string());
  CHECK_FALSE(inflated(packed, text.size() - 1));
  CHECK_FALSE(inflated(packed, text.size() + 1));
  CHECK_FALSE(inflated(packed.substr(0, packed.size() / 2), text.size()));
  CHECK_FALSE(inflated(packed + "x", text.size()));
  CHECK_FALSE(inflated("not packed at all", 5));
  CHECK_FALSE(inflated("", 0));
}

TEST_CASE("a recorded profile comes back as it was, its clock starting at 0") {
  const RecordedProfile before = example(9);
  const auto file = encode(before);
  REQUIRE(file.has_value());
  const auto after = decode(bytes_of(*file));
  if (!after) FAIL(after.error());
  CHECK(after->program == before.program);
  CHECK(after->model == before.model);
  CHECK(after->seed == before.seed);
  CHECK(after->shape.size() == 2);
  CHECK(after->graph);
  CHECK(after->ahead);
  CHECK(after->status.source == TimeSource::cupti);
  CHECK(after->status.clock_uncertainty_ns == 345);
  CHECK(after->copy_bytes_per_second == doctest::Approx(3.01e12));
  REQUIRE(after->cost.has_value());
  CHECK(after->cost->wall_us_without == doctest::Approx(10.25));
  REQUIRE(after->stages.size() == 2);
  CHECK(after->stages[0].layer == -1);
  CHECK(after->stages[1].kind == "norm");
  CHECK(after->stages[1].flops == 300);
  CHECK(after->names == before.names);
  const std::int64_t origin = before.tokens.front()->wall_start_ns;
  REQUIRE(after->tokens.size() == before.tokens.size());
  for (std::size_t i = 0; i < before.tokens.size(); ++i) {
    const TokenTimes &a = *before.tokens[i], &b = *after->tokens[i];
    CHECK(b.source == TimeSource::cupti);
    CHECK(b.token == a.token);
    CHECK(b.wall_start_ns == a.wall_start_ns - origin);
    CHECK(b.wall_ns == a.wall_ns);
    REQUIRE(b.stages.size() == a.stages.size());
    for (std::size_t piece = 0; piece < a.stages.size(); ++piece) {
      CHECK(b.stages[piece].tag.stage == a.stages[piece].tag.stage);
      CHECK(b.stages[piece].tag.token == a.token);
      CHECK(b.stages[piece].kind == a.stages[piece].kind);
      CHECK(b.stages[piece].name == a.stages[piece].name);
      CHECK(b.stages[piece].start_ns == a.stages[piece].start_ns - origin);
      CHECK(b.stages[piece].duration_ns == a.stages[piece].duration_ns);
    }
  }
  // Kept again, it is the same file.
  CHECK(encode(*after) == *file);
}

TEST_CASE("only a GPU's steps are queued ahead, and a file without a word of it is of steps that were waited for") {
  RecordedProfile profile = example(4);
  profile.is_gpu = false;
  const auto lying = encode(profile);
  REQUIRE(lying.has_value());
  const auto refused = decode(bytes_of(*lying));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().find("ahead") != std::string::npos);
  profile.ahead = false;
  const auto without = encode(profile);
  REQUIRE(without.has_value());
  CHECK_FALSE(decode(bytes_of(*without)).value().ahead);
}

TEST_CASE("no file that is cut short or changed does harm") {
  const std::string file = *encode(example(6));
  for (std::size_t size = 0; size < file.size(); ++size) CHECK_FALSE(decode(bytes_of(file.substr(0, size))));
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string changed = file;
    changed[random() % changed.size()] ^= static_cast<char>(1U << random() % 8);
    const auto read = decode(bytes_of(changed));
    if (read) CHECK_FALSE(read->tokens.empty());
    if (!read) CHECK_FALSE(read.error().empty());
  }
}

TEST_CASE("columns that lie are refused") {
  const RecordedProfile profile = example(4);
  const std::string header = header_text(profile, 1, 1);
  const auto columns = [](std::vector<std::int64_t> token, std::vector<std::int64_t> piece) {
    ColumnWriter out;
    out.put_signed(token[0]);
    out.put_signed(token[1]);
    out.put(static_cast<std::uint64_t>(token[2]));
    out.put(static_cast<std::uint64_t>(token[3]));
    for (int i : {0, 1, 2}) out.put(static_cast<std::uint64_t>(piece[static_cast<std::size_t>(i)]));
    out.put_signed(piece[3]);
    out.put(static_cast<std::uint64_t>(piece[4]));
    return out.take();
  };
  // token, start, wall, pieces; stage + 1, kind, name, start, duration
  CHECK(decode_unpacked(header, columns({7, 0, 100, 1}, {2, 0, 1, 5, 50})));
  const std::int64_t far = std::int64_t{1} << 61, long_ns = longest_recorded_ns + 1;
  for (const auto& bad :
       {columns({-1, 0, 100, 1}, {2, 0, 1, 5, 50}), columns({7, far, 100, 1}, {2, 0, 1, 5, 50}),
        columns({std::int64_t{1} << 32, 0, 100, 1}, {2, 0, 1, 5, 50}), columns({7, 0, long_ns, 1}, {2, 0, 1, 5, 50}),
        columns({7, 0, 100, 0}, {2, 0, 1, 5, 50}), columns({7, 0, 100, 2}, {2, 0, 1, 5, 50}),
        columns({7, 0, 100, 1}, {3, 0, 1, 5, 50}), columns({7, 0, 100, 1}, {2, 4, 1, 5, 50}),
        columns({7, 0, 100, 1}, {2, 0, 3, 5, 50}), columns({7, 0, 100, 1}, {2, 0, 1, far, 50}),
        columns({7, 0, 100, 1}, {2, 0, 1, 5, long_ns}), columns({7, 0, 100, 1}, {2, 0, 1, 5, 50}) + "x", std::string()})
    CHECK_FALSE(decode_unpacked(header, bad));
  // A header that promises what the columns cannot hold.
  CHECK_FALSE(decode_unpacked(header_text(profile, 1U << 19U, 1), columns({7, 0, 100, 1}, {2, 0, 1, 5, 50})));
  CHECK_FALSE(decode_unpacked(header_text(profile, 1, UINT64_MAX / 8), columns({7, 0, 100, 1}, {2, 0, 1, 5, 50})));
  CHECK_FALSE(decode_unpacked(header_text(profile, 0, 0), {}));
}

TEST_CASE("what a file cannot hold is not written") {
  RecordedProfile profile = example(4);
  CHECK(encode(profile));
  auto token = std::make_shared<TokenTimes>(*profile.tokens[1]);
  token->wall_ns = longest_recorded_ns + 1;
  profile.tokens[1] = token;
  CHECK_FALSE(encode(profile));
  profile.tokens.clear();
  CHECK_FALSE(encode(profile));
}
