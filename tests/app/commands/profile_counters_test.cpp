// What `profile --counters` prints of made-up counters, what passes between its two processes, and profiles that end early.
#include "app/commands/profile_counters.h"

#include "engine/model/random_weights.h"
#include "tests/support/run_program.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

namespace {

const std::string siso = TEST_GOLDEN "/siso-fp32";

app::ProfileResult planned() {
  app::ProfileResult result;
  result.backend.is_gpu = true;
  for (int id = 0; id < 3; ++id) {
    engine::Stage stage;
    stage.id = id;
    stage.kind = id == 2 ? engine::StageKind::head : engine::StageKind::norm;
    stage.cost.bytes_read = 1000;
    result.plan.stages.push_back(stage);
  }
  return result;
}

app::StageCounters counted() {
  app::StageCounters counters;
  counters.chip = "FK100";
  counters.library = "/fake/libcupti.so";
  counters.metrics = {"dram__bytes_read.sum", "dram__bytes_write.sum",
                      "dram__throughput.avg.pct_of_peak_sustained_elapsed", "gpu__time_duration.sum"};
  counters.missing = {"lts__t_bytes.sum"};
  counters.passes = 2;
  counters.same_bits = true;
  counters.values = {{900, 100, 10, 1000}, {800, 0, 40, 3000}, {1500, 50, 80, 500}};
  return counters;
}

// A backend that works for some steps and then has lost its device.
class Failing : public engine::Backend {
 public:
  explicit Failing(int good, bool ahead = false) : left_(good) {
    info_.name = "failing";
    info_.ahead = info_.is_gpu = ahead;
    engine::Stage stage;
    stage.cost.bytes_read = 10;
    plan_.stages.push_back(stage);
  }
  const engine::BackendInfo& info() const override { return info_; }
  const engine::StepPlan& plan() const override { return plan_; }
  engine::Result<void> reset() override { return {}; }
  engine::Result<void> step(std::span<const std::int32_t>, engine::Observer* observer) override {
    observer->step_begin(position_);
    observer->before(plan_.stages[0]);
    observer->after(plan_.stages[0]);
    if (left_-- == 0) return engine::system_error("The GPU is lost to this model.");
    observer->step_queued();
    observer->step_end(position_++);
    return {};
  }
  std::int64_t position() const override { return position_; }
  engine::Result<void> read_logits(int, std::span<float>) override { return {}; }
  engine::Result<void> read_coefficients(int, engine::StepCoefficients&) override { return {}; }
  engine::Result<void> read_state(int, std::span<const int>, bool, engine::SequenceState&) override { return {}; }
  engine::Result<void> restore(int, const engine::SequenceState&) override { return {}; }

 private:
  engine::BackendInfo info_;
  engine::StepPlan plan_;
  int left_;
  std::int64_t position_ = 0;
};

}  // namespace

TEST_CASE("counters per kind: bytes are sums, shares of a peak are weighted by time") {
  const auto json = app::counters_report_json(counted(), planned());
  REQUIRE(json["kinds"].size() == 2);
  const auto& norm = json["kinds"][0];
  CHECK(norm["kind"] == "norm");
  CHECK(norm["plan_bytes"] == 2000);
  CHECK(norm["memory_bytes"].get<double>() == doctest::Approx(1800));
  CHECK(norm["memory_over_plan"].get<double>() == doctest::Approx(0.9));
  CHECK(norm["dram__throughput.avg.pct_of_peak_sustained_elapsed"].get<double>() == doctest::Approx(32.5));
  CHECK(norm["gpu__time_duration.sum"].get<double>() == doctest::Approx(4000));
  const std::string text = app::counters_text(counted(), planned());
  CHECK(text.find("0.900") != std::string::npos);
  CHECK(text.find("not on this chip: lts__t_bytes.sum") != std::string::npos);
  CHECK(text.find("same bits") != std::string::npos);
  CHECK(text.find("memory bytes are 1.117") != std::string::npos);

  app::StageCounters partial = counted();
  partial.values[1].clear();
  partial.dropped = 1;
  partial.same_bits = false;
  CHECK(app::counters_report_json(partial, planned())["kinds"][0]["counted"] == 1);
  CHECK(app::counters_text(partial, planned()).find("1 stages were not counted") != std::string::npos);
  CHECK(app::counters_text(partial, planned()).find("NOT") != std::string::npos);
}

