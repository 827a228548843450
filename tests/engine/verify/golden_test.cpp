// The golden models end to end, on every backend that needs no device.
#include "engine/verify/golden.h"

#include "engine/backend/backend.h"
#include "engine/formats/safetensors.h"
#include "engine/model/model.h"

#include <doctest/doctest.h>

#include <string>

namespace {

engine::GoldenReport compare(const std::string& name, engine::BackendOptions options, int sequence = 0) {
  const std::string folder = std::string(TEST_GOLDEN) + "/" + name;
  const auto model = engine::load_model(folder);
  REQUIRE(model.has_value());
  const auto golden = engine::read_safetensors(folder + "/golden.safetensors");
  REQUIRE(golden.has_value());
  auto backend = engine::make_backend((*model)->weights, options);
  REQUIRE(backend.has_value());
  const auto report = engine::compare_with_golden(**backend, (*model)->config(), *golden, sequence);
  REQUIRE(report.has_value());
  return *report;
}

const char* const models[] = {"siso-fp32", "mimo-bf16", "siso-outproj-norm-rope1", "mimo-r2-headdim32",
                              "siso-1500-tokens"};

}  // namespace

TEST_CASE("golden models: the reference backend agrees with double precision") {
  for (const char* name : models) {
    CAPTURE(name);
    const auto report = compare(name, {engine::BackendChoice::reference, 1, 0});
    // The files hold fp32: half a unit in the last place is 6e-8; angles of a read state are rounded once more.
    CHECK(report.pass(1e-6));
    CHECK(report.logits.max_rel < 1e-7);
    CHECK(report.argmax_agreement == 1.0);
    CHECK(report.states.size() >= 8);
  }
}

TEST_CASE("golden models: the cpu backend stays within fp32's tolerance in every place of a batch") {
  for (const char* name : models) {
    CAPTURE(name);
    for (const int sequence : {0, 2}) {
      const auto report = compare(name, {engine::BackendChoice::cpu, 3, 2}, sequence);
      CHECK(report.pass(2e-4));  // measured: 8e-5 after 1,500 tokens, 1e-5 in the short runs
      CHECK(report.logits.max_rel < 2e-6);
      CHECK(report.argmax_agreement == 1.0);
    }
  }
}

TEST_CASE("golden models: the official kernels' own rounding, as measured on an H100, is what is left") {
  const auto siso = compare("siso-fp32", {engine::BackendChoice::cpu, 1, 1});
  REQUIRE(siso.has_official);
  CHECK(siso.official.max_abs == doctest::Approx(4.7e-3).epsilon(0.05));
  const auto mimo = compare("mimo-bf16", {engine::BackendChoice::cpu, 1, 1});
  CHECK(mimo.official.max_abs == doctest::Approx(1.3e-2).epsilon(0.05));
  CHECK_FALSE(compare("siso-1500-tokens", {engine::BackendChoice::cpu, 1, 1}).has_official);
}

TEST_CASE("golden comparison: another model's file, or none of the states, does not pass") {
  const std::string folder = std::string(TEST_GOLDEN) + "/siso-fp32";
  const auto model = engine::load_model(folder);
  REQUIRE(model.has_value());
  auto backend = engine::make_backend((*model)->weights, {engine::BackendChoice::cpu, 1, 1});
  REQUIRE(backend.has_value());
  auto golden = engine::read_safetensors(folder + "/golden.safetensors");
  REQUIRE(golden.has_value());

  const auto run = [&](auto change) {
    engine::TensorFile changed = *golden;
    change(changed);
    return engine::compare_with_golden(**backend, (*model)->config(), changed);
  };
  const auto remove = [](engine::TensorFile& file, const std::string& prefix) {
    for (std::size_t i = file.tensors.size(); i-- > 0;) {
      if (file.tensors[i].name.rfind(prefix, 0) == 0) file.tensors.erase(file.tensors.begin() + std::ptrdiff_t(i));
    }
  };
  const auto without_states = run([&](auto& file) { remove(file, "reference.state."); });
  REQUIRE(without_states.has_value());
  CHECK_FALSE(without_states->pass(1.0));
  const auto without_ssm = run([&](auto& file) { remove(file, "reference.state.1.ssm"); });
  REQUIRE_FALSE(without_ssm.has_value());
  CHECK(without_ssm.error().kind == engine::ErrorKind::input);
  CHECK(without_ssm.error().message.find("reference.state.1.ssm") != std::string::npos);
  CHECK_FALSE(run([&](auto& file) { remove(file, "input_ids"); }).has_value());
  CHECK_FALSE(run([&](auto& file) { remove(file, "reference.logits"); }).has_value());

  const auto other = engine::read_safetensors(std::string(TEST_GOLDEN) + "/mimo-bf16/golden.safetensors");
  REQUIRE(other.has_value());
  const auto mixed = engine::compare_with_golden(**backend, (*model)->config(), *other);
  REQUIRE_FALSE(mixed.has_value());
  CHECK(mixed.error().kind == engine::ErrorKind::input);
}
