// The window's comparison with the reference, on a model whose lambda is fixed by its task.json.
#include "app/wiring/verification.h"

#include "app/viewmodel/lambda_mark.h"
#include "engine/session/session.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace {

std::shared_ptr<const engine::Snapshot> stepped(const std::string& model_path) {
  const auto model = engine::load_model(model_path);
  REQUIRE_MESSAGE(model.has_value(), (model ? "" : model.error().message));
  engine::SessionOptions options;
  options.backend.choice = engine::BackendChoice::cpu;
  const auto session = engine::Session::open(*model, options);
  REQUIRE(session.has_value());
  (*session)->post(engine::command::Prompt{{5, 9, 17, 3, 249, 0, 5, 5}});
  (*session)->post(engine::command::Step{8});
  (*session)->wait_idle();
  return (*session)->snapshot();
}

}  // namespace

TEST_CASE("a model with an override verifies with lambda fixed, in the session and in the reference alike") {
  const std::string golden = std::string(TEST_GOLDEN) + "/siso-fp32";
  const tests::TemporaryFolder folder;
  for (const char* file : {"config.json", "model.safetensors"}) {
    std::filesystem::copy_file(golden + "/" + file, folder.file(file));
  }
  folder.write("task.json", R"({"kind":"next-token","override":{"lambda":0.75}})");
  const auto fixed = stepped(folder.path().string()), own = stepped(golden);
  CHECK(app::lambda_mark(fixed->model->config()) == "λ = 0.75 override");
  CHECK(app::lambda_mark(own->model->config()).empty());
  for (const auto& record : fixed->tokens) {
    for (const float lambda : record->coefficients.lambda) CHECK(lambda == 0.75F);
  }
  CHECK(own->tokens.back()->coefficients.lambda.front() != 0.75F);
  CHECK(own->tokens.back()->top.front().logit != fixed->tokens.back()->top.front().logit);

  for (const auto& snapshot : {fixed, own}) {
    app::Verification verification(snapshot, {});
    while (!verification.result()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const auto result = *verification.result();
    CHECK_FALSE(result.error.has_value());
    CHECK(result.tokens == 8);
    CHECK(result.states_complete);
    CHECK(result.worst > 0);
    CHECK(result.worst < 2e-5);
  }
}