TEST_CASE("counters survive the way from one process to the other, refusals too") {
  app::StageCounters counters = counted();
  counters.values[0][2] = std::numeric_limits<double>::quiet_NaN();
  const auto printed = nlohmann::json::parse(app::counters_json(counters).dump());
  const app::StageCounters back = app::counters_from(printed.dump());
  CHECK(back.chip == "FK100");
  CHECK(back.passes == 2);
  CHECK(back.metrics == counters.metrics);
  CHECK(back.missing == counters.missing);
  REQUIRE(back.values.size() == 3);
  CHECK(std::isnan(back.values[0][2]));
  CHECK(back.values[2] == counters.values[2]);

  app::StageCounters refused;
  refused.why = {"not allowed", "ask"};
  CHECK(app::counters_from(app::counters_json(refused).dump()).why.remedy == "ask");
  CHECK(app::counters_text(refused, planned()).find("not available: not allowed ask") != std::string::npos);
  for (const char* text : {"null", "[]", "{\"available\": true}", "{\"available\": 3}", "{\"available\": false}"}) {
    CAPTURE(text);
    CHECK_FALSE(app::counters_from(text).why.reason.empty());
  }
}

TEST_CASE("profile --counters without a GPU says why, and the profile is there all the same") {
  const auto ran = tests::run_program(
      {"profile", siso, "--backend", "cpu", "--threads", "1", "--steps", "3", "--counters", "--json"});
  CAPTURE(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto json = nlohmann::json::parse(ran.out);
  CHECK(json["steps"] == 3);
  CHECK(json["counters"]["available"] == false);
  CHECK_FALSE(json["counters"]["remedy"].get<std::string>().empty());
}

TEST_CASE("a device that is lost in the middle: what was measured until then is kept, with the reason") {
  app::ProfileOptions options;
  options.steps = 10;
  options.warmup = 2;
  const std::vector<std::int32_t> ids(12, 1);
  engine::Model model;
  model.name = "m";
  Failing backend(7);
  const auto store = app::TimingStore::make(1, false, 10);
  const auto run = app::profile_backend(options, model, backend, *store, ids);
  REQUIRE(run.has_value());
  REQUIRE(run->ended);
  CHECK(run->ended->message.find("lost") != std::string::npos);
  REQUIRE(run->result.tokens.size() == 5);        // without those of the warm-up
  CHECK(run->result.tokens.front()->token == 0);  // counted from the first that is measured
  CHECK(run->result.tokens.back()->stages.size() == 1);

  Failing early(2);
  const auto none = app::TimingStore::make(1, false, 10);
  CHECK_FALSE(app::profile_backend(options, model, early, *none, ids).has_value());
}

TEST_CASE("steps that are queued ahead go from the end of the work before to the end of their own, unless waited for") {
  app::ProfileOptions options;
  options.steps = 4;
  options.warmup = 2;
  const std::vector<std::int32_t> ids(6, 1);
  engine::Model model;
  const auto end_of = [](const profiler::TokenTimes& token) {
    return token.stages.back().start_ns + token.stages.back().duration_ns;
  };
  for (const bool wait : {false, true}) {
    CAPTURE(wait);
    options.wait = wait;
    Failing backend(100, true);
    const auto store = app::TimingStore::make(1, false, 5);
    const auto run = app::profile_backend(options, model, backend, *store, ids);
    REQUIRE(run.has_value());
    CHECK(run->result.ahead == !wait);
    const auto& tokens = run->result.tokens;
    REQUIRE(tokens.size() == 4);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      CHECK(tokens[i]->token == i);
      const bool own_end = tokens[i]->wall_start_ns + tokens[i]->wall_ns == end_of(*tokens[i]);
      if (!wait) CHECK(own_end);
      if (!wait && i > 0) CHECK(tokens[i]->wall_start_ns == end_of(*tokens[i - 1]));
    }
    const auto json = app::accounting_json(run->result, {1e9, ""});
    CHECK(json["queued_ahead"] == !wait);
    const std::string text = app::accounting_text(run->result, {1e9, ""});
    CHECK((text.find("each step queued while the one before it ran") != std::string::npos) == !wait);
    CHECK((text.find("each step waited for") != std::string::npos) == wait);
  }
}
