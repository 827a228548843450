#include "engine/recording/replay.h"

#include "tests/support/recorded.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

namespace command = engine::command;

struct Opened {
  explicit Opened(std::uint64_t budget = std::uint64_t{512} << 20U) {
    std::vector<std::int32_t> ids(300);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * i % 2);
    const auto snapshot = tests::fake_snapshot({}, ids);
    tests::write_recording(*snapshot, tests::info_of(*snapshot), folder.file("a.safetensors"));
    recording = *engine::Recording::open(folder.file("a.safetensors"));
    session = engine::open_replay(recording, {budget, {}});
    session->wait_idle();
  }
  std::shared_ptr<const engine::Snapshot> after(engine::Command command) const {
    session->post(std::move(command));
    session->wait_idle();
    return session->snapshot();
  }
  tests::TemporaryFolder folder;
  std::shared_ptr<const engine::Recording> recording;
  std::unique_ptr<engine::Session> session;
};

bool shows(const engine::Snapshot& snapshot, std::size_t tokens) {
  return snapshot.tokens.size() == tokens && snapshot.pending.size() == 300 - tokens && snapshot.furthest == 300;
}

}  // namespace

TEST_CASE("a replay moves through the recorded tokens and steps nothing") {
  const Opened opened;
  CHECK(shows(*opened.session->snapshot(), 300));
  CHECK(shows(*opened.after(command::Seek{40}), 40));
  const auto back = opened.session->snapshot();
  CHECK(back->tokens[39]->state->layers[0].ssm == opened.recording->token(39)->state->layers[0].ssm);
  CHECK(shows(*opened.after(command::Step{2}), 42));
  CHECK(opened.session->snapshot()->notice.empty());
  CHECK(shows(*opened.after(command::Seek{0}), 0));
  opened.session->post(command::Speed{0});
  CHECK(shows(*opened.after(command::Run{}), 300));
  CHECK(opened.session->snapshot()->mode == engine::SessionMode::idle);
  CHECK(opened.session->snapshot()->notice.find("ends here, after 300 tokens") != std::string::npos);
  const auto end = opened.after(command::Step{});
  CHECK(shows(*end, 300));
  CHECK(end->notice.find("ends here") != std::string::npos);
}

TEST_CASE("a replay says why it takes no prompt, no branch and no sampler") {
  const Opened opened;
  for (const engine::Command& command :
       {engine::Command(command::Prompt{{1, 0}}), engine::Command(command::Append{{1}}),
        engine::Command(command::Forget{}), engine::Command(engine::Sampler{})}) {
    const auto snapshot = opened.after(command);
    CHECK(shows(*snapshot, 300));
    CHECK(snapshot->notice.find("This was recorded on a test's machine, 2026-11-23 and cannot be changed") !=
          std::string::npos);
  }
}

TEST_CASE("a replay keeps to the history's budget, and a token that is gone to has its state again") {
  const Opened opened(std::uint64_t{200} << 10U);
  const auto end = opened.session->snapshot();
  CHECK(end->history_bytes < std::uint64_t{400} << 10U);
  CHECK(end->tokens[10]->state->layers[0].ssm.empty());
  const auto back = opened.after(command::Seek{11});
  CHECK(back->tokens[10]->state->layers[0].ssm == opened.recording->token(10)->state->layers[0].ssm);
  CHECK(back->tokens[10]->coefficients.dt.size() == opened.recording->token(10)->coefficients.dt.size());
}
