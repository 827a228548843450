// Sampling tokens on a real backend of the CPU, with made-up samples: each token gets its own, and they survive the way to
// another process, into a file and into a trace.
#include "app/wiring/token_samples.h"

#include "app/viewmodel/sample_strip.h"
#include "app/wiring/profile_rows.h"
#include "app/wiring/recorded_profile.h"
#include "app/wiring/samples_json.h"
#include "engine/model/random_weights.h"
#include "profiler/export/trace.h"
#include "profiler/recording/profile_file.h"
#include "tests/profiler/counters/fake_sampling.h"
#include "tests/support/example_profile.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <sstream>

namespace {

engine::Result<app::TokenSamples> sampled(fake::SamplingScript& script, int tokens) {
  engine::ModelConfig config;
  config.d_model = 64;
  config.d_intermediate = 64;
  config.n_layer = 2;
  config.vocab_size = 60;
  config.headdim = 32;
  config.d_state = 32;
  const auto weights = engine::make_random_weights(config, kernels::DType::f32, 5);
  REQUIRE(weights.has_value());
  engine::BackendOptions options;
  options.choice = engine::BackendChoice::cpu;
  options.threads = 1;
  const auto backend = engine::make_backend(*weights, options);
  REQUIRE(backend.has_value());
  auto session =
      profiler::SamplingSession::start(std::make_unique<fake::Sampling>(script), app::sampled_metrics(), 2000, 1000);
  REQUIRE(session);
  const std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens), 7);
  auto out = app::sample_tokens(**backend, ids, *session, {tokens, 200'000});
  CHECK((*backend)->position() == tokens);
  return out;
}

app::ProfileResult with_samples() {
  app::ProfileResult profile = tests::example_profile(2, 6);
  app::TokenSamples samples;
  samples.chip = "FK100";
  samples.library = "/fake/libcupti.so";
  samples.metrics = {app::sampled_metrics()[0], app::sampled_metrics()[1]};
  samples.missing = {"x"};
  samples.interval_ns = 2000;
  samples.tokens = {{8, {0, 2000, 4000}, {{50, 10}, {60, 20}, {70, std::nan("")}}}, {9, {0, 2000}, {{1, 2}, {3, 4}}}};
  profile.samples = samples;
  return profile;
}

}  // namespace

