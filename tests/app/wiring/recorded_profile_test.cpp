#include "app/wiring/recorded_profile.h"

#include "app/viewmodel/sample_strip.h"
#include "app/wiring/recorded_shape.h"
#include "engine/model/model.h"
#include "profiler/recording/profile_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

namespace {

app::ProfileResult example() {
  app::ProfileResult profile;
  profile.model = "m\x1b[31m";  // a hostile name
  profile.program = "mambascope 9";
  profile.recorded_at = "2026-11-23T11:20:00Z";
  profile.config.d_model = 96;
  profile.config.is_mimo = true;
  profile.config.expand = 1.5;
  profile.backend.name = "cuda";
  profile.backend.device = "a GPU";
  profile.backend.is_gpu = profile.backend.graph = profile.ahead = true;
  profile.plan.variant = "fused";
  profile.plan.batch = 2;
  for (int id = 0; id < 2; ++id) {
    engine::Stage stage;
    stage.id = id;
    stage.layer = id - 1;
    stage.kind = id == 0 ? engine::StageKind::embed : engine::StageKind::mixer;
    stage.cost = {1000, 200, 30};
    profile.plan.stages.push_back(stage);
  }
  for (std::uint32_t i = 0; i < 3; ++i) {
    auto token = std::make_shared<profiler::TokenTimes>();
    token->token = i;
    token->wall_start_ns = 1000 * i;
    token->wall_ns = 900;
    profiler::StageTime piece;
    piece.tag.stage = 1;
    piece.kind = profiler::WorkKind::kernel;
    piece.name = 5;
    piece.start_ns = token->wall_start_ns + 10;
    piece.duration_ns = 100;
    token->stages.push_back(piece);
    profile.tokens.push_back(token);
  }
  profile.names = {"", "", "", "", "", "a kernel"};
  profile.status.source = profiler::TimeSource::cupti;
  return profile;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

TEST_CASE("a profile is the same after its way through a file") {
  const auto bytes = app::recording_bytes(example());
  REQUIRE(bytes.has_value());
  const auto read = app::read_recording(bytes_of(*bytes), "folder/name.profile");
  if (!read) FAIL(read.error().message);
  CHECK(read->recording == "name");
  CHECK(read->recorded_words() == "recorded on a GPU, 2026-11-23");
  CHECK(read->model == "m\\x1b[31m");
  CHECK(read->config.d_model == 96);
  CHECK(read->config.is_mimo);
  CHECK(read->config.expand == 1.5);
  CHECK(read->backend.graph);
  CHECK(read->plan.variant == "fused");
  CHECK(read->plan.batch == 2);
  REQUIRE(read->plan.stages.size() == 2);
  CHECK(read->plan.stages[1].id == 1);
  CHECK(read->plan.stages[1].kind == engine::StageKind::mixer);
  CHECK(read->plan.stages[1].cost.bytes() == 1200);
  CHECK(read->kernels == std::vector<std::string>{"", "a kernel"});
  // Views take the times from a store.
  const auto store = app::recorded_timings(std::make_shared<const app::ProfileResult>(*read));
  CHECK(store->newest(2).size() == 2);
  CHECK(store->newest(2).front()->token == 1);
  CHECK(store->newest(100).size() == 3);
  CHECK(store->kernel_name(5) == "a kernel");
  CHECK(store->kernel_name(77).empty());
  CHECK(store->status().source == profiler::TimeSource::cupti);
}

TEST_CASE("a file that is no profile is wrong input, and says why") {
  const auto missing = app::open_recording("/nonexistent/x.profile");
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().kind == engine::ErrorKind::input);
  CHECK(missing.error().message.find("/nonexistent/x.profile") != std::string::npos);
  const auto other = app::open_recording(TEST_SOURCE_ROOT "/LICENSE");
  REQUIRE_FALSE(other.has_value());
  CHECK(other.error().kind == engine::ErrorKind::input);
  CHECK(other.error().message.find("LICENSE") != std::string::npos);
  const std::string newer = [] {
    profiler::RecordedProfile profile = *profiler::decode(bytes_of(*app::recording_bytes(example())));
    profile.stages[1].kind = "teleport";
    return *profiler::encode(profile);
  }();
  const auto unknown = app::read_recording(bytes_of(newer), "x");
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().message.find("'teleport'") != std::string::npos);
  app::ProfileResult empty = example();
  empty.tokens.clear();
  CHECK_FALSE(app::recording_bytes(empty).has_value());
}