TEST_CASE("each token gets the samples in which its work ran") {
  fake::SamplingScript script;
  for (int t = 0; t < 3; ++t) script.play(200, 5 + t, 40, 5);
  const auto samples = sampled(script, 3);
  REQUIRE(samples.has_value());
  REQUIRE(samples->why.reason.empty());
  REQUIRE(samples->tokens.size() == 3);
  CHECK(samples->tokens[1].token == 1);
  CHECK(samples->tokens[1].start_ns.size() == 6);
  CHECK(samples->tokens[1].start_ns.front() == 0);
  CHECK(samples->tokens[1].start_ns.back() == 10'000);
  CHECK(samples->tokens[2].values[0][1] == 41);
  CHECK(app::sample_name(samples->metrics[1]) == "DRAM read");
  CHECK(app::sample_name("other") == "other");
}

TEST_CASE("work that is not the tokens' is said, and so is a failure, and the steps are all made") {
  fake::SamplingScript script;
  script.play(200, 5, 40, 5);
  const auto one = sampled(script, 2);
  REQUIRE(one.has_value());
  CHECK(one->tokens.empty());
  CHECK(one->why.reason.find("1 pieces of work where 2 tokens") != std::string::npos);
  CHECK_FALSE(one->why.remedy.empty());
  fake::SamplingScript broken;
  broken.faults["stop"] = profiler::CuptiFault::hardware_busy;
  const auto none = sampled(broken, 2);
  REQUIRE(none.has_value());
  CHECK(none->why.reason.find("end the samples") != std::string::npos);
  CHECK(none->why.remedy.find("dcgmi") != std::string::npos);
}

TEST_CASE("samples survive the way from one process to the other, refusals too") {
  const app::TokenSamples samples = *with_samples().samples;
  const app::TokenSamples back = app::samples_from(app::samples_json(samples).dump());
  CHECK(back.why.reason.empty());
  CHECK(back.metrics == samples.metrics);
  CHECK(back.missing == samples.missing);
  CHECK(back.interval_ns == 2000);
  REQUIRE(back.tokens.size() == 2);
  CHECK(back.tokens[0].start_ns == samples.tokens[0].start_ns);
  CHECK(back.tokens[0].values[1] == samples.tokens[0].values[1]);
  CHECK(std::isnan(back.tokens[0].values[2][1]));
  const app::TokenSamples refused = app::samples_from(app::samples_json(app::no_samples("why", "what")).dump());
  CHECK(refused.why.reason == "why");
  CHECK(refused.why.remedy == "what");
  for (const char* text :
       {"", "{}", "[1]", R"({"available":true})",
        R"({"available":true,"chip":"c","library":"l","interval_ns":1,"overflow":false,"metrics":["a"],)"
        R"("not_sampled":[],"tokens":[{"token":1,"start_ns":[0],"values":[[1,2]]}]})"})
    CHECK_FALSE(app::samples_from(text).why.reason.empty());
}

TEST_CASE("a recorded profile keeps its samples, and its trace has them as counters") {
  const app::ProfileResult profile = with_samples();
  const auto bytes = app::recording_bytes(profile);
  REQUIRE(bytes.has_value());
  const auto opened = app::read_recording({reinterpret_cast<const std::byte*>(bytes->data()), bytes->size()}, "x");
  REQUIRE(opened.has_value());
  REQUIRE(opened->samples.has_value());
  REQUIRE(opened->samples->tokens.size() == 2);
  CHECK(opened->samples->tokens[0].values[1] == std::vector<double>{60, 20});
  CHECK(std::isnan(opened->samples->tokens[0].values[2][1]));
  CHECK(opened->samples->tokens[1].start_ns == std::vector<std::int64_t>{0, 2000});
  CHECK(opened->samples->interval_ns == 2000);

  std::ostringstream out;
  profiler::write_chrome_trace(out, app::profile_rows(*opened));
  const auto trace = nlohmann::json::parse(out.str());
  std::vector<nlohmann::json> counters;
  for (const auto& event : trace["traceEvents"])
    if (event["ph"] == "C" && event["name"] == "DRAM read, % of the peak") counters.push_back(event);
  // Three samples and two, each with a zero behind the last.
  REQUIRE(counters.size() == 7);
  CHECK(counters[0]["ts"].get<double>() == doctest::Approx(0));
  CHECK(counters[1]["ts"].get<double>() == doctest::Approx(2));
  CHECK(counters[1]["args"]["value"] == 20);
  CHECK(counters[2]["args"]["value"] == 0);  // no number
  CHECK(counters[3]["ts"].get<double>() == doctest::Approx(6));
  CHECK(counters[3]["args"]["value"] == 0);
}

TEST_CASE("a file's samples are checked before they are believed") {
  for (const auto& [change, value] :
       {std::pair{"tokens", 0}, {"values", 0}, {"columns", 0}, {"interval", 0}, {"start", -1}}) {
    CAPTURE(change);
    profiler::RecordedProfile recorded = app::recorded_form(with_samples());
    profiler::RecordedSamples& samples = *recorded.samples;
    const std::string what = change;
    if (what == "tokens") samples.tokens.pop_back();
    if (what == "values") samples.values[0].pop_back();
    if (what == "columns") samples.values.pop_back();
    if (what == "interval") samples.interval_ns = value;
    if (what == "start") samples.start_ns[1] = value;
    const auto file = profiler::encode(recorded);
    REQUIRE(file.has_value());
    CHECK_FALSE(profiler::decode({reinterpret_cast<const std::byte*>(file->data()), file->size()}).has_value());
  }
}

TEST_CASE("the strip below the kernels shows the token's own samples, else the first that there are") {
  const app::TokenSamples samples = *with_samples().samples;
  const app::SampleStrip own = app::make_sample_strip(samples, 9);
  CHECK(own.own);
  CHECK(own.token == 9);
  CHECK(own.names == std::vector<std::string>{"SM active", "DRAM read"});
  CHECK(own.percents[1] == std::vector<double>{2, 4});
  CHECK(own.at(-1) == -1);
  CHECK(own.at(1.9) == 0);
  CHECK(own.at(2) == 1);
  CHECK(own.at(4.1) == -1);
  const app::SampleStrip first = app::make_sample_strip(samples, 11);
  CHECK_FALSE(first.own);
  CHECK(first.token == 8);
  CHECK(app::make_sample_strip({}, 0).empty());
}

TEST_CASE("every sampled token has its place, from the start of its step to its first piece of work") {
  app::ProfileResult profile = with_samples();
  auto later = std::make_shared<profiler::TokenTimes>(*profile.tokens[1]);
  later->wall_start_ns -= 3500;
  profile.tokens[1] = later;
  profile.samples->tokens.push_back({99, {0}, {{1, 1}}});  // not among the tokens
  const auto placed = app::place_sample_strips(*profile.samples, profile.tokens);
  REQUIRE(placed.size() == 2);
  CHECK(placed[0].strip.token == 8);
  CHECK(placed[0].after_start_us == 0);
  CHECK(placed[1].strip.token == 9);
  CHECK(placed[1].strip.own);
  CHECK(placed[1].after_start_us == doctest::Approx(3.5));
  CHECK(app::place_sample_strips(*profile.samples, {}).empty());
}