TEST_CASE("a shape is read back, and only one that can be") {
  engine::ModelConfig config;
  config.n_layer = 3;
  config.mimo_rank = 8;
  config.lambda_override = 1;
  auto numbers = app::shape_numbers(config);
  const auto back = app::shape_of(numbers);
  REQUIRE(back.has_value());
  CHECK(back->n_layer == 3);
  CHECK(back->mimo_rank == 8);
  CHECK(back->lambda_override == 1);
  for (auto& [name, value] : numbers) {
    const double kept = value;
    for (const double bad : {-2.0, 0.25 + kept, 1e9, std::nan("")}) {
      if (bad == 0.25 + kept && (name == "expand" || name == "rope_fraction" || name == "lambda_override")) continue;
      value = bad;
      CAPTURE(name);
      CAPTURE(bad);
      CHECK_FALSE(app::shape_of(numbers).has_value());
    }
    value = kept;
  }
  numbers.pop_back();
  CHECK_FALSE(app::shape_of(numbers).has_value());
}

TEST_CASE("every profile that the program ships with opens, names its device, and has what it was recorded with") {
  std::uintmax_t bytes = 0;
  for (const std::string& name : app::shipped_recordings()) {
    CAPTURE(name);
    const auto opened = app::open_any_recording(name);
    if (!opened) FAIL(opened.error().message);
    bytes += std::filesystem::file_size(engine::assets_folder() + "/profiles/" + name + ".profile");
    std::vector<const app::ProfileResult*> profiles = {&opened->profile};
    if (!opened->family) {
      const app::ProfileResult& profile = opened->profile;
      CHECK(profile.counters.has_value() == !profile.backend.graph);
      REQUIRE(profile.samples.has_value());
      // Each sampled token is one of those that were measured, and its samples last about as long as its work.
      const auto placed = app::place_sample_strips(*profile.samples, profile.tokens);
      CHECK(placed.size() == 4);
      for (const app::PlacedStrip& of : placed) {
        const auto& token = *profile.tokens[static_cast<std::size_t>(of.strip.token)];
        CHECK(std::int64_t{token.token} == of.strip.token);
        const double sampled_us = of.strip.start_us.back() + of.strip.interval_us;
        const double work_us = static_cast<double>(token.stages.back().start_ns + token.stages.back().duration_ns -
                                                   token.stages.front().start_ns) /
                               1e3;
        // Activity records stretch the time between the kernels of a graph that do not overlap; samples do not.
        CHECK(sampled_us < 1.05 * work_us + 10);
        CHECK(sampled_us > 0.75 * work_us);
      }
    }
    if (opened->family) {
      CHECK(opened->family->runs.size() >= 2);
      for (const app::RankRun& run : opened->family->runs) {
        CHECK(run.verified());
        profiles.push_back(&run.result);
      }
    }
    for (const app::ProfileResult* profile : profiles) {
      CHECK_FALSE(profile->backend.device.empty());
      CHECK(profile->recorded_at.size() == 20);
      CHECK(profile->tokens.size() >= 32);
      CHECK(profile->tokens.front()->token == 0);
      CHECK(profile->copy_bytes_per_second > 0);
      CHECK(profile->status.source == profiler::TimeSource::cupti);
      CHECK(profile->status.dropped == 0);
      CHECK(profile->status.unattributed == 0);
    }
  }
  CHECK(bytes < 800'000);
}
